"""The balance of an account after each row of a list, as on a bank statement.

It starts from the balance at the end of a row's day (balance_history.py), so a page needs the same
few statements however long the history is. All balances are as a person counts them: what is owed
is negative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select

from plaidapp.extensions import db

from ..base.sums import joined, money_sum
from ..connections.accounts import Account
from ..connections.balances import Balance
from ..transactions.transactions import Transaction
from .balance_history import COMPUTED_TYPES


@dataclass(frozen=True, slots=True)
class Running:
    """`after` is the balance after a row, by its id. A row that is pending, that is in another
    currency, or that no balance reaches has none.

    `steps` are changes of the balance that no row explains. Each took place before the row below it
    in the list and after the row above it; it has the id of the row below. `opening` is the balance
    before the last row.
    """

    after: Mapping[int, Decimal] = field(default_factory=dict)
    steps: Mapping[int, Decimal] = field(default_factory=dict)
    opening: Decimal | None = None


def has_balances(account: Account) -> bool:
    """Return True if the account's rows add up to its balance."""
    return account.type in COMPUTED_TYPES


def counts(account: Account, row: Transaction) -> bool:
    """Return True if the account's balance contains the row, whose account it is."""
    return not row.pending and (row.currency or account.currency) == account.currency


def running(
    account: Account, rows: Sequence[Transaction], below: Transaction | None, *, is_first: bool
) -> Running:
    """Return the balance after each of `rows`: a page of the account's rows, newest first.

    The page leaves out no row of the account, hidden ones neither. `below` is the first row of the
    next page. `is_first` says that no row comes before the page.
    """
    if not rows or not has_balances(account):
        return Running()
    sign = -1 if account.is_debt else 1
    newest = db.session.execute(_NEWEST, {"account_id": account.id}).first()
    if newest is None:
        return Running()
    listed = [*rows, below] if below else rows
    first_of_days = [next(group).id for _, group in groupby(listed, key=lambda row: row.date)]
    closing = {
        day: sign * joined(low, high)
        for day, low, high in db.session.execute(_CLOSING, {"ids": first_of_days})
        if low is not None and day <= newest.date
    }
    balance = sign * joined(newest.current, newest.current_high) if is_first else None
    later = Decimal(0) if is_first else _sum_above(account, rows[0])
    after: dict[int, Decimal] = {}
    steps: dict[int, Decimal] = {}
    for day, group in groupby(rows, key=lambda row: row.date):
        of_day = list(group)
        balance = _at_end_of(closing.get(day), balance, of_day[0], steps)
        if balance is not None:
            balance += later
        later = Decimal(0)
        for row in of_day:
            if balance is not None and day in closing and counts(account, row):
                after[row.id] = balance
                balance += row.amount
    if below and below.date != rows[-1].date:
        _at_end_of(closing.get(below.date), balance, below, steps)
    return Running(after, steps, balance if rows[-1].date in closing else None)


def after(row: Transaction) -> Decimal | None:
    """Return the balance after this row alone, whose account is loaded; None if it has none."""
    return running(row.account, [row], None, is_first=False).after.get(row.id)


def _at_end_of(
    closing: Decimal | None, balance: Decimal | None, row: Transaction, steps: dict[int, Decimal]
) -> Decimal | None:
    """Return the balance at the end of the row's day. `balance` is what it was before the day after
    that: if they differ, the difference is a step above the row."""
    if closing is None:
        return balance
    if balance is not None and balance != closing:
        steps[row.id] = balance - closing
    return closing


def _sum_above(account: Account, first: Transaction) -> Decimal:
    """Return the sum of the rows of the day that come before the page's first row."""
    values = {"account_id": account.id, "day": first.date, "id": first.id}
    query = select(money_sum(Transaction.amount)).where(
        Transaction.account_id == bindparam("account_id"),
        Transaction.date == bindparam("day"),
        Transaction.id > bindparam("id"),
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(False),
        _in_its_currency(account),
    )
    return db.session.scalar(query, values) or Decimal(0)


def _in_its_currency(account: Account) -> ColumnElement[bool]:
    own = account.currency
    return func.coalesce(Transaction.currency, own).is_not_distinct_from(own)


def _at(column: Any) -> ScalarSelect[Any]:
    """The column of the balance at the end of a transaction's day."""
    return (
        select(column)
        .where(Balance.account_id == Transaction.account_id, Balance.date <= Transaction.date)
        .order_by(Balance.date.desc())
        .limit(1)
        .correlate(Transaction)
        .scalar_subquery()
    )


_NEWEST = (
    select(Balance.date, Balance.current, Balance.current_high)
    .where(Balance.account_id == bindparam("account_id"))
    .order_by(Balance.date.desc())
    .limit(1)
)
_CLOSING = select(Transaction.date, _at(Balance.current), _at(Balance.current_high)).where(
    Transaction.id.in_(bindparam("ids", expanding=True))
)


class Pending(NamedTuple):
    """How many rows are pending, and what they add up to in Plaid's sign: positive is money out."""

    rows: int
    amount: Decimal


def pending(account: Account) -> Pending:
    """Return what is pending in the account's own currency."""
    query = select(func.count(), money_sum(Transaction.amount)).where(
        Transaction.user_id == account.user_id,
        Transaction.account_id == account.id,
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(True),
        _in_its_currency(account),
    )
    count, total = db.session.execute(query).one()
    return Pending(count, total or Decimal(0))
