"""Which rows of a filter its totals count: what was earned or spent, and what it asks for by name.

A filter asks for transfers with the scope "all" or with categories, and for accounts that nobody
spends from with the scope "all" or with accounts.
"""

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, select, true

from ..connections.accounts import Account
from .categories import SPENDING_TYPES, is_transfer, not_transfer_sql, spending_account_sql
from .filters import Filter
from .transactions import Transaction


def counts(wanted: Filter, row: Transaction) -> bool:
    """Return True if the totals count this row of the filter, whose account is loaded."""
    return (_has_transfers(wanted) or not is_transfer(row.category)) and (
        _has_all_accounts(wanted) or row.account.type in SPENDING_TYPES
    )


def counts_row_sql(wanted: Filter) -> ColumnElement[bool]:
    """In SQL, what `counts` returns."""
    spending = select(Account.id).where(
        Account.user_id == wanted.user_id, spending_account_sql(Account.type)
    )
    return _counts_sql(wanted, Transaction.category, Transaction.account_id.in_(spending))


def counts_month_sql(
    wanted: Filter, category: SQLColumnExpression[str], account_type: SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """In SQL, the condition that the totals count the rows of a monthly total."""
    return _counts_sql(wanted, category, spending_account_sql(account_type))


def _counts_sql(
    wanted: Filter, category: SQLColumnExpression[str], is_spent_from: ColumnElement[bool]
) -> ColumnElement[bool]:
    return and_(
        true() if _has_transfers(wanted) else not_transfer_sql(category),
        true() if _has_all_accounts(wanted) else is_spent_from,
    )


def _has_transfers(wanted: Filter) -> bool:
    return wanted.scope != "listed" or bool(wanted.categories)


def _has_all_accounts(wanted: Filter) -> bool:
    return wanted.scope != "listed" or bool(wanted.account_ids)
