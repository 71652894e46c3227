"""When the clock last did each of its duties. This is how others see that a clock is alive."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Float, String, Table, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment
from ..base.upsert import upsert


class Duty(Base):
    """What the clock does in each tick, or now and then. `seconds` is how long it took last."""

    __tablename__ = "duty"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    ran_at: Mapped[datetime] = mapped_column(Moment)
    seconds: Mapped[float] = mapped_column(Float)


def save(ran: Mapping[str, tuple[datetime, float]]) -> None:
    """Store when each duty ended, and how many seconds it took. The order prevents deadlocks."""
    rows = [
        {"name": name, "ran_at": moment, "seconds": seconds}
        for name, (moment, seconds) in sorted(ran.items())
    ]
    upsert(cast(Table, Duty.__table__), ("name",), rows)


def every() -> Sequence[Duty]:
    return db.session.scalars(select(Duty).order_by(Duty.name)).all()
