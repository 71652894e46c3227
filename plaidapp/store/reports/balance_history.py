"""Compute an account's balance at the end of each day.

It is the next balance that the bank reported, less what posted in between. Rows may also have
posted after a report, on its own day (report_times.py). This is exact for depository and credit
accounts, whose `current` leaves pending transactions out. What other accounts hold is not the sum
of their transactions, so nothing is computed for them.
https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, Date, Select, bindparam, delete, func, literal, select, tuple_

from plaidapp import policy
from plaidapp.extensions import db

from ..base.dates import days_later, month_of
from ..base.sums import joined, money_sum, split
from ..base.upsert import upsert
from ..base.writes import in_batches, write
from ..connections.account_types import CREDIT, DEPOSITORY, is_debt
from ..connections.accounts import Account
from ..connections.balances import BANK, COMPUTED, SAID, TABLE, Balance
from ..transactions.transactions import Transaction
from . import report_times
from .report_times import Changes, Report

COMPUTED_TYPES = (DEPOSITORY, CREDIT)
Amounts = dict[datetime.date, Decimal]


@dataclass
class Stretch:
    """A part of an account's history: what posted on each day, and the balances that are stored.

    `sign` is what reverses a transaction: money out lowers a balance, but raises a debt. `reported`
    has what the bank said, and `ends` the balances that are stored for the ends of those days. Of
    days in `settled`, these stay.
    """

    account_id: int
    sign: int
    posted: Amounts = field(default_factory=dict)
    reported: Amounts = field(default_factory=dict)
    ends: Amounts = field(default_factory=dict)
    computed: Amounts = field(default_factory=dict)
    settled: set[datetime.date] = field(default_factory=set)

    @property
    def changes(self) -> Changes:
        return report_times.changes_of(self.account_id, -self.sign)

    def right(self) -> tuple[Amounts, Amounts]:
        """Return what `ends` and `computed` should be.

        A computed balance is stored for each day on which the balance changes.
        """
        ends = dict(report_times.ends(self._reports(), self.changes))
        steps: Amounts = {}
        before: Decimal | None = None
        for date, balance in reversed(list(self._balances(ends))):
            if balance != before and date not in ends:
                steps[date] = balance
            before = balance
        return ends, steps

    def _reports(self) -> Iterator[Report]:
        """Yield what the bank reported, the newest first."""
        since, newest = Decimal(0), max(self.reported, default=datetime.date.min)
        for day in sorted(self.posted.keys() | self.reported.keys(), reverse=True):
            if day in self.reported:
                end = self.ends[day] if day in self.settled else None
                yield Report(day, self.reported[day], since, end)
            if day <= newest:
                since -= self.sign * self.posted.get(day, 0)

    def _balances(self, ends: Amounts) -> Iterator[tuple[datetime.date, Decimal]]:
        """Yield the balance of each day on which it may change, newest first."""
        days = self.posted.keys() | ends.keys()
        # If the rows don't explain two reports, the step shows on the day after the older one.
        days |= {days_later(date, 1) for date in ends}
        if self.posted:  # the history begins on the day before its first row
            days.add(days_later(min(self.posted), -1))
        balance: Decimal | None = None  # days after the newest report cannot be computed yet
        for date in sorted(days, reverse=True):
            balance = ends.get(date, balance)
            if balance is not None:
                yield date, balance
                balance += self.sign * self.posted.get(date, 0)


def refresh(earliest: Mapping[int, datetime.date]) -> None:
    """Update the computed rows of accounts, in a few statements for each batch of them.

    `earliest` has the first day of each account on which a transaction or a reported balance has
    changed. The days before it depend on it too, back to the previous reported balance.
    """
    accounts_of: defaultdict[datetime.date, list[int]] = defaultdict(list)
    for account_id, day in earliest.items():
        accounts_of[month_of(day)].append(account_id)  # a few days more, in fewer batches
    for start, account_ids in accounts_of.items():
        for ids in in_batches(account_ids):
            _refresh(_stretches(ids, start))


def _refresh(stretches: Mapping[int, Stretch]) -> None:
    obsolete: list[tuple[int, datetime.date]] = []
    changed: list[dict[str, Any]] = []
    for account_id, stretch in stretches.items():
        ends, computed = stretch.right()
        obsolete += [(account_id, date) for date in stretch.computed if date not in computed]
        changed += [
            _row(account_id, date, balance)
            for date, balance in computed.items()
            if stretch.computed.get(date) != balance
        ]
        changed += [
            _row(account_id, date, balance, stretch.reported[date])
            for date, balance in ends.items()
            if stretch.ends[date] != balance
        ]
    for keys in in_batches(obsolete):
        write(delete(Balance).where(tuple_(Balance.account_id, Balance.date).in_(keys)))
    is_new = not any(stretch.computed for stretch in stretches.values())
    upsert(TABLE, ("account_id", "date"), changed, new=is_new)


def _row(
    account_id: int, date: datetime.date, balance: Decimal, reported: Decimal | None = None
) -> dict[str, Any]:
    low, high = split(balance)
    return {
        "account_id": account_id,
        "date": date,
        "source": COMPUTED if reported is None else BANK,
        "current": low,
        "current_high": high,
        "reported": None if reported == balance else reported,
    }


def wrong(account_ids: Iterable[int]) -> set[int]:
    """Return the accounts whose history is not what it may be.

    Where rows allow several moments for a report, the one that was chosen first is right.
    """
    found: set[int] = set()
    for ids in in_batches(list(account_ids)):
        for account_id, stretch in _stretches(ids, datetime.date.min).items():
            stretch.settled = {
                day
                for day, end in stretch.ends.items()
                if end == stretch.reported[day]
                or end - stretch.reported[day] in stretch.changes(day)
            }
            if stretch.right() != (stretch.ends, stretch.computed):
                found.add(account_id)
    return found


def _stretches(account_ids: Sequence[int], start: datetime.date) -> dict[int, Stretch]:
    """Return the accounts' history as far back as a change on the day `start` can matter.

    It begins with a balance that the bank reported before, and that stays.
    """
    first = days_later(start, -policy.POSTED_LATE.days)
    values = {"account_ids": account_ids, "start": first}
    stretches = {
        account_id: Stretch(account_id, -1 if is_debt(account_type) else 1)
        for account_id, account_type in db.session.execute(_ACCOUNTS, values)
    }
    for account_id, date, amount in db.session.execute(_posted(db.engine.dialect.name), values):
        stretches[account_id].posted[date] = amount
    for account_id, date, source, low, high, said in db.session.execute(_BALANCES, values):
        stretch, balance = stretches[account_id], joined(low, high)
        if source == COMPUTED:
            stretch.computed[date] = balance
            continue
        stretch.ends[date] = balance
        stretch.reported[date] = said
        if date < first:
            stretch.settled.add(date)
    return stretches


_ACCOUNTS = select(Account.id, Account.type).where(
    Account.id.in_(bindparam("account_ids", expanding=True)), Account.type.in_(COMPUTED_TYPES)
)


def _since() -> CTE:
    """Return, for each account, the day of the balance that its stretch begins with."""
    previous = select(func.max(Balance.date)).where(
        Balance.account_id == Account.id,
        Balance.source == BANK,
        Balance.date < bindparam("start", type_=Date),
    )
    day = previous.correlate(Account).scalar_subquery()
    since = func.coalesce(day, literal(datetime.date.min)).label("since")
    columns = Account.id, Account.currency.label("currency"), since
    # Without MATERIALIZED, PostgreSQL might look for that day once for each transaction.
    return _ACCOUNTS.with_only_columns(*columns).cte("stretch").prefix_with("MATERIALIZED")


_SINCE = _since()
_BALANCES = (
    select(
        *(Balance.account_id, Balance.date, Balance.source),
        *(Balance.current, Balance.current_high, SAID),
    )
    .join(_SINCE, _SINCE.c.id == Balance.account_id)
    .where(Balance.date >= _SINCE.c.since)
)


@functools.cache  # building the statement takes longer than running it
def _posted(_dialect: str) -> Select[Any]:
    """Return a statement for each dialect, because `money_sum` differs between them."""
    key = Transaction.account_id, Transaction.date
    return (
        select(*key, money_sum(Transaction.amount))
        .join(_SINCE, _SINCE.c.id == Transaction.account_id)
        .where(
            Transaction.date > _SINCE.c.since,
            *report_times.moves(_SINCE.c.currency),
        )
        .group_by(*key)
    )
