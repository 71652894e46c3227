"""The stored rows that are compared with the bank's, and what of an account can't be."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select, tuple_

from plaidapp.extensions import db

from ..base.writes import BATCH, in_batches
from .transactions import Transaction

COLUMNS = (
    *(Transaction.id, Transaction.plaid_transaction_id, Transaction.account_id),
    *(Transaction.amount, Transaction.currency, Transaction.date, Transaction.name),
    *(Transaction.pending, Transaction.pending_transaction_id),
)


def between(
    former_items: Sequence[int],
    account_ids: Sequence[int],
    first: datetime.date,
    last: datetime.date,
) -> Iterator[Any]:
    """Yield an Item's rows of these days with COLUMNS, in no order.

    Rows of the Items that its accounts came from are left out: this Item does not have them.

    They come in short transactions, so that nobody waits to write.
    """
    key = Transaction.date, Transaction.id
    for ids in in_batches(account_ids):
        query = select(*COLUMNS).where(
            Transaction.account_id.in_(ids),
            Transaction.item_id.not_in(former_items),
            Transaction.date.between(first, last),
            Transaction.removed_at.is_(None),
        )
        page = query.order_by(*key).limit(BATCH)
        while rows := db.session.execute(page).all():
            db.session.commit()
            yield from rows
            place = rows[-1].date, rows[-1].id
            types = [column.type for column in key]
            page = query.where(tuple_(*key) > tuple_(*place, types=types))
            page = page.order_by(*key).limit(BATCH)
        db.session.commit()


def day_of_row(user_id: int, last: datetime.date, number: int) -> datetime.date | None:
    """Return the day of the person's row number `number`, counted back from the end of `last`.

    Their rows at all banks count: an index has these. None if there are fewer.
    """
    query = select(Transaction.date).where(
        Transaction.user_id == user_id, Transaction.removed_at.is_(None), Transaction.date <= last
    )
    ordered = query.order_by(Transaction.date.desc(), Transaction.id.desc())
    day = db.session.scalar(ordered.offset(number - 1).limit(1))
    db.session.commit()
    return day


def count_older(
    former_items: Sequence[int], account_ids: Sequence[int], since: datetime.date
) -> Mapping[int, int]:
    """Return, by account, how many rows can't be compared.

    They are from before `since`, or of the Items that the accounts came from.
    """
    found: dict[int, int] = {}
    for ids in in_batches(account_ids):
        query = select(Transaction.account_id, func.count()).where(
            Transaction.account_id.in_(ids),
            Transaction.removed_at.is_(None),
            or_(Transaction.date < since, Transaction.item_id.in_(former_items)),
        )
        rows = db.session.execute(query.group_by(Transaction.account_id))
        found.update({account_id: count for account_id, count in rows})  # noqa: C416 for its types
    return found


def by_ids(transaction_ids: Sequence[int]) -> Mapping[int, Any]:
    """Return those of the rows that are stored and shown, with COLUMNS, by their ids."""
    found: dict[int, Any] = {}
    for ids in in_batches(transaction_ids):
        query = select(*COLUMNS).where(Transaction.id.in_(ids), Transaction.removed_at.is_(None))
        found.update({row.id: row for row in db.session.execute(query)})
    return found


def by_plaid_ids(item_id: int, plaid_ids: Sequence[str]) -> Mapping[str, Any]:
    """Return those of the rows that are stored and shown, with COLUMNS, by Plaid's ids."""
    found: dict[str, Any] = {}
    for ids in in_batches(plaid_ids):
        query = select(*COLUMNS).where(
            Transaction.item_id == item_id,
            Transaction.plaid_transaction_id.in_(ids),
            Transaction.removed_at.is_(None),
        )
        found.update({row.plaid_transaction_id: row for row in db.session.execute(query)})
    return found
