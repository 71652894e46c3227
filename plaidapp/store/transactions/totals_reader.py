"""What the monthly totals say of a filter before any transaction is looked at."""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from plaidapp.extensions import db

from ..connections.accounts import Account
from . import monthly_totals
from .filters import Filter
from .monthly_totals import Month, MonthlyTotal

_ROWS = MonthlyTotal.count + MonthlyTotal.hidden


def within(wanted: Filter, query: Any) -> Any:
    """The totals of the filter's accounts, and of the months that its days are in."""
    query = query.join(Account, Account.id == MonthlyTotal.account_id)
    query = query.where(Account.user_id == wanted.user_id)
    if wanted.start:
        query = query.where(MonthlyTotal.month >= monthly_totals.month_of(wanted.start))
    if wanted.end:
        query = query.where(MonthlyTotal.month <= wanted.end)
    if wanted.item_id:
        query = query.where(Account.item_id == wanted.item_id)
    if wanted.account_ids:
        query = query.where(Account.id.in_(wanted.account_ids))
    return query


def of_categories(wanted: Filter, query: Any) -> Any:
    if wanted.categories:
        query = query.where(MonthlyTotal.category.in_(wanted.categories))
    return query


def rows(wanted: Filter) -> int:
    """How many rows, hidden ones too, are in the accounts and the months that are meant."""
    return int(db.session.scalar(within(wanted, select(func.sum(_ROWS)))) or 0)


def months(wanted: Filter, after: datetime.date | None) -> Sequence[tuple[Month, int]]:
    """The months of accounts that have rows of the filter's categories, and how many.

    In the order of the filter, from the month of the day `after` on.
    """
    month = MonthlyTotal.month
    query: Any = select(MonthlyTotal.account_id, month, func.sum(_ROWS))
    query = of_categories(wanted, within(wanted, query)).group_by(MonthlyTotal.account_id, month)
    if after:
        begin = monthly_totals.month_of(after)
        query = query.where(month <= begin if wanted.descending else month >= begin)
    order = month.desc() if wanted.descending else month
    found = db.session.execute(query.order_by(order, MonthlyTotal.account_id))
    return [((account_id, first), int(count)) for account_id, first, count in found]
