"""At which moment of its day did the bank report a balance?

Nobody says. Most reports hold at the end of their day. But the bank reports at any hour, and counts
rows that it dates on that day, or on one before, only later. So a report is also one from before
the rows that were stored last, or one that counts the first of the next day already, if that makes
it agree with the other reports. Rows are in the order of their ids, in which they were stored.

A report also counts rows that the bank removed later. Pages show no such row, so the balance at the
end of the day is without it, under the same condition.
"""

import datetime
import functools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, bindparam, func, select

from plaidapp import policy
from plaidapp.extensions import db

from ..base.dates import days_later
from ..connections.accounts import Account
from ..transactions.transactions import Transaction

Changes = Callable[[datetime.date], Iterable[Decimal]]
MOST_REMOVED = 6
"""A report is tried without any of the rows that were removed last: 64 ways at most."""


class Report(NamedTuple):
    """What the bank reported on a day, and what rows of later days changed the balance by since.

    `end` is the balance at the end of the day if that is settled already.
    """

    day: datetime.date
    balance: Decimal
    since: Decimal
    end: Decimal | None = None


def ends(reports: Iterable[Report], changes: Changes) -> Iterator[tuple[datetime.date, Decimal]]:
    """Yield each day of a report with the balance at its end; the reports are the newest first.

    `changes` returns, for a day, by how much the balance at its end may differ from a report of
    that day. It is called only if reports don't agree without that.

    The newest report holds at the end of its day. Reports agree if rows lead from one to another.
    As many as possible in a row are made to agree: all of them from the newest on that one balance
    of the newest day fits. With the next begins another row of reports.
    """
    agreeing: list[Report] = []
    fitting: list[Decimal] = []
    for report in reports:
        at_end = report.since + (report.balance if report.end is None else report.end)
        if fitting not in ([], [at_end]):
            possible = {at_end: None}  # in this order
            if report.end is None:
                possible |= dict.fromkeys(at_end + change for change in changes(report.day))
            kept = [balance for balance in fitting if balance in possible]
            if not kept:
                yield from _counted_back(agreeing, fitting[0])
                agreeing = []
            fitting = kept or list(possible)
        elif not fitting:
            fitting = [at_end]
        agreeing.append(report)
    if agreeing:
        yield from _counted_back(agreeing, fitting[0])


def _counted_back(
    reports: Iterable[Report], newest: Decimal
) -> Iterator[tuple[datetime.date, Decimal]]:
    for report in reports:
        yield report.day, newest - report.since


def changes_of(account_id: int, sign: int) -> Changes:
    """Return the function that `ends` takes. `sign` turns an amount into a change of the balance.

    It reads the rows of a few days around the report, and those removed since.
    """

    def changes(day: datetime.date) -> Iterator[Decimal]:
        without = [Decimal(0)]  # for each choice of rows that were removed
        for amount in _removed(account_id, day):
            without += [each - sign * amount for each in without]
        until_end = list(_until_end(account_id, day, sign))
        yield from (removed + change for removed in without for change in until_end)

    return changes


def _until_end(account_id: int, day: datetime.date, sign: int) -> Iterator[Decimal]:
    """Yield what rows may have changed the balance by from a report until the end of its day."""
    values = {
        "account_id": account_id,
        "first": days_later(day, -policy.POSTED_LATE.days),
        "last": days_later(day, policy.DATED_AHEAD.days),
    }
    rows = db.session.execute(_rows(db.engine.dialect.name), values).all()
    change = -sum((sign * amount for date, amount in rows if date > day), Decimal(0))
    yield change
    for _, amount in rows:  # the one that was stored last comes first
        change += sign * amount
        yield change


def _removed(account_id: int, day: datetime.date) -> Iterable[Decimal]:
    """Return the amounts of rows that a report of this day may count although they are removed.

    A sync may find out a day after the bank has removed them.
    """
    values = {
        "account_id": account_id,
        "first": days_later(day, -policy.REMOVED_LATE.days),
        "last": days_later(day, policy.DATED_AHEAD.days),
        "moment": datetime.datetime.combine(days_later(day, -1), datetime.time.min, datetime.UTC),
    }
    return db.session.scalars(_REMOVED, values)


def moves(currency: SQLColumnExpression[Any]) -> tuple[ColumnElement[bool], ...]:
    """The rows that are in a balance: posted ones, in the account's own currency."""
    return Transaction.removed_at.is_(None), *_moved(currency)


def _moved(currency: SQLColumnExpression[Any]) -> tuple[ColumnElement[bool], ...]:
    return (
        Transaction.pending.is_(False),
        func.coalesce(Transaction.currency, currency).is_not_distinct_from(currency),
    )


@functools.cache  # building the statement takes longer than running it
def _rows(_dialect: str) -> Select[datetime.date, Decimal]:
    return (
        select(Transaction.date, Transaction.amount)
        .join(Account, Account.id == Transaction.account_id)
        .where(
            Transaction.account_id == bindparam("account_id"),
            Transaction.date.between(bindparam("first"), bindparam("last")),
            *moves(Account.currency),
        )
        .order_by(Transaction.id.desc())
    )


_REMOVED = (
    select(Transaction.amount)
    .join(Account, Account.id == Transaction.account_id)
    .where(
        Transaction.account_id == bindparam("account_id"),
        Transaction.date.between(bindparam("first"), bindparam("last")),
        Transaction.removed_at >= bindparam("moment"),
        *_moved(Account.currency),
    )
    .order_by(Transaction.removed_at.desc(), Transaction.id.desc())
    .limit(MOST_REMOVED)
)
