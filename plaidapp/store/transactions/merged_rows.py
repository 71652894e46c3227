"""The transactions of accounts that become one account, or two again.

A merge keeps one of two equal rows and the names and edits of both. Rows that only one account has
are all kept. Separating gives each account every row that its Items have named.

Each step is a statement over all rows of an account. The ledger is locked meanwhile.
"""

from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Subquery,
    Table,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import aliased

from ..base.upsert import insert_missing
from ..base.writes import write
from ..connections.merged_accounts import Sides
from . import carried_edits, former_rows
from .edits import FIELDS
from .former_rows import FormerRow
from .transactions import Transaction

TABLE = cast(Table, Transaction.__table__)
NAMES = aliased(FormerRow)
OF_ITEM = NAMES.item_id + 0
"""Without "+ 0", PostgreSQL would look for each row through all names of an Item."""
UNEDITED = {
    "own_category": None,
    "own_detailed": None,
    "note": None,
    "note_pairs": None,
    "hidden": False,
    "not_transfer": False,
    "edited_at": None,
}
FEATURES = (
    Transaction.date,
    Transaction.amount,
    func.coalesce(Transaction.currency, "").label("currency"),
    Transaction.name,
    Transaction.pending,
)
"""What makes two rows equal. If an account has several such rows, they are matched in order."""


def merge(kept_id: int, joining_id: int, leader: int) -> None:
    """Move all rows to the account that stays. Equal ones become one row, which the leader names.

    Of two equal rows, the one of the account that stays is kept, with its id. It gets the edits of
    the other one if it has none.
    """
    _name_equal_rows(kept_id, joining_id)
    carried_edits.carry_merged(joining_id)
    _delete_merged(joining_id)
    by_leader = FormerRow.transaction_id == TABLE.c.id, FormerRow.item_id == leader
    _take_names(TABLE.c.account_id == kept_id, TABLE.c.item_id != leader, *by_leader)
    joining = TABLE.c.account_id == joining_id
    write(update(TABLE).where(joining).values(account_id=kept_id))


def _name_equal_rows(kept_id: int, joining_id: int) -> None:
    """Note what is lost when rows are deleted that equal one of the account that stays."""
    pairs = _pairs(kept_id, joining_id)
    own = (getattr(Transaction, name) for name in ("page_id", "first_id", *FIELDS))
    insert_missing(
        former_rows.TABLE,
        ("item_id", "plaid_transaction_id", "transaction_id", "page_id", "first_id", *FIELDS),
        select(Transaction.item_id, Transaction.plaid_transaction_id, pairs.c.kept, *own)
        .join(pairs, pairs.c.id == Transaction.id)
        .where(Transaction.account_id == joining_id, pairs.c.kept.is_not(None)),
    )


def _pairs(kept_id: int, joining_id: int) -> Subquery:
    """Return the ids of all rows, with the id of the equal row of the account that stays.

    With windows over both accounts, because SQLite would compare each row with each if they were
    joined.
    """
    account = Transaction.account_id
    nth = func.row_number().over(partition_by=(account, *FEATURES), order_by=Transaction.id)
    row = (
        select(Transaction.id, account, *FEATURES, nth.label("nth"))
        .where(account.in_((kept_id, joining_id)), Transaction.removed_at.is_(None))
        .subquery()
    )
    same = (*(row.c[feature.key] for feature in FEATURES), row.c.nth)
    kept = func.max(case((row.c.account_id == kept_id, row.c.id))).over(partition_by=same)
    return select(row.c.id, kept.label("kept")).subquery()


def _delete_merged(joining_id: int) -> None:
    """Delete the rows whose name another row has now. That row gets their other names too."""
    joining, link = TABLE.c.account_id == joining_id, aliased(FormerRow)
    is_linked = and_(
        link.item_id == TABLE.c.item_id,
        link.plaid_transaction_id == TABLE.c.plaid_transaction_id,
        link.transaction_id != TABLE.c.id,
    )
    write(
        update(FormerRow)
        .where(FormerRow.transaction_id == TABLE.c.id, joining, is_linked)
        .values(transaction_id=link.transaction_id)
    )
    write(delete(TABLE).where(joining, exists().where(is_linked)))


def _take_names(*conditions: ColumnElement[bool]) -> None:
    """Give rows the former names that meet the conditions, and keep their present ones."""
    former_rows.remember_where(*conditions)
    write(
        update(TABLE)
        .where(*conditions)
        .values(
            item_id=FormerRow.item_id,
            plaid_transaction_id=FormerRow.plaid_transaction_id,
            page_id=FormerRow.page_id,
            first_id=func.coalesce(TABLE.c.first_id, TABLE.c.plaid_transaction_id),
        )
    )


def separate(account_id: int, left_id: int, parts: Sides) -> None:
    """Move the rows that the Items `parts.leaving` have named to the account `left_id`.

    A row that Items of both accounts have named is copied. The account that stays keeps the row,
    with the edits; the copy has those that were made on it before it was merged. Rows come back
    that were removed because the other account's Item did not name them.
    """
    ours, leaving = TABLE.c.account_id == account_id, sorted(parts.leaving)
    staying_name = _latest(OF_ITEM.not_in(leaving))
    _take_names(ours, TABLE.c.item_id.in_(leaving), *staying_name)
    leaving_name = _latest(OF_ITEM.in_(leaving))
    both = ours, TABLE.c.item_id.not_in(leaving), *leaving_name
    _copy(left_id, *both)
    carried = FormerRow.edited_at == TABLE.c.edited_at
    write(update(TABLE).where(*both, carried).values(UNEDITED))
    ids = select(Transaction.id).where(ours)
    write(
        delete(FormerRow).where(FormerRow.transaction_id.in_(ids), FormerRow.item_id.in_(leaving))
    )
    write(update(TABLE).where(ours, TABLE.c.item_id.in_(leaving)).values(account_id=left_id))
    for item_id, moment in parts.left_at.items():
        missing = TABLE.c.item_id == item_id, TABLE.c.removed_at >= moment
        in_both = TABLE.c.account_id.in_((account_id, left_id))
        write(update(TABLE).where(in_both, *missing).values(removed_at=None))


def _latest(which: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of each row's name at the latest of the Items that are meant."""
    of_row = NAMES.transaction_id == TABLE.c.id
    latest = select(func.max(OF_ITEM)).where(of_row, which).scalar_subquery()
    return FormerRow.transaction_id == TABLE.c.id, FormerRow.item_id + 0 == latest


def _copy(account_id: int, *conditions: ColumnElement[bool]) -> None:
    """Insert copies of rows into the account, under the names that meet the conditions."""
    values: dict[str, Any] = {
        column.name: column
        for column in TABLE.columns
        if not column.primary_key and column.computed is None
    }
    names = former_rows.TABLE.c
    own = ("item_id", "plaid_transaction_id", "page_id", "first_id", *FIELDS)
    values |= {name: names[name] for name in own}
    values |= {
        "account_id": literal(account_id),
        "hidden": func.coalesce(names.hidden, false()),
        "not_transfer": func.coalesce(names.not_transfer, false()),
    }
    write(insert(TABLE).from_select(list(values), select(*values.values()).where(*conditions)))
