"""The people who sign in."""

import unicodedata
from datetime import datetime
from typing import cast

from flask_login import UserMixin
from sqlalchemy import Integer, String, Table, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db, glance

from ..base.types import Moment, now

LEDGER_LOCK = 1
"""PostgreSQL's advisory locks are two numbers; the other is the person's id."""


def key_of(name: str) -> str:
    """How names and e-mail addresses are compared: without case, accents spelled one way."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class User(UserMixin, Base):
    """A person. `username_key` and `email_key` are what uniqueness and log-in go by.

    `ledger_revision` grows whenever something of theirs that a page shows was stored.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(256), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(512), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    ledger_revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


def by_id(user_id: int) -> User | None:
    return db.session.get(User, user_id)


def by_name(name: str) -> User | None:
    """The user with this user name or e-mail address."""
    if "\0" in name:  # PostgreSQL refuses to look for it, and nobody has it
        return None
    key = key_of(name)
    return db.session.scalar(
        select(User).where(or_(User.username_key == key, User.email_key == key))
    )


def add(username: str, email: str, password_hash: str) -> User:
    """Raises sqlalchemy.exc.IntegrityError on flush when the name or address is taken."""
    user = User(
        username=username,
        username_key=key_of(username),
        email=email,
        email_key=key_of(email),
        password_hash=password_hash,
    )
    db.session.add(user)
    return user


_LOCK = select(func.pg_advisory_xact_lock(LEDGER_LOCK, bindparam("id", type_=Integer)))


def lock_ledger(user_id: int) -> None:
    """Until the commit nobody else stores what a bank says about this person.

    SQLite needs no lock: whoever may write is alone.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(_LOCK, {"id": user_id})


def ledger_revision(user_id: int) -> int:
    """As it is now, whatever this request has read before."""
    return db.session.scalar(select(User.ledger_revision).where(User.id == user_id)) or 0


_REVISION = select(User.ledger_revision).where(User.id == bindparam("id"))


def glance_at_ledger(user_id: int) -> int | None:
    """`ledger_revision` for polls: see extensions.glance. None if there is no such person."""
    row = glance(_REVISION, id=user_id)
    return row.ledger_revision if row else None


TABLE = cast(Table, User.__table__)
_CHANGED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("user_id"))
    .values(ledger_revision=TABLE.c.ledger_revision + 1)
)


def ledger_changed(user_id: int) -> None:
    """Open pages of this person will ask for their lists again."""
    db.session.execute(_CHANGED, {"user_id": user_id})
