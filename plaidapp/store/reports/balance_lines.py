"""Read balances as lines over time, for charts and sparklines."""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ScalarSelect, Select, bindparam, select

from plaidapp.bank.amounts import UNIT
from plaidapp.extensions import db

from ..base.sums import joined, units_of
from ..connections.accounts import TABLE as ACCOUNT
from ..connections.balances import TABLE


@dataclass(frozen=True, slots=True)
class Line:
    """One account's balance over time, in its own currency and Plaid's sign.

    `known_from` is the first day with a known balance, and `source` tells whether the bank reported
    it or it was computed. Before that day, the line stays at the first value: nothing is invented.
    """

    known_from: datetime.date
    source: str
    steps: Sequence[tuple[datetime.date, Decimal]]

    @property
    def latest(self) -> Decimal:
        return self.steps[-1][1]

    def at(self, days: Sequence[datetime.date]) -> list[Decimal]:
        """Return the balance at the end of each day."""
        dates = [date for date, _ in self.steps]
        return [self.steps[max(bisect_right(dates, day), 1) - 1][1] for day in days]


def line(account_id: int, start: datetime.date, today: datetime.date) -> Line | None:
    """Return what `lines` does, of one account; None if it has no balances."""
    return _lines(_OF_ACCOUNT, {"account_id": account_id, "start": start}, today).get(account_id)


def lines(user_id: int, start: datetime.date, today: datetime.date) -> dict[int, Line]:
    """Return each account's line from the end of the day `start`, by account id.

    Accounts without balances have no line. A balance that is stored for a day after `today` counts
    for `today`: it was stored in a time zone that the person has left.
    """
    return _lines(_OF_USER, {"user_id": user_id, "start": start}, today)


def _lines(
    queries: tuple[Select[Any], Select[Any]], values: dict[str, Any], today: datetime.date
) -> dict[int, Line]:
    edges_of, later_of = queries
    start = values["start"]
    edges = db.session.execute(edges_of, values).all()
    steps = defaultdict(list)
    for account_id, known_from, _source, *earliest, opens_with, opens_high in edges:
        if known_from is not None:
            opens = earliest if opens_with is None else (opens_with, opens_high)
            steps[account_id].append((min(start, known_from), joined(*opens)))
    for account_id, date, units, high in db.session.execute(later_of, values):
        steps[account_id].append((min(date, today), joined(units * UNIT, high)))
    return {
        account_id: Line(min(known_from, today), source, steps[account_id])
        for account_id, known_from, source, *_ in edges
        if known_from is not None
    }


def _first(query: Select[Any], column: Column[Any]) -> ScalarSelect[Any]:
    return query.with_only_columns(column).limit(1).scalar_subquery()


_OLDEST = select(TABLE).where(TABLE.c.account_id == ACCOUNT.c.id).order_by(TABLE.c.date)
_OPENING = (
    select(TABLE)
    .where(TABLE.c.account_id == ACCOUNT.c.id, TABLE.c.date <= bindparam("start"))
    .order_by(TABLE.c.date.desc())
)
_EDGES = select(
    ACCOUNT.c.id,
    *(_first(_OLDEST, TABLE.c[name]) for name in ("date", "source", "current", "current_high")),
    *(_first(_OPENING, TABLE.c[name]) for name in ("current", "current_high")),
)
# This reads thousands of rows, so it does without the ORM and without `Money` for each of them.
_LATER = (
    select(TABLE.c.account_id, TABLE.c.date, units_of(TABLE.c.current), TABLE.c.current_high)
    .join(ACCOUNT, ACCOUNT.c.id == TABLE.c.account_id)
    .where(TABLE.c.date > bindparam("start"))
    .order_by(TABLE.c.account_id, TABLE.c.date)
)
_IS_USERS = ACCOUNT.c.user_id == bindparam("user_id")
_IS_ACCOUNT = ACCOUNT.c.id == bindparam("account_id")
_OF_USER = _EDGES.where(_IS_USERS), _LATER.where(_IS_USERS)
_OF_ACCOUNT = _EDGES.where(_IS_ACCOUNT), _LATER.where(_IS_ACCOUNT)
