"""The browsers from which a person has logged in, and which they have not logged out since.

A browser's signed cookie names its row (plaidapp/auth/known_device.py). Without the row, the cookie
is worth nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ForeignKey, String, Table, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write


class KnownDevice(Base):
    """`device` is a random id. `logged_in_at` is the last log-in from there."""

    __tablename__ = "known_device"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    device: Mapped[str] = mapped_column(String(16), primary_key=True)
    logged_in_at: Mapped[datetime] = mapped_column(Moment, index=True)


def add(user_id: int, device: str) -> None:
    """Know this device, or know it for longer. Forget those too many that logged in longest ago."""
    table = cast(Table, KnownDevice.__table__)
    row = {"user_id": user_id, "device": device, "logged_in_at": now()}
    upsert(table, ("user_id", "device"), [row])
    newest = select(KnownDevice.device).where(KnownDevice.user_id == user_id)
    newest = newest.order_by(KnownDevice.logged_in_at.desc(), KnownDevice.device)
    others = newest.offset(policy.KNOWN_DEVICES_PER_PERSON)
    write(delete(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.device.in_(others)))


def is_known(user_id: int, device: str) -> bool:
    row = db.session.get(KnownDevice, (user_id, device))
    return row is not None and row.logged_in_at > _oldest()


def of_person(user_id: int) -> Sequence[str]:
    """Return the ids of the person's devices."""
    return db.session.scalars(
        select(KnownDevice.device).where(KnownDevice.user_id == user_id)
    ).all()


def forget(user_id: int, device: str) -> None:
    this = KnownDevice.user_id == user_id, KnownDevice.device == device
    write(delete(KnownDevice).where(*this))


def forget_others(user_id: int, device: str | None) -> None:
    """Forget all devices of the person but this one; all if it is None."""
    theirs = delete(KnownDevice).where(KnownDevice.user_id == user_id)
    write(theirs if device is None else theirs.where(KnownDevice.device != device))


def delete_old(most: int) -> None:
    """Delete devices that are not known anymore, at most so many."""
    key = KnownDevice.user_id, KnownDevice.device
    old = select(*key).where(KnownDevice.logged_in_at <= _oldest()).limit(most)
    for user_id, device in db.session.execute(old).all():
        forget(user_id, device)


def _oldest() -> datetime:
    return now() - policy.KNOWN_DEVICE_LIFE
