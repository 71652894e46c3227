"""Balances as lines over time, for charts and sparklines."""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ScalarSelect, select

from plaidapp.extensions import db

from .accounts import Account
from .balances import Balance


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
    first = select(Balance).where(Balance.account_id == Account.id).order_by(Balance.date)
    opening = (
        select(Balance)
        .where(Balance.account_id == Account.id, Balance.date <= start)
        .order_by(Balance.date.desc())
    )
    edges = db.session.execute(
        select(
            Account.id,
            _one(first, Balance.date),
            _one(first, Balance.current),
            _one(first, Balance.source),
            _one(opening, Balance.current),
        ).where(Account.user_id == user_id)
    ).all()
    later = (
        select(Balance.account_id, Balance.date, Balance.current)
        .join(Account, Account.id == Balance.account_id)
        .where(Account.user_id == user_id, Balance.date > start)
        .order_by(Balance.account_id, Balance.date)
    )
    steps = defaultdict(list)
    for account_id, known_from, earliest, _source, opens_with in edges:
        if known_from is not None:
            opens = earliest if opens_with is None else opens_with
            steps[account_id].append((min(start, known_from), opens))
    for account_id, date, current in db.session.execute(later):
        steps[account_id].append((date, current))
    return {
        account_id: Line(known_from, source, steps[account_id])
        for account_id, known_from, _earliest, source, _opens_with in edges
        if known_from is not None
    }


def _one(query: Any, column: Any) -> ScalarSelect[Any]:
    one: ScalarSelect[Any] = query.with_only_columns(column).limit(1).scalar_subquery()
    return one
