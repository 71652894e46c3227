"""Column types that behave alike on SQLite and PostgreSQL: exact money, UTC moments."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

BigId = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
"""For tables filled by upsert: on PostgreSQL every row that is there already uses up an id."""

DECIMALS = 8
SCALE = Decimal(10) ** DECIMALS


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount of up to eight decimals, kept as a whole number of 10^-8 units.

    Whole numbers make SQL's SUM, comparison and ORDER BY exact on SQLite too, which has no decimal
    type. 64 bits reach 92 billion units either way; payloads refuse more. Digits past the eighth
    decimal are the noise of binary floats upstream and are rounded off, half to even.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return int((value * SCALE).to_integral_value(ROUND_HALF_EVEN))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-DECIMALS)


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
