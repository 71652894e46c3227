"""Whose an email address is: see User."""

from sqlalchemy import select

from plaidapp.extensions import db

from ..base.types import now
from . import users
from .users import User


def holder_of(email: str, *, confirmed: bool) -> User | None:
    """Return the person who has this address; only if they have proven it, if `confirmed`."""
    query = select(User).where(User.email_key == users.key_of(email))
    if confirmed:
        query = query.where(User.email_confirmed_at.is_not(None))
    return None if "\0" in email else db.session.scalar(query)


def counts(user: User) -> bool:
    """Return False if the person has to confirm their address before it is theirs."""
    return user.email_key == users.key_of(user.email)


def give(user: User, email: str, *, confirmed: bool) -> bool:
    """Give the person this address. False, with nothing changed, if it is another person's.

    Who has not confirmed it gives way to who has. A flush raises IntegrityError if another request
    gives it away at the same time.
    """
    holder = holder_of(email, confirmed=False)
    if holder and holder.id != user.id:
        if not confirmed or holder.email_confirmed_at:
            return False
        holder.email_key = users.no_key()
        db.session.flush()
    user.email, user.email_key = email, users.key_of(email)
    user.email_confirmed_at = now() if confirmed else None
    return True
