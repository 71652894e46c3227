"""Compute an account's balance on days for which the bank reported none.

The balance at the end of a day is the next reported balance, less what posted in between. This is
exact for depository and credit accounts, whose `current` leaves pending transactions out. What
other accounts hold is not the sum of their transactions, so nothing is computed for them.
https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Select,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)

from plaidapp.extensions import db

from ..base.dates import days_later_sql
from ..base.sums import capped, sum_of, units_of
from ..base.types import Money
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
            {"date": date, "current": current, **shared}
            for date, current in computed.items()
            if stored.get(date) != current
        ]
        upsert(TABLE, ("account_id", "date"), changed)


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
    query = select(Balance.date, Balance.current).where(
        Balance.account_id == stretch.account_id,
        Balance.source == COMPUTED,
        Balance.date > stretch.since,
    )
    return {date: current for date, current in db.session.execute(query)}  # noqa: C416


def _computed(stretch: Stretch) -> dict[datetime.date, Decimal]:
    """Return the rows that should be stored: one for each day on which the balance changes."""
    day = _days(stretch).subquery()
    # Counting reported balances from the newest day back numbers the groups of days that depend on
    # the same one. In each group, the latest day is the one with the reported balance.
    report = func.count(day.c.reported).over(order_by=day.c.date.desc())
    grouped = select(day, report.label("report")).subquery()
    over: dict[str, Any] = {"partition_by": grouped.c.report, "order_by": grouped.c.date.desc()}
    reported = func.first_value(grouped.c.reported).over(**over)
    later = func.coalesce(sum_of(grouped.c.amount, **over, rows=(None, -1)), 0)
    current = capped(reported + stretch.sign * later)
    valued = (
        select(grouped.c.date, grouped.c.reported, current.label("current"))
        .where(grouped.c.report > 0)  # days after the newest report cannot be computed yet
        .subquery()
    )
    before = func.lag(valued.c.current).over(order_by=valued.c.date)
    steps = select(valued, before.label("before")).subquery()
    query = select(steps.c.date, type_coerce(steps.c.current, Money)).where(
        steps.c.date > stretch.since,
        steps.c.reported.is_(None),
        steps.c.current.is_distinct_from(steps.c.before),
    )
    return {date: current for date, current in db.session.execute(query)}  # noqa: C416


def _days(stretch: Stretch) -> Select[Any]:
    """Return the days on which the balance may change, with the amount posted and the balance
    reported on each."""
    posted = _posted(stretch)
    reports = select(Balance).where(
        Balance.account_id == stretch.account_id,
        Balance.source == BANK,
        Balance.date >= stretch.since,
    )
    no_amount, no_report = literal(0).label("amount"), cast(null(), BigInteger).label("reported")
    part = union_all(
        posted.with_only_columns(
            Transaction.date, sum_of(units_of(Transaction.amount)).label("amount"), no_report
        ).group_by(Transaction.date),
        reports.with_only_columns(
            Balance.date, no_amount, units_of(Balance.current).label("reported")
        ),
        # If the rows don't explain two reports, the step shows on the day after the older one.
        reports.with_only_columns(days_later_sql(Balance.date, 1), no_amount, no_report),
        # The history begins on the day before its first row.
        posted.with_only_columns(
            days_later_sql(func.min(Transaction.date), -1), no_amount, no_report
        ),
    ).subquery()
    return (
        select(
            part.c.date,
            func.sum(part.c.amount).label("amount"),
            func.max(part.c.reported).label("reported"),
        )
        .where(part.c.date.is_not(None))
        .group_by(part.c.date)
    )


def _posted(stretch: Stretch) -> Select[Any]:
    currency = func.coalesce(Transaction.currency, stretch.currency)
    return select(Transaction).where(
        Transaction.account_id == stretch.account_id,
        Transaction.date > stretch.since,
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(False),
        currency.is_not_distinct_from(stretch.currency),
    )
