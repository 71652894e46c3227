"""Adoption: a transaction of an earlier Item becomes the new Item's as soon as that names it.

The row stays the same row: its id, and what the person made of it. Only the Item and Plaid's id are
new, so that saving what the bank sent finds it and updates it in place. What the new Item doesn't
go back to stays as history under the earlier one, where no sync of the new one can touch it.

All of it is part of the transaction that stores an update, with the person's ledger locked.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Mapped

from plaidapp.extensions import db

from ..base.types import days_later, now, units
from ..connections import items
from ..connections.accounts import Account
from . import edits
from .ingest import Row
from .transactions import Transaction

POSTING = 7
"""How long after its pending one a posted row may be dated and still be taken for the same."""


class Left(NamedTuple):
    """A row that is still under an earlier Item."""

    id: int
    account_id: int
    date: date


def _left_behind(item_id: int, former: Sequence[int]) -> list[ColumnElement[bool]]:
    """What tells the rows of the Item's accounts that it has not named yet."""
    ours = select(Account.id).where(Account.item_id == item_id).scalar_subquery()
    return [Transaction.item_id.in_(former), Transaction.account_id.in_(ours)]


def adopt(
    item_id: int,
    former: Sequence[int],
    account_ids: Mapping[str, int],
    named: Iterable[Row],
) -> tuple[int, set[str]]:
    """Makes old rows the Item's own where it names an equal one, so that saving will update them.

    Equal rows are matched one to one in their order; one that the bank had taken back comes last.
    Returns how many there were, and Plaid's ids of those that were not here in any form.
    """
    new = {row.plaid_transaction_id: row for row in named}
    for plaid_id in _stored(item_id, list(new)):
        del new[plaid_id]
    if not new:
        return 0, set()
    days = [row.day for row in new.values()]
    waiting = _waiting(item_id, former, min(days), max(days))
    moves = [
        {"row": queue.popleft(), "new": plaid_id}
        for plaid_id, row in new.items()
        if (
            queue := waiting[_movement(account_ids[row.plaid_account_id], row.day, row.amount, row)]
        )
    ]
    if moves:
        _update(moves, item_id=item_id, plaid_transaction_id=bindparam("new"), page_id=None)
    return len(moves), new.keys() - {move["new"] for move in moves}


def _stored(item_id: int, plaid_ids: Sequence[str]) -> Sequence[str]:
    query = select(Transaction.plaid_transaction_id)
    return db.session.scalars(
        query.where(Transaction.item_id == item_id, Transaction.plaid_transaction_id.in_(plaid_ids))
    ).all()


def _waiting(
    item_id: int, former: Sequence[int], start: date, end: date
) -> defaultdict[object, deque[int]]:
    """The ids of the rows left behind, by the movement they are."""
    rows = db.session.execute(
        select(
            *(Transaction.id, Transaction.account_id, Transaction.name, Transaction.date),
            *(Transaction.amount, Transaction.pending),
            *(Transaction.iso_currency_code, Transaction.unofficial_currency_code),
        )
        .where(*_left_behind(item_id, former), Transaction.date.between(start, end))
        .order_by(Transaction.removed_at.is_not(None), Transaction.id)
    )
    waiting: defaultdict[object, deque[int]] = defaultdict(deque)
    for row in rows:
        waiting[_movement(row.account_id, row.date, units(row.amount), row)].append(row.id)
    return waiting


def _movement(account_id: int, day: date, amount: int, row: Any) -> object:
    currency = row.iso_currency_code or row.unofficial_currency_code
    return account_id, row.name, day, amount, currency, row.pending


def settle(
    item_id: int, former: Sequence[int], status: str, fresh: Collection[str]
) -> list[tuple[int, date]]:
    """Marks removed what the Item should have named by now; gives account and date of each row.

    The last 30 days tell of everything pending, the whole history of the rest, as far back as the
    bank goes for the account. `fresh` are Plaid's ids of rows that were not here before this
    update: one that posts what was pending takes over what the person made of that.
    """
    if not former or status not in (items.RECENT, items.COMPLETE):
        return []
    shown = [*_left_behind(item_id, former), Transaction.removed_at.is_(None)]
    pending = _rows(*shown, Transaction.pending)
    _carry_edits(item_id, pending, fresh)
    gone = [Left(row.id, row.account_id, row.date) for row in pending]
    if status == items.COMPLETE:
        gone += _missing(item_id, shown)
    if gone:
        _update([{"row": row.id} for row in gone], removed_at=now())
    return [(row.account_id, row.date) for row in gone]


def _missing(item_id: int, shown: Sequence[ColumnElement[bool]]) -> list[Left]:
    """The posted rows left behind that are no older than what the Item has named."""
    columns = Transaction.id, Transaction.account_id, Transaction.date
    rows = db.session.execute(select(*columns).where(*shown, ~Transaction.pending)).all()
    if not rows:
        return []
    named = db.session.execute(
        select(Transaction.account_id, func.min(Transaction.date))
        .where(Transaction.item_id == item_id, Transaction.removed_at.is_(None))
        .group_by(Transaction.account_id)
    )
    oldest = {account_id: first for account_id, first in named}  # noqa: C416 dict() would not type
    left = [Left(*row) for row in rows]
    return [row for row in left if row.date >= oldest.get(row.account_id, date.max)]


def _carry_edits(item_id: int, pending: Sequence[Transaction], fresh: Collection[str]) -> None:
    """Only where one pending row and one posted one can be nothing but each other."""
    posts = {row.id: _posts(item_id, row, fresh) for row in pending}
    claims = Counter(post.id for found in posts.values() for post in found)
    for row in pending:
        match posts[row.id]:
            case [post] if row.edited_at and claims[post.id] == 1:
                edits.hand_over(row.id, post.id)


def _posts(item_id: int, row: Transaction, fresh: Collection[str]) -> list[Transaction]:
    """The rows that may be `row`, posted."""
    found = _rows(
        Transaction.item_id == item_id,
        Transaction.account_id == row.account_id,
        Transaction.amount == row.amount,
        Transaction.date.between(row.date, days_later(row.date, POSTING)),
        ~Transaction.pending,
    )
    return [post for post in found if post.plaid_transaction_id in fresh and _alike(row, post)]


def _alike(row: Transaction, post: Transaction) -> bool:
    one, other = row.name.casefold(), post.name.casefold()
    same_merchant = row.merchant_name is not None and row.merchant_name == post.merchant_name
    same_name = one.startswith(other) or other.startswith(one)
    return row.currency == post.currency and (same_merchant or same_name)


def _rows(*conditions: ColumnElement[bool] | Mapped[bool]) -> Sequence[Transaction]:
    query = select(Transaction).where(*conditions).order_by(Transaction.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _update(rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
    """Each row by its id, which is called "row"."""
    statement = update(Transaction.__table__).where(Transaction.id == bindparam("row"))  # type: ignore[arg-type]
    db.session.connection().execute(statement.values(**values), rows)
