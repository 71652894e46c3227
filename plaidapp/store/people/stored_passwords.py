"""The hash of a person's password, and its changes.

Log-ins of a person and changes of their password happen one after the other. Otherwise a log-in
with the old password could begin its session just after the change has ended all sessions: each
would have looked before the other was stored.
"""

from sqlalchemy import Integer, bindparam, func, select

from plaidapp.extensions import db

from ..base.dialect import on_sqlite
from ..base.types import now
from .users import PASSWORD_LOCK, User

_LOCK = select(func.pg_advisory_xact_lock(PASSWORD_LOCK, bindparam("id", type_=Integer)))
_HASH = select(User.password_hash).where(User.id == bindparam("id"))


def lock(user_id: int) -> str | None:
    """Lock until the commit. Return the hash as it is stored now.

    SQLite needs no lock: only one writer runs at a time.
    """
    if not on_sqlite():
        db.session.execute(_LOCK, {"id": user_id})
    return db.session.scalar(_HASH, {"id": user_id})


def rehash(user: User, password_hash: str) -> None:
    """Store another hash of the same password, unless somebody changes it at this moment."""
    if lock(user.id) == user.password_hash:
        user.password_hash = password_hash


def change(user: User, password_hash: str) -> None:
    """Store another password. The caller ends the sessions in the same transaction."""
    lock(user.id)
    user.password_hash, user.password_changed_at = password_hash, now()
