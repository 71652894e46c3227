"""Column types that behave alike on SQLite and PostgreSQL: exact money, UTC moments."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Integer,
    SQLColumnExpression,
    func,
    literal,
)
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from plaidapp.bank.payloads import LARGEST
from plaidapp.extensions import db

BigId = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
"""For tables filled by upsert: on PostgreSQL every row that is there already uses up an id."""

DECIMALS = 8
SCALE = Decimal(10) ** DECIMALS
UNIT = 1 / SCALE


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def units(amount: Decimal) -> int:
    """An amount as it is kept: in units of 10^-8, what is smaller rounded half to even."""
    return round(amount * SCALE)


class Money(TypeDecorator[Decimal]):
    """An exact amount of up to eight decimals, kept as a whole number of 10^-8 units.

    Whole numbers make SQL's SUM, comparison and ORDER BY exact on SQLite too, which has no decimal
    type. 64 bits reach 92 billion units either way; payloads refuse more. Digits past the eighth
    decimal are the noise of binary floats upstream and are rounded off, half to even.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else units(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) * UNIT


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC. SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def exact(amount: Decimal | None) -> str | None:
    """The amount's digits without trailing zeros or exponent: "42", "7.5", "23631.9805"."""
    if amount is None:
        return None
    return f"{amount:f}".rstrip("0").rstrip(".") if amount % 1 else f"{amount:.0f}"


def days_later(day: date, days: int) -> date:
    """So many days later, or before when negative; at most the last day there is, or the first."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def on_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def shifted(day: SQLColumnExpression[Any], days: int) -> SQLColumnExpression[Any]:
    """In SQL: the date that is so many days later."""
    return func.date(day, f"{days:+} days", type_=Date) if on_sqlite() else day + days


def added_up(units: ColumnElement[Any], **window: Any) -> ColumnElement[Any]:
    """In SQL: the exact sum of whole 10^-8 units; over a window if one is given.

    64 bits can't hold every sum of amounts that they can hold, and SQLite fails when one doesn't
    fit. So it adds the parts before and after the point, and what is too large ends as `LARGEST`.
    """

    def total(part: ColumnElement[Any]) -> ColumnElement[Any]:
        added = func.sum(part)
        return added.over(**window) if window else added

    if not on_sqlite():
        return within(total(units))
    whole = int(SCALE)
    return within(total(units.op("/")(whole)) * whole + total(units % whole))


def within(units: ColumnElement[Any]) -> ColumnElement[Any]:
    """In SQL: `units`, or the largest amount that can be kept."""
    largest = literal(int(LARGEST * SCALE), BigInteger)
    if on_sqlite():
        return func.max(func.min(units, largest), -largest)
    return func.greatest(func.least(units, largest), -largest)
