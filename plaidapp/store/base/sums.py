"""Exact sums of money, over the whole numbers of 10^-8 units that `Money` stores.

64 bits hold any single amount but not every sum, and SQLite fails when a sum does not fit. So SQL
adds up in a form that always fits, and `Sum` makes a Decimal of it. A sum that is stored takes two
columns: one of `Money`, and one that counts how often LARGEST was left out of it.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, SQLColumnExpression, func, type_coerce
from sqlalchemy.types import TypeDecorator

from plaidapp.bank.amounts import LARGEST, UNIT

from .dialect import on_sqlite
from .types import SCALE


class Sum(TypeDecorator[Decimal]):
    """What `money_sum` returns: units on PostgreSQL; on SQLite whole amounts, a space, units."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if isinstance(value, str):
            whole, fraction = value.split()
            return int(whole) + int(fraction) * UNIT
        return Decimal(value) * UNIT


def units_of(money: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Return a money expression as stored units, because SQL's sums do not know `Money`."""
    return type_coerce(money, BigInteger)


def money_sum(
    money: SQLColumnExpression[Any], high: SQLColumnExpression[int] | None = None
) -> ColumnElement[Any]:
    """Return the exact sum of a money column, or of units; `high` is the column beside a sum's."""
    units = units_of(money)
    if on_sqlite():
        # Whole amounts and fractions are added separately, so that neither sum overflows.
        scale = int(SCALE)
        whole: ColumnElement[Any] = func.sum(units.op("/")(scale))
        if high is not None:
            whole = whole + func.sum(high) * int(LARGEST)
        text = _joined_text(_joined_text(whole, " "), func.sum(units % scale))
        return type_coerce(text, Sum)
    total: ColumnElement[Any] = func.sum(units)  # PostgreSQL adds up 64 bits without a limit
    if high is not None:
        total = total + func.sum(high) * int(LARGEST * SCALE)
    return type_coerce(total, Sum)


def _joined_text(left: ColumnElement[Any], right: Any) -> ColumnElement[Any]:
    """SQLite's || binds more tightly than its arithmetic, which SQLAlchemy does not know."""
    return left.op("||", precedence=10)(right)


def split(total: Decimal) -> tuple[Decimal, int]:
    """Return a sum as its two columns have it."""
    high, low = divmod(total, LARGEST)
    return low, int(high)


def joined(low: Decimal, high: int) -> Decimal:
    """Return the sum that two columns have."""
    return low + high * LARGEST if high else low
