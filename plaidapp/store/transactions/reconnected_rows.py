"""Reconnecting: an earlier Item's transaction becomes the new Item's once the new Item sends it.

It stays the same row, with its id and the person's edits. Only the Item and Plaid's id change, so
that saving what the bank sent finds the row and updates it. Rows that are older than what the new
Item sends stay with the earlier Item as history, where no sync of the new one can change them.

All of this happens in the database transaction that stores an update, with the person's ledger
locked.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped

from plaidapp.extensions import db

from ..base.currency import currency_of
from ..base.dates import days_later
from ..base.sums import units_of
from ..base.types import now, units
from ..connections import former_accounts, item_states, items
from ..connections.accounts import Account
from . import carried_edits, former_rows
from .ingest import Row
from .transactions import Transaction

TABLE = cast(Table, Transaction.__table__)
POSTING = 7
"""Days after its pending row within which a posted row counts as the same transaction."""


class FormerRow(NamedTuple):
    """A row that is still with an earlier Item. `size` is in units of 10^-8."""

    id: int
    account_id: int
    date: date
    size: int


class Movement(NamedTuple):
    """What rows of two Items are compared by. `amount` is in units of 10^-8."""

    account_id: int
    name: str
    date: date
    amount: int
    currency: str | None
    pending: bool


def _is_former(item_id: int, former: Sequence[int]) -> list[ColumnElement[bool]]:
    """Return the conditions of rows in the Item's accounts that are still with earlier Items."""
    ours = select(Account.id).where(Account.item_id == item_id).scalar_subquery()
    return [Transaction.item_id.in_(former), Transaction.account_id.in_(ours)]


def reconnect(
    item_id: int,
    former: Sequence[int],
    account_ids: Mapping[str, int],
    sent: Iterable[Row],
) -> tuple[int, set[str]]:
    """Move earlier Items' rows to this Item if it sent equal ones, so that saving updates them.

    A row that this Item named before is found by its id. Other equal rows are matched one to one in
    their order, those that the bank had removed last. Returns the number of rows moved, and Plaid's
    ids of the rows that were not stored in any form.
    """
    new = {row.plaid_transaction_id: row for row in sent}
    for plaid_id in _stored(item_id, list(new)):
        del new[plaid_id]
    if not new:
        return 0, set()
    moves = _named_before(item_id, former, list(new))
    days = [row.day for row in new.values()]
    former_ids = _former_ids(item_id, former, min(days), max(days), set(moves.values()))
    for plaid_id, row in new.items():
        if plaid_id not in moves and (queue := former_ids[_movement_of(row, account_ids)]):
            moves[plaid_id] = queue.popleft()
    if moves:
        former_rows.remember(list(moves.values()))
        _update(
            [{"row": row_id, "new": plaid_id} for plaid_id, row_id in moves.items()],
            item_id=item_id,
            plaid_transaction_id=bindparam("new"),
            page_id=None,
            first_id=func.coalesce(TABLE.c.first_id, TABLE.c.plaid_transaction_id),
        )
    return len(moves), new.keys() - moves.keys()


def _named_before(item_id: int, former: Sequence[int], plaid_ids: Sequence[str]) -> dict[str, int]:
    """Return rows by the ids that this Item named them with before another one took over."""
    found = former_rows.ids_of(item_id, plaid_ids)
    if not found:
        return {}
    query = select(Transaction.id).where(*_is_former(item_id, former))
    theirs = set(db.session.scalars(query.where(Transaction.id.in_(list(found.values())))))
    return {plaid_id: row_id for plaid_id, row_id in found.items() if row_id in theirs}


def _movement_of(row: Row, account_ids: Mapping[str, int]) -> Movement:
    account_id = account_ids[row.plaid_account_id]
    return Movement(account_id, row.name, row.day, row.amount, currency_of(row), row.pending)


def _stored(item_id: int, plaid_ids: Sequence[str]) -> Sequence[str]:
    query = select(Transaction.plaid_transaction_id)
    return db.session.scalars(
        query.where(Transaction.item_id == item_id, Transaction.plaid_transaction_id.in_(plaid_ids))
    ).all()


def _former_ids(
    item_id: int, former: Sequence[int], start: date, end: date, taken: Collection[int]
) -> defaultdict[Movement, deque[int]]:
    """Return the ids of earlier Items' rows by their movement, without the `taken` ones."""
    rows = db.session.execute(
        select(
            *(Transaction.id, Transaction.account_id, Transaction.name, Transaction.date),
            *(Transaction.amount, Transaction.currency, Transaction.pending),
        )
        .where(*_is_former(item_id, former), Transaction.date.between(start, end))
        .order_by(Transaction.removed_at.is_not(None), Transaction.id)
    )
    found: defaultdict[Movement, deque[int]] = defaultdict(deque)
    for row_id, account_id, name, day, amount, currency, pending in rows:
        if row_id not in taken:
            found[Movement(account_id, name, day, units(amount), currency, pending)].append(row_id)
    return found


def remove_missing(
    item_id: int, former: Sequence[int], status: str, new_ids: Collection[str]
) -> list[FormerRow]:
    """Mark earlier Items' rows as removed that this Item should have sent by now.

    With the last 30 days, it has sent everything pending. With the whole history, it has sent all
    other rows too, as far back as the bank goes for the account. `new_ids` are Plaid's ids of the
    rows that this update stored first: if one of them is a pending row that has posted, it gets
    that row's edits. Returns the removed rows.
    """
    if not former or status not in (item_states.RECENT, item_states.COMPLETE):
        return []
    shown = [*_is_former(item_id, former), Transaction.removed_at.is_(None)]
    pending = _rows(*shown, Transaction.pending)
    _carry_edits(item_id, pending, new_ids)
    missing = [FormerRow(row.id, row.account_id, row.date, units(row.size)) for row in pending]
    if status == item_states.COMPLETE:
        missing += _missing_posted(item_id, [*shown, _may_be_missing(former)])
    if missing:
        _update([{"row": row.id} for row in missing], removed_at=now(), other_side_id=None)
    return missing


def _may_be_missing(former: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition of rows that an Item names too if they still exist.

    Not those of Items that can't tell anymore whether they do, unless the person disconnected them.
    If two accounts were merged while both Items report, each may have rows of its own.
    """
    replaced = items.in_states(former, (item_states.REPLACED,))
    reporting = items.in_states(former, (*item_states.REPORTING, *item_states.BY_PERSON))
    is_merged = Transaction.account_id.in_(former_accounts.merged())
    return or_(
        Transaction.item_id.in_(replaced), and_(Transaction.item_id.in_(reporting), ~is_merged)
    )


def _missing_posted(item_id: int, shown: Sequence[ColumnElement[bool]]) -> list[FormerRow]:
    """Return the posted rows of earlier Items that are no older than what the Item has sent."""
    columns = Transaction.id, Transaction.account_id, Transaction.date, units_of(Transaction.size)
    rows = db.session.execute(select(*columns).where(*shown, ~Transaction.pending)).all()
    if not rows:
        return []
    sent = db.session.execute(
        select(Transaction.account_id, func.min(Transaction.date))
        .where(Transaction.item_id == item_id, Transaction.removed_at.is_(None))
        .group_by(Transaction.account_id)
    )
    oldest = {account_id: first for account_id, first in sent}  # noqa: C416 dict() would not type
    former = [FormerRow(*row) for row in rows]
    return [row for row in former if row.date >= oldest.get(row.account_id, date.max)]


def _carry_edits(item_id: int, pending: Sequence[Transaction], new_ids: Collection[str]) -> None:
    """Copy edits from pending to posted rows, where only one row of each kind can be meant."""
    candidates = {row.id: _candidates(item_id, row, new_ids) for row in pending}
    times = Counter(posted.id for found in candidates.values() for posted in found)
    for row in pending:
        match candidates[row.id]:
            case [posted] if row.edited_at and times[posted.id] == 1:
                carried_edits.carry_to(row.id, posted.id)


def _candidates(item_id: int, row: Transaction, new_ids: Collection[str]) -> list[Transaction]:
    """Return the rows that the pending `row` may have become."""
    found = _rows(
        Transaction.item_id == item_id,
        Transaction.account_id == row.account_id,
        Transaction.amount == row.amount,
        Transaction.date.between(row.date, days_later(row.date, POSTING)),
        ~Transaction.pending,
    )
    return [
        posted
        for posted in found
        if posted.plaid_transaction_id in new_ids and _similar(row, posted)
    ]


def _similar(row: Transaction, posted: Transaction) -> bool:
    one, other = row.name.casefold(), posted.name.casefold()
    same_merchant = row.merchant_name is not None and row.merchant_name == posted.merchant_name
    same_name = one.startswith(other) or other.startswith(one)
    return row.currency == posted.currency and (same_merchant or same_name)


def _rows(*conditions: ColumnElement[bool] | Mapped[bool]) -> Sequence[Transaction]:
    query = select(Transaction).where(*conditions).order_by(Transaction.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _update(rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
    """Update each row by its id, which `rows` has under the name "row"."""
    statement = update(TABLE).where(TABLE.c.id == bindparam("row")).values(**values)
    db.session.connection().execute(statement, rows)
