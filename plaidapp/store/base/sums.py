"""Exact sums of money in SQL, over the whole numbers of 10^-8 units that `Money` stores.

64 bits can hold any single amount but not every sum, and SQLite fails when a sum does not fit. A
sum that is too large becomes the largest amount that can be stored.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, func, literal, type_coerce

from plaidapp.bank.payloads import LARGEST

from .dialect import on_sqlite
from .types import SCALE, Money


def units_of(money: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Return a money expression as stored units, because SQL's sums do not know `Money`."""
    return type_coerce(money, BigInteger)


def money_sum(units: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Return the sum of `units`, or of a money column, as money."""
    return type_coerce(sum_of(units_of(units)), Money)


def sum_of(units: SQLColumnExpression[int], **window: Any) -> ColumnElement[int]:
    """Return the exact sum of `units`, over a window if one is given."""

    def total(part: SQLColumnExpression[int]) -> ColumnElement[int]:
        added = func.sum(part)
        return added.over(**window) if window else added

    if not on_sqlite():
        return capped(total(units))
    # Whole amounts and fractions are added separately, so that neither sum overflows.
    whole = int(SCALE)
    return capped(total(units.op("/")(whole)) * whole + total(units % whole))


def capped(units: ColumnElement[int]) -> ColumnElement[int]:
    """Return `units`, or the largest amount of that sign that can be stored."""
    largest = literal(int(LARGEST * SCALE), BigInteger)
    if on_sqlite():
        return func.max(func.min(units, largest), -largest)
    return func.greatest(func.least(units, largest), -largest)
