"""Balances as lines over time, for charts and sparklines."""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, bindparam, select, type_coerce

from plaidapp.extensions import db

from ..base.types import UNIT
from ..connections.accounts import TABLE as ACCOUNT
from ..connections.balances import TABLE


@dataclass(frozen=True, slots=True)
class Line:
    """One account's balance over time, in its own currency and Plaid's sign.

    `known_from` is the first day of which anything is known, and `source` whether the bank said it
    or it was computed. Before that day the first value is held: nothing is invented.
    """

    known_from: datetime.date
    source: str
    steps: Sequence[tuple[datetime.date, Decimal]]

    def at(self, days: Sequence[datetime.date]) -> list[Decimal]:
        """The balance at the end of each day."""
        dates = [date for date, _ in self.steps]
        return [self.steps[max(bisect_right(dates, day), 1) - 1][1] for day in days]


def lines(user_id: int, start: datetime.date) -> dict[int, Line]:
    """By account, from the end of the day `start` on. An account without balances has no line."""
    asked = {"user_id": user_id, "start": start}
    edges = db.session.execute(_EDGES, asked).all()
    steps = defaultdict(list)
    for account_id, known_from, earliest, _source, opens_with in edges:
        if known_from is not None:
            opens = earliest if opens_with is None else opens_with
            steps[account_id].append((min(start, known_from), opens))
    for account_id, date, units in db.session.execute(_LATER, asked):
        steps[account_id].append((date, units * UNIT))
    return {
        account_id: Line(known_from, source, steps[account_id])
        for account_id, known_from, _earliest, source, _opens_with in edges
        if known_from is not None
    }


def _one(query: Any, column: Any) -> ScalarSelect[Any]:
    one: ScalarSelect[Any] = query.with_only_columns(column).limit(1).scalar_subquery()
    return one


_FIRST = select(TABLE).where(TABLE.c.account_id == ACCOUNT.c.id).order_by(TABLE.c.date)
_OPENING = (
    select(TABLE)
    .where(TABLE.c.account_id == ACCOUNT.c.id, TABLE.c.date <= bindparam("start"))
    .order_by(TABLE.c.date.desc())
)
_EDGES = select(
    ACCOUNT.c.id,
    _one(_FIRST, TABLE.c.date),
    _one(_FIRST, TABLE.c.current),
    _one(_FIRST, TABLE.c.source),
    _one(_OPENING, TABLE.c.current),
).where(ACCOUNT.c.user_id == bindparam("user_id"))
# Thousands of rows: as they are, without the layers that the ORM and a column's type put on each.
_LATER = (
    select(TABLE.c.account_id, TABLE.c.date, type_coerce(TABLE.c.current, BigInteger))
    .join(ACCOUNT, ACCOUNT.c.id == TABLE.c.account_id)
    .where(ACCOUNT.c.user_id == bindparam("user_id"), TABLE.c.date > bindparam("start"))
    .order_by(TABLE.c.account_id, TABLE.c.date)
)
