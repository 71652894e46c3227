"""Compute an account's balance on days for which the bank reported none.

The balance at the end of a day is the next reported balance, less what posted in between. This is
exact for depository and credit accounts, whose `current` leaves pending transactions out. What
other accounts hold is not the sum of their transactions, so nothing is computed for them.
https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select

from plaidapp.extensions import db

from ..base.dates import days_later
from ..base.sums import joined, money_sum, split
from ..base.upsert import upsert
from ..base.writes import write
from ..connections.account_types import CREDIT, DEPOSITORY, is_debt
from ..connections.accounts import Account
from ..connections.balances import BANK, COMPUTED, TABLE, Balance
from ..transactions.transactions import Transaction

COMPUTED_TYPES = (DEPOSITORY, CREDIT)


class Stretch(NamedTuple):
    """The part of an account's history after the balance that the bank reported on the day `since`.

    `sign` is what reverses a transaction: money out lowers a balance, but raises a debt.
    """

    account_id: int
    sign: int
    currency: str | None
    since: datetime.date


def refresh(earliest: Mapping[int, datetime.date]) -> None:
    """Update the computed rows of accounts.

    `earliest` has the first day of each account on which a transaction or a reported balance has
    changed. The days before it depend on it too, back to the previous reported balance.
    """
    for stretch in _stretches(earliest) if earliest else ():
        stored, computed = _stored(stretch), _computed(stretch)
        obsolete = [date for date in stored if date not in computed]
        if obsolete:
            write(
                delete(Balance).where(
                    Balance.account_id == stretch.account_id, Balance.date.in_(obsolete)
                )
            )
        shared = {"account_id": stretch.account_id, "source": COMPUTED}
        changed = [
            (date, *split(total)) for date, total in computed.items() if stored.get(date) != total
        ]
        upsert(
            TABLE,
            ("account_id", "date"),
            [
                {"date": date, "current": low, "current_high": high, **shared}
                for date, low, high in changed
            ],
        )


def wrong(account_ids: Iterable[int]) -> set[int]:
    """Return the accounts whose computed rows are not what they should be."""
    return {
        stretch.account_id
        for stretch in _stretches(dict.fromkeys(account_ids, datetime.date.min))
        if _stored(stretch) != _computed(stretch)
    }


def _stretches(earliest: Mapping[int, datetime.date]) -> Iterator[Stretch]:
    query = select(Account.id, Account.type, Account.currency).where(
        Account.id.in_(earliest), Account.type.in_(COMPUTED_TYPES)
    )
    for account_id, account_type, currency in db.session.execute(query.order_by(Account.id)).all():
        previous = select(func.max(Balance.date)).where(
            Balance.account_id == account_id,
            Balance.source == BANK,
            Balance.date < earliest[account_id],
        )
        since = db.session.scalar(previous) or datetime.date.min
        yield Stretch(account_id, -1 if is_debt(account_type) else 1, currency, since)


def _stored(stretch: Stretch) -> dict[datetime.date, Decimal]:
    return _balances(stretch, Balance.source == COMPUTED, Balance.date > stretch.since)


def _reported(stretch: Stretch) -> dict[datetime.date, Decimal]:
    return _balances(stretch, Balance.source == BANK, Balance.date >= stretch.since)


def _balances(stretch: Stretch, *conditions: ColumnElement[bool]) -> dict[datetime.date, Decimal]:
    query = select(Balance.date, Balance.current, Balance.current_high).where(
        Balance.account_id == stretch.account_id, *conditions
    )
    return {date: joined(low, high) for date, low, high in db.session.execute(query)}


def _posted(stretch: Stretch) -> dict[datetime.date, Decimal]:
    """Return the sum of each day's rows that moved money of the account."""
    currency = func.coalesce(Transaction.currency, stretch.currency)
    query = select(Transaction.date, money_sum(Transaction.amount)).where(
        Transaction.account_id == stretch.account_id,
        Transaction.date > stretch.since,
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(False),
        currency.is_not_distinct_from(stretch.currency),
    )
    rows = db.session.execute(query.group_by(Transaction.date))
    return {date: amount for date, amount in rows}  # noqa: C416


def _computed(stretch: Stretch) -> dict[datetime.date, Decimal]:
    """Return the rows that should be stored: one for each day on which the balance changes."""
    posted, reported = _posted(stretch), _reported(stretch)
    days = posted.keys() | reported.keys()
    # If the rows don't explain two reports, the step shows on the day after the older one.
    days |= {days_later(date, 1) for date in reported}
    if posted:  # the history begins on the day before its first row
        days.add(days_later(min(posted), -1))
    balance: Decimal | None = None  # days after the newest report cannot be computed yet
    at_end: dict[datetime.date, Decimal] = {}
    for date in sorted(days, reverse=True):
        balance = reported.get(date, balance)
        if balance is not None:
            at_end[date] = balance
            balance += stretch.sign * posted.get(date, 0)
    return dict(_steps(stretch, at_end, reported))


def _steps(
    stretch: Stretch,
    at_end: dict[datetime.date, Decimal],
    reported: Collection[datetime.date],
) -> Iterator[tuple[datetime.date, Decimal]]:
    """Yield the days after `since` without a report on which the balance differs from before."""
    before = None
    for date in reversed(at_end):
        balance = at_end[date]
        if balance != before and date > stretch.since and date not in reported:
            yield date, balance
        before = balance
