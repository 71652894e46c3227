"""Column types that work the same on SQLite and PostgreSQL: exact money and moments in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from plaidapp.bank.amounts import DECIMALS, UNIT

BigId = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
"""For tables filled by upsert: on PostgreSQL, every row uses up an id even if it exists already."""

SCALE = Decimal(10) ** DECIMALS


read_clock: Callable[[], datetime] = partial(datetime.now, UTC)
"""What `now` reads. A test can put another clock here."""


def now() -> datetime:
    """Return the current time, with its time zone, UTC. Everything in the app asks here."""
    return read_clock()


def units(amount: Decimal) -> int:
    """Return an amount as it is stored: in units of 10^-8. It has at most eight decimals."""
    return round(amount * SCALE)


class Money(TypeDecorator[Decimal]):
    """An exact amount with up to eight decimals, stored as a whole number of 10^-8 units.

    Whole numbers keep SUM, comparisons and ORDER BY exact on SQLite too, which has no decimal
    type. 64 bits hold amounts up to 92 billion, positive or negative. bank/amounts.py refuses
    amounts of the bank that don't fit, and a sum takes two columns (sums.py).
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else units(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) * UNIT


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC. SQLite drops the time zone, so reading puts it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def exact(amount: Decimal | None) -> str | None:
    """Return the digits of an amount without trailing zeros or an exponent, such as "7.5"."""
    if amount is None:
        return None
    return f"{amount:f}".rstrip("0").rstrip(".") if amount % 1 else f"{amount:.0f}"
