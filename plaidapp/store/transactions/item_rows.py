"""The stored rows of an Item: what a sync asks about them, and marking those the bank removed."""

import datetime
from collections.abc import Iterator, Sequence

from sqlalchemy import BindParameter, ScalarSelect, bindparam, func, select, update

from plaidapp.extensions import db

from ..base.sums import units_of
from ..base.types import now
from ..base.writes import in_batches, write
from ..connections.accounts import Account
from .transactions import Transaction


def mark_removed(item_id: int, plaid_ids: Sequence[str]) -> None:
    """Mark rows as removed by the bank.

    Rows of accounts that have moved to another Item stay: they are no longer this Item's to remove.
    """
    moment = now()
    for ids in in_batches(plaid_ids):
        write(_MARK_REMOVED, {"of_item": item_id, "plaid_ids": ids, "moment": moment})


def places_of(item_id: int, plaid_ids: Sequence[str]) -> Iterator[tuple[int, datetime.date, int]]:
    """Yield account, date and size, in units of 10^-8, of those rows that are stored."""
    for ids in in_batches(plaid_ids):
        yield from map(tuple, db.session.execute(_PLACES, {"of_item": item_id, "plaid_ids": ids}))


def shown_ids(item_id: int, since: datetime.date) -> set[str]:
    """Return Plaid's ids of the Item's rows since `since` that are not removed."""
    query = select(Transaction.plaid_transaction_id).where(
        Transaction.item_id == item_id,
        Transaction.account_id.in_(_accounts_of(item_id)),
        Transaction.date >= since,
        Transaction.removed_at.is_(None),
    )
    return set(db.session.scalars(query))


def count_shown(item_id: int, plaid_ids: Sequence[str]) -> int:
    """Return how many of these rows are stored and not removed."""
    shown = (Transaction.item_id == item_id) & Transaction.removed_at.is_(None)
    query = select(func.count()).select_from(Transaction).where(shown)
    batches = in_batches(plaid_ids)
    counts = (query.where(Transaction.plaid_transaction_id.in_(ids)) for ids in batches)
    return sum(db.session.scalar(count) or 0 for count in counts)


def count_removed(item_id: int) -> int:
    """Return how many of the Item's rows the bank removed. They are stored but shown nowhere."""
    query = select(func.count()).select_from(Transaction)
    query = query.where(Transaction.item_id == item_id, Transaction.removed_at.is_not(None))
    return db.session.scalar(query) or 0


def _accounts_of(item_id: int | BindParameter[int]) -> ScalarSelect[int]:
    return select(Account.id).where(Account.item_id == item_id).scalar_subquery()


# Made once: each sync with news asks them.
_OF_ITEM: BindParameter[int] = bindparam("of_item")
_NAMED = (
    Transaction.item_id == _OF_ITEM,
    Transaction.plaid_transaction_id.in_(bindparam("plaid_ids", expanding=True)),
)
_PLACES = select(Transaction.account_id, Transaction.date, units_of(Transaction.size)).where(
    *_NAMED
)
_MARK_REMOVED = (
    update(Transaction)
    .where(
        *_NAMED,
        Transaction.account_id.in_(_accounts_of(_OF_ITEM)),
        Transaction.removed_at.is_(None),
    )
    .values(removed_at=bindparam("moment"), other_side_id=None)
)
