"""Which monthly totals match a filter: what they tell before any transaction is read."""

import datetime
from collections.abc import Sequence

from sqlalchemy import Select, func, select

from plaidapp.extensions import Columns, db

from ..base.dates import AccountMonth, month_of
from ..connections.accounts import Account
from . import detailed_totals
from .category_tree import any_of_sql
from .detailed_totals import DetailedTotal
from .filters import Filter
from .monthly_totals import MonthlyTotal

Totals = type[MonthlyTotal] | type[DetailedTotal]


def totals_of(wanted: Filter) -> Totals:
    """Return the totals that tell the filter's categories apart, if they are complete."""
    if wanted.names_detailed and detailed_totals.is_split(wanted.user_id):
        return DetailedTotal
    return MonthlyTotal


def in_accounts_and_months(
    wanted: Filter, query: Select[*Columns], totals: Totals
) -> Select[*Columns]:
    """Limit a query of totals to the filter's accounts, and to the months of its dates."""
    query = _in_any_accounts(wanted, query, totals)
    return query.where(~Account.is_hidden) if wanted.leaves_out_accounts else query


def _in_any_accounts(wanted: Filter, query: Select[*Columns], totals: Totals) -> Select[*Columns]:
    """With hidden accounts."""
    of_accounts = Account.id == totals.account_id, Account.user_id == wanted.user_id
    query = query.where(*of_accounts)
    if wanted.start:
        query = query.where(totals.month >= month_of(wanted.start))
    if wanted.end:
        query = query.where(totals.month <= wanted.end)
    if wanted.item_id:
        query = query.where(Account.item_id == wanted.item_id)
    if wanted.account_ids:
        query = query.where(Account.id.in_(wanted.account_ids))
    return query


def in_categories_and_currencies(
    wanted: Filter, query: Select[*Columns], totals: Totals
) -> Select[*Columns]:
    """Limit a query of totals to the filter's categories and currencies.

    Monthly totals that have yet to be split may have rows of any detailed category.
    """
    if totals is DetailedTotal:
        columns = DetailedTotal.category, DetailedTotal.detailed
        query = query.where(*(any_of_sql(codes, *columns) for codes in wanted.category_sets))
    elif not wanted.names_detailed:
        query = query.where(*(totals.category.in_(codes) for codes in wanted.category_sets))
    if wanted.currencies:
        query = query.where(totals.currency.in_(wanted.currencies))
    return query


def count_rows(wanted: Filter) -> int:
    """Return how many rows the filter's accounts have in its months, with everything hidden.

    A query that reads row by row reads that many.
    """
    query = select(func.sum(MonthlyTotal.count + MonthlyTotal.hidden))
    query = _in_any_accounts(wanted, query, MonthlyTotal)
    return int(db.session.scalar(query) or 0)


def months(wanted: Filter, after: datetime.date | None) -> Sequence[tuple[AccountMonth, int]]:
    """Return the months of accounts with rows in the filter's categories and currencies, and
    how many they have.

    In the order of the filter, starting with the month of the day `after`.
    """
    totals = totals_of(wanted)
    month = totals.month
    query = select(totals.account_id, month, func.sum(totals.count + totals.hidden))
    query = in_accounts_and_months(wanted, query, totals)
    query = in_categories_and_currencies(wanted, query, totals)
    query = query.group_by(totals.account_id, month)
    if after:
        begin = month_of(after)
        query = query.where(month <= begin if wanted.descending else month >= begin)
    order = month.desc() if wanted.descending else month
    found = db.session.execute(query.order_by(order, totals.account_id))
    return [((account_id, first), int(count)) for account_id, first, count in found]
