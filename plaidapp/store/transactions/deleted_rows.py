"""Deleting the transactions of a connection, in parts that are short enough to block nobody."""

from sqlalchemy import delete, select

from plaidapp.extensions import db

from ..base.dates import month_of
from ..base.sums import units_of
from ..base.writes import in_batches, write
from ..connections import accounts
from . import monthly_refresh, transfers
from .transactions import Transaction


def delete_some(user_id: int, item_id: int, most: int) -> int:
    """Delete up to `most` rows of the Item's accounts, of each account the newest first.

    The edits of a row go with it. Totals and matched transfers are right afterwards. Returns how
    many rows it deleted; 0 once none are left. The caller has locked the ledger.
    """
    for account_id in accounts.ids_of_item(item_id).values():
        if count := _delete_some(user_id, account_id, most):
            return count
    return 0


def _delete_some(user_id: int, account_id: int, most: int) -> int:
    columns = Transaction.id, Transaction.date, units_of(Transaction.size)
    query = select(*columns, Transaction.other_side_id).where(Transaction.account_id == account_id)
    rows = db.session.execute(query.order_by(Transaction.date.desc()).limit(most)).all()
    for ids in in_batches([row_id for row_id, *_ in rows]):
        write(delete(Transaction).where(Transaction.id.in_(ids)))
    matched = [(day, size) for _, day, size, other_side in rows if other_side is not None]
    days = transfers.match(user_id, {day for day, _ in matched}, {size for _, size in matched})
    months = {(account_id, month_of(day)) for _, day, _, _ in rows}
    monthly_refresh.refresh(months | {(number, month_of(day)) for number, day in days})
    return len(rows)
