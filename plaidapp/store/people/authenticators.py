"""The authenticator app of a person: the secret that it shares with us, and which codes are used.

The secret is stored encrypted (plaidapp/sealing.py). A code belongs to a step, the number of 30
seconds since 1970: https://www.rfc-editor.org/rfc/rfc6238
"""

from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Table, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


class Authenticator(Base):
    """`last_step` is the step of the last code that was accepted. It and older ones are used up."""

    __tablename__ = "authenticator"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)


def of_person(user_id: int) -> Authenticator | None:
    return db.session.scalar(select(Authenticator).where(Authenticator.user_id == user_id))


def add(user_id: int, sealed_secret: bytes, last_step: int) -> bool:
    """Return False, with nothing changed, if the person has one already."""
    row = {"user_id": user_id, "sealed_secret": sealed_secret, "last_step": last_step}
    return insert_new(cast(Table, Authenticator.__table__), row | {"created_at": now()})


def use_up(user_id: int, step: int) -> bool:
    """Use up the codes up to this step. Return False if this one was used before."""
    unused = Authenticator.user_id == user_id, Authenticator.last_step < step
    return write(update(Authenticator).where(*unused).values(last_step=step)) == 1


def remove(user_id: int) -> bool:
    """Return False if there was none."""
    return write(delete(Authenticator).where(Authenticator.user_id == user_id)) == 1
