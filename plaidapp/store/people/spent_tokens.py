"""Tokens that count once, and have counted: half log-ins and challenges of passkeys.

They are in the cookies of browsers, signed, and anyone can keep a copy. So what has counted is
stored until it would have expired.
"""

import hashlib
from datetime import datetime
from typing import cast

from sqlalchemy import ForeignKey, String, Table, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


class SpentToken(Base):
    """After `ends_at` the token has expired, and the row means nothing."""

    __tablename__ = "spent_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    ends_at: Mapped[datetime] = mapped_column(Moment, index=True)


def spend(user_id: int, token: str, ends_at: datetime) -> bool:
    """Let the token count from the caller's commit on. Return False if it has counted before."""
    row = {"token_hash": _hash(token), "user_id": user_id, "ends_at": ends_at}
    return insert_new(cast(Table, SpentToken.__table__), row)


def is_spent(token: str) -> bool:
    """Has the token counted before?"""
    return db.session.get(SpentToken, _hash(token)) is not None


def delete_expired(most: int) -> None:
    """Delete rows that mean nothing anymore, at most so many."""
    expired = select(SpentToken.token_hash).where(SpentToken.ends_at <= now()).limit(most)
    write(delete(SpentToken).where(SpentToken.token_hash.in_(expired)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
