"""The person disconnects a bank: what changes at once, and what changes once Plaid has confirmed.

The accounts are closed at the moment of `Item.disconnected_at`: they leave the net worth on that
day. Accounts that are kept this way can be told from those that the bank closed, and are picked up
when the person connects the bank again (reconnected_accounts.py). The caller has locked the ledger.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, update

from plaidapp.extensions import db

from ..base.types import Moment, now
from ..base.writes import write
from . import former_accounts, state_changes
from .accounts import Account
from .former_accounts import FormerAccount
from .item import TABLE, Item
from .item_states import BY_PERSON, DELETED, DISCONNECTED, DISCONNECTING, REPLACED

_NOTHING_EXPECTED: dict[str, Any] = {
    "failing_since": None,
    "failing_message": None,
    "failing_code": None,
    "failing_until": None,
    "preparing_since": None,
    "ask_after": None,
    "sync_applied": Item.sync_requested,
}
"""The values of an Item from whose bank nothing more will come."""
_FORGOTTEN: dict[str, Any] = {
    "institution_id": None,
    "institution_name": None,
    "cursor": "",
    "update_status": None,
    "synced_at": None,
    "changed_at": None,
    "streams_at": None,
}


def begin(item_id: int, *, deletes_history: bool) -> None:
    """Mark the Item as disconnecting. From here on, no worker stores anything of it."""
    moment = func.coalesce(Item.disconnected_at, literal(now(), Moment))
    state_changes.change(
        item_id,
        state=DISCONNECTING,
        disconnected_at=moment,
        deletes_history=deletes_history,
        **_NOTHING_EXPECTED,
    )


def close_accounts(item_id: int) -> None:
    """Close the Item's accounts, after the Items that stand by have taken over theirs."""
    moment = select(Item.disconnected_at).where(Item.id == item_id).scalar_subquery()
    of_item = Account.item_id == item_id, Account.closed_at.is_(None)
    write(update(Account).where(*of_item).values(closed_at=moment))
    former_accounts.note_listed(item_id, ())


def is_open_or_kept() -> ColumnElement[bool]:
    """Return the condition of accounts, joined to their Items, that the bank has not closed.

    What the person deletes is not kept.
    """
    is_kept = Account.closed_at == Item.disconnected_at, ~Item.deletes_history
    return or_(Account.closed_at.is_(None), and_(*is_kept))


def read_only_accounts(user_id: int) -> Sequence[int]:
    """Return the person's accounts of which no transaction can be edited: they are history."""
    query = select(Account.id).join(Item, Item.id == Account.item_id)
    theirs = Account.user_id == user_id, Item.state.in_(BY_PERSON)
    return db.session.scalars(query.where(*theirs).order_by(Account.id)).all()


def predecessors(item_id: int) -> Sequence[int]:
    """Return the Items that this one alone has replaced."""
    account = select(Account.item_id).where(Account.id == FormerAccount.account_id)
    item_of = account.correlate(FormerAccount).scalar_subquery()
    here = exists().where(FormerAccount.item_id == Item.id, item_of == item_id)
    elsewhere = exists().where(FormerAccount.item_id == Item.id, item_of != item_id)
    query = select(Item.id).where(Item.state == REPLACED, here, ~elsewhere)
    return db.session.scalars(query.order_by(Item.id)).all()


def include(item_ids: Sequence[int]) -> None:
    """Have the history of these replaced Items deleted too."""
    write(update(Item).where(Item.id.in_(item_ids)).values(deletes_history=True))


def is_to_be_removed(item: Item) -> bool:
    """Does the Item still exist at Plaid, or its history here, although it has ended?"""
    if item.state == REPLACED:
        return bool(item.access_token) or item.deletes_history
    return item.state == DISCONNECTING


def confirm(item_id: int, *, is_deleted: bool) -> None:
    """Destroy the token: the Item no longer exists at Plaid. `is_deleted` says that its history
    is deleted."""
    write(update(Item).where(Item.id == item_id).values(access_token=b""))
    if is_deleted:
        write(update(Item).where(Item.id == item_id).values(state=DELETED, **_FORGOTTEN))
    else:
        is_over = TABLE.c.state == DISCONNECTING, ~TABLE.c.deletes_history
        state_changes.change(item_id, *is_over, state=DISCONNECTED)
