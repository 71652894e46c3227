"""Carry a person's edits over to the row that replaces an edited one."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, update
from sqlalchemy.orm import aliased

from plaidapp.extensions import db

from ..base.writes import in_batches, write
from .edits import FIELDS, EditRow
from .former_rows import FormerRow
from .ingest import Row
from .transactions import Transaction

PENDING = aliased(Transaction)
_AN_EDITED_ONE = (
    select(Transaction.id)
    .where(
        Transaction.item_id == bindparam("item_id"),
        Transaction.plaid_transaction_id.in_(bindparam("plaid_ids", expanding=True)),
        Transaction.edited_at.is_not(None),
    )
    .limit(1)
)


def carry(item_id: int, posted: Iterable[Row]) -> None:
    """Copy a person's edits of pending rows to the posted rows that replace them.

    Plaid gives a transaction a new id when it posts and names the old one:
    https://plaid.com/docs/transactions/transactions-data/#reconciling-transactions
    """
    replacing = [row for row in posted if row.pending_transaction_id]
    for rows in in_batches(replacing):
        named = [row.pending_transaction_id for row in rows]
        if db.session.scalar(_AN_EDITED_ONE, {"item_id": item_id, "plaid_ids": named}) is None:
            continue  # as most often, and looking takes less time than the two statements
        _copy(
            Transaction.item_id == item_id,
            Transaction.plaid_transaction_id.in_([row.plaid_transaction_id for row in rows]),
            PENDING.item_id == item_id,
            PENDING.plaid_transaction_id == Transaction.pending_transaction_id,
        )


def carry_to(pending_id: int, posted_id: int) -> None:
    """Copy the edits of one pending row to the row that it became in the same account."""
    _copy(
        Transaction.id == posted_id,
        PENDING.id == pending_id,
        PENDING.account_id == Transaction.account_id,
    )


def carry_merged(account_id: int) -> None:
    """Copy the edits of an account's rows to the rows that have their names now."""
    _copy(
        PENDING.account_id == account_id,
        FormerRow.item_id == PENDING.item_id,
        FormerRow.plaid_transaction_id == PENDING.plaid_transaction_id,
        FormerRow.transaction_id == Transaction.id,
    )


def _copy(*pairs: ColumnElement[bool]) -> None:
    """Copy edits, and what undoing them needs, from PENDING to Transaction rows without edits."""
    matches = *pairs, Transaction.edited_at.is_(None), PENDING.edited_at.is_not(None)
    copied = aliased(EditRow)  # a sync from the beginning may come to the same row again
    known = exists().where(
        copied.edit_id == EditRow.edit_id, copied.transaction_id == Transaction.id
    )
    before = (getattr(EditRow, name) for name in FIELDS)
    rows = select(EditRow.edit_id, Transaction.id, *before)
    rows = rows.where(*matches, EditRow.transaction_id == PENDING.id, ~known)
    write(insert(EditRow).from_select(["edit_id", "transaction_id", *FIELDS], rows))
    values = {name: getattr(PENDING, name) for name in FIELDS}
    write(update(Transaction).where(*matches).values(values))
