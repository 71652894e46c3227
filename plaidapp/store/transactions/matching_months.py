"""Which monthly totals match a filter: what they tell before any transaction is read."""

import datetime
from collections.abc import Sequence

from sqlalchemy import Select, func, select

from plaidapp.extensions import Columns, db

from ..base.dates import AccountMonth, month_of
from ..connections.accounts import Account
from .category_tree import primary_of
from .filters import Filter
from .monthly_totals import MonthlyTotal

_ROWS = MonthlyTotal.count + MonthlyTotal.hidden


def in_accounts_and_months(wanted: Filter, query: Select[*Columns]) -> Select[*Columns]:
    """Limit a query of totals to the filter's accounts, and to the months of its dates."""
    query = _in_any_accounts(wanted, query)
    return query.where(~Account.is_hidden) if wanted.leaves_out_accounts else query


def _in_any_accounts(wanted: Filter, query: Select[*Columns]) -> Select[*Columns]:
    """With hidden accounts."""
    query = query.join(Account, Account.id == MonthlyTotal.account_id)
    query = query.where(Account.user_id == wanted.user_id)
    if wanted.start:
        query = query.where(MonthlyTotal.month >= month_of(wanted.start))
    if wanted.end:
        query = query.where(MonthlyTotal.month <= wanted.end)
    if wanted.item_id:
        query = query.where(Account.item_id == wanted.item_id)
    if wanted.account_ids:
        query = query.where(Account.id.in_(wanted.account_ids))
    return query


def in_categories_and_currencies(wanted: Filter, query: Select[*Columns]) -> Select[*Columns]:
    """Limit a query of totals to the filter's categories and currencies."""
    if wanted.categories:
        codes = {*wanted.categories, *map(primary_of, wanted.categories)}
        query = query.where(MonthlyTotal.category.in_(codes))
    if wanted.currencies:
        query = query.where(MonthlyTotal.currency.in_(wanted.currencies))
    return query


def count_rows(wanted: Filter) -> int:
    """Return how many rows the filter's accounts have in its months, with everything hidden.

    A query that reads row by row reads that many.
    """
    query = _in_any_accounts(wanted, select(func.sum(_ROWS)))
    return int(db.session.scalar(query) or 0)


def months(wanted: Filter, after: datetime.date | None) -> Sequence[tuple[AccountMonth, int]]:
    """Return the months of accounts with rows in the filter's categories and currencies, and
    how many they have.

    In the order of the filter, starting with the month of the day `after`.
    """
    month = MonthlyTotal.month
    query = select(MonthlyTotal.account_id, month, func.sum(_ROWS))
    query = in_categories_and_currencies(wanted, in_accounts_and_months(wanted, query))
    query = query.group_by(MonthlyTotal.account_id, month)
    if after:
        begin = month_of(after)
        query = query.where(month <= begin if wanted.descending else month >= begin)
    order = month.desc() if wanted.descending else month
    found = db.session.execute(query.order_by(order, MonthlyTotal.account_id))
    return [((account_id, first), int(count)) for account_id, first, count in found]
