"""Links in mails: each proves that whoever opens it reads the mails of an address.

A link has a random token, and the row has its hash. A person has at most one link for each purpose,
so a new one ends the one before. A link also ends with its time, when it is used, and when the
person's password or email address has changed since: see `_bound_to`.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import ForeignKey, String, Table, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write
from .users import User

CONFIRM, RESET = "confirm", "reset"
"""Purposes: to confirm `email` as the person's address, to choose a new password."""


class MailLink(Base):
    """`email` is the address that the link was sent to. After `ends_at` it opens nothing."""

    __tablename__ = "mail_link"
    __table_args__ = (UniqueConstraint("user_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    bound_to: Mapped[str] = mapped_column(String(64))
    ends_at: Mapped[datetime] = mapped_column(Moment, index=True)


class Opened(NamedTuple):
    """A link that is alive, and whose it is."""

    link: MailLink
    user: User


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def put(user: User, purpose: str, email: str, token_hash: str, life: timedelta) -> None:
    """Store a link. It replaces the person's last one for this purpose."""
    row = {
        "user_id": user.id,
        "purpose": purpose,
        "email": email,
        "token_hash": token_hash,
        "bound_to": _bound_to(user),
        "ends_at": now() + life,
    }
    upsert(cast(Table, MailLink.__table__), ("user_id", "purpose"), [row])


def find(purpose: str, token_hash: str) -> Opened | None:
    """Return the link with this token, as it is stored now, if it is alive."""
    query = (
        select(MailLink, User)
        .join(User, User.id == MailLink.user_id)
        .where(MailLink.token_hash == token_hash, MailLink.purpose == purpose)
        .where(MailLink.ends_at > now())
        .execution_options(populate_existing=True)
    )
    row = db.session.execute(query).first()
    if row is None or row.MailLink.bound_to != _bound_to(row.User):
        return None
    return Opened(*row)


def use_up(link: MailLink) -> bool:
    """Delete the link. False if it has ended since it was found."""
    if find(link.purpose, link.token_hash) is None:
        return False
    return write(delete(MailLink).where(MailLink.token_hash == link.token_hash)) == 1


def pending(user: User, purpose: str) -> MailLink | None:
    """Return the person's link for this purpose if it is alive."""
    query = select(MailLink).where(MailLink.user_id == user.id, MailLink.purpose == purpose)
    link = db.session.scalar(query.where(MailLink.ends_at > now()))
    return link if link and link.bound_to == _bound_to(user) else None


def end(user_id: int, purpose: str) -> None:
    mine = MailLink.user_id == user_id, MailLink.purpose == purpose
    write(delete(MailLink).where(*mine))


def delete_over(most: int) -> None:
    """Delete links whose time is over, at most so many."""
    over = select(MailLink.id).where(MailLink.ends_at <= now()).limit(most)
    write(delete(MailLink).where(MailLink.id.in_(over)))


def _bound_to(user: User) -> str:
    """Return what changes with the person's password and with their email address."""
    words = f"{user.password_hash}\n{user.email_key}"
    return hashlib.sha256(words.encode()).hexdigest()
