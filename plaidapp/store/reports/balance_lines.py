"""Read balances as lines over time, for charts and sparklines."""

import datetime
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, bindparam, select

from plaidapp.bank.amounts import UNIT
from plaidapp.extensions import db

from ..base.sums import joined, units_of
from ..connections.accounts import TABLE as ACCOUNT
from ..connections.balances import TABLE

AT_ONCE = 500
"""Rows. One by one, reading takes twice as long, and all of them together would keep Python
collecting garbage."""


@dataclass(frozen=True, slots=True)
class Line:
    """One account's balance over time, in its own currency and Plaid's sign.

    `known_from` is the first day with a known balance, and `source` tells whether the bank reported
    it or it was computed. Before that day, the line stays at the first value: nothing is invented.

    `units` and `highs` are the two columns of the balance that begins on each of `dates`. Ten years
    have thousands of them, and a chart shows a few hundred, so only those become Decimals.
    """

    known_from: datetime.date
    source: str
    dates: list[datetime.date]
    units: list[int]
    highs: list[int]

    @property
    def latest(self) -> Decimal:
        return self._balance(-1)

    def at(self, days: Sequence[datetime.date]) -> list[Decimal]:
        """Return the balance at the end of each day."""
        return [self._balance(max(bisect_right(self.dates, day), 1) - 1) for day in days]

    def _balance(self, step: int) -> Decimal:
        return joined(self.units[step] * UNIT, self.highs[step])


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
    found = {}
    for account_id, known_from, source, *earliest, opens_with, opens_high in edges:
        if known_from is not None:
            units, high = earliest if opens_with is None else (opens_with, opens_high)
            first = [min(start, known_from)], [units], [high]
            found[account_id] = Line(min(known_from, today), source, *first)
    for rows in db.session.execute(later_of, values).partitions(AT_ONCE):
        for account_id, date, units, high in rows:
            if line := found.get(account_id):  # none if its first balance has just been stored
                line.dates.append(min(date, today))
                line.units.append(units)
                line.highs.append(high)
    return found


def _first(query: Select[Any], column: ColumnElement[Any]) -> ScalarSelect[Any]:
    return query.with_only_columns(column).limit(1).scalar_subquery()


_OLDEST = select(TABLE).where(TABLE.c.account_id == ACCOUNT.c.id).order_by(TABLE.c.date)
_OPENING = (
    select(TABLE)
    .where(TABLE.c.account_id == ACCOUNT.c.id, TABLE.c.date <= bindparam("start"))
    .order_by(TABLE.c.date.desc())
)
_BALANCE = units_of(TABLE.c.current), TABLE.c.current_high
_EDGES = select(
    ACCOUNT.c.id,
    *(_first(_OLDEST, column) for column in (TABLE.c.date, TABLE.c.source, *_BALANCE)),
    *(_first(_OPENING, column) for column in _BALANCE),
)
_LATER = (
    select(TABLE.c.account_id, TABLE.c.date, *_BALANCE)
    .join(ACCOUNT, ACCOUNT.c.id == TABLE.c.account_id)
    .where(TABLE.c.date > bindparam("start"))
    .order_by(TABLE.c.account_id, TABLE.c.date)
)
_IS_USERS = ACCOUNT.c.user_id == bindparam("user_id")
_IS_ACCOUNT = ACCOUNT.c.id == bindparam("account_id")
_OF_USER = _EDGES.where(_IS_USERS), _LATER.where(_IS_USERS)
_OF_ACCOUNT = _EDGES.where(_IS_ACCOUNT), _LATER.where(_IS_ACCOUNT)
