"""The address from which a person's calendar program reads their recurring payments.

It has a random token in place of a log-in, which such programs don't have. The row has the token's
hash, to find it by, and the token encrypted (plaidapp/sealing.py), to show the address again.
"""

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import ForeignKey, LargeBinary, String, Table, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import sealing
from plaidapp.extensions import Base, db
from plaidapp.sealing import Cipher, Sealed

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write
from .users import User


class CalendarFeed(Base):
    """`changed_at` is when the person last changed whether it `has_amounts`."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_token: Mapped[bytes] = mapped_column(LargeBinary)
    has_amounts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def token(self) -> Sealed:
        return Sealed(sealing.calendar_token(self.user_id, self.token_hash), self.sealed_token)


class Read(NamedTuple):
    """What a calendar program asks for, and whose it is."""

    feed: CalendarFeed
    user: User


def of_person(user_id: int) -> CalendarFeed | None:
    return db.session.scalar(select(CalendarFeed).where(CalendarFeed.user_id == user_id))


def find(token: str) -> Read | None:
    """Return what this token opens; None if it is wrong, or not valid anymore."""
    query = select(CalendarFeed, User).join(User, User.id == CalendarFeed.user_id)
    row = db.session.execute(query.where(CalendarFeed.token_hash == _hash_of(token))).one_or_none()
    return Read(*row) if row else None


def renew(user_id: int, cipher: Cipher) -> None:
    """Give the person a new address. The one before, if there was one, ends."""
    token, moment = secrets.token_urlsafe(32), now()
    token_hash = _hash_of(token)
    row = {
        "user_id": user_id,
        "token_hash": token_hash,
        "sealed_token": cipher.encrypt(sealing.calendar_token(user_id, token_hash), token),
        "created_at": moment,
        "changed_at": moment,
    }
    before = of_person(user_id)
    row["has_amounts"] = before.has_amounts if before else True
    upsert(cast(Table, CalendarFeed.__table__), ("user_id",), [row])
    db.session.expire_all()


def set_amounts(user_id: int, *, shown: bool) -> None:
    here = CalendarFeed.user_id == user_id, CalendarFeed.has_amounts != shown
    write(update(CalendarFeed).where(*here).values(has_amounts=shown, changed_at=now()))


def end(user_id: int) -> bool:
    """End the person's address. Return False if there was none."""
    return write(delete(CalendarFeed).where(CalendarFeed.user_id == user_id)) == 1


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
