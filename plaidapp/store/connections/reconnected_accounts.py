"""Reconnecting: a person connects a bank again, and nothing is stored twice.

Plaid creates a new Item with new ids for every account and transaction, and does not say that they
are the old ones: https://plaid.com/docs/link/duplicate-items/. Here, an account that is certainly
the same stays the same row: it moves to the new Item together with everything stored about it. The
transactions follow one by one (transactions/reconnected_rows.py). Where only the transactions can
tell, both accounts are stored, and jobs/connections/same_accounts.py decides.

An Item that has no open account left is replaced. If it works, and the newer Item lists other
accounts too, it may be another log-in that shares an account, and stands by (standby.py).

Accounts are saved while the person's ledger is locked (users.lock_ledger).
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, or_, select

from plaidapp.bank import payloads
from plaidapp.extensions import db

from . import account_moves, accounts, disconnection, item_states, items, recognition, state_changes
from .accounts import Account
from .former_accounts import FormerAccount
from .item import Item
from .recognition import StoredAccount


def save_accounts(
    user_id: int, item_id: int, listed: Sequence[payloads.PlaidAccount], known: Mapping[str, int]
) -> accounts.Saved:
    """Save accounts as `accounts.save` does, after moving those known from another Item here.

    `listed` is without those that are read from another Item, and `known` has our ids of this
    Item's accounts by Plaid's (known_accounts.py).
    """
    new = [sent for sent in listed if sent.account_id not in known]
    left = _reconnect(user_id, item_id, new) if new else set[int]()
    saved = accounts.save(user_id, item_id, listed, None if new else known)
    if left:
        replace_empty(left)
    return saved


def _reconnect(user_id: int, item_id: int, new: Sequence[payloads.PlaidAccount]) -> set[int]:
    """Move known accounts to this Item, and return the Items that they leave."""
    bank = db.session.scalar(select(Item.institution_id).where(Item.id == item_id))
    pairs = recognition.certain(_accounts_elsewhere(user_id, item_id), new, bank)
    account_moves.move({account.id: sent.account_id for account, sent in pairs}, item_id)
    return {account.item_id for account, _ in pairs}


def replace_empty(item_ids: set[int]) -> None:
    """Mark those of the Items as replaced that have no account left and don't stand by."""
    for item_id in sorted(item_ids - _with_open_account(item_ids)):
        if not _stands_by(item_id):
            state_changes.replace(item_id)


_OPEN_ELSEWHERE = (
    select(Account.id)
    .join(FormerAccount, FormerAccount.account_id == Account.id)
    .where(
        FormerAccount.item_id == bindparam("item_id"),
        Account.item_id != bindparam("item_id"),
        Account.closed_at.is_(None),
    )
    .limit(1)
)


def replace_lost(item_id: int) -> None:
    """Mark an Item as replaced that only stood by for another, and that the person has to renew."""
    named = db.session.scalar(_OPEN_ELSEWHERE, {"item_id": item_id})
    if named and items.in_states([item_id], (item_states.LOGIN_REQUIRED, item_states.REVOKED)):
        replace_empty({item_id})


def _with_open_account(item_ids: set[int]) -> set[int]:
    """Return those of the Items that have an account that is open or that the person keeps."""
    query = select(Account.item_id).join(Item).where(Account.item_id.in_(item_ids))
    return set(db.session.scalars(query.where(disconnection.is_open_or_kept()).distinct()))


def _stands_by(item_id: int) -> bool:
    """Return True if the Item works, and those that have its accounts list others too."""
    named = select(FormerAccount.account_id).where(FormerAccount.item_id == item_id)
    successors = select(Account.item_id).where(Account.id.in_(named))
    query = select(Account.id).where(
        Account.item_id.in_(successors), Account.id.not_in(named), Account.closed_at.is_(None)
    )
    return bool(items.in_states([item_id], (item_states.GOOD,))) and (
        db.session.scalar(query.limit(1)) is not None
    )


def _accounts_elsewhere(user_id: int, item_id: int) -> list[StoredAccount]:
    """Return the person's accounts that a new one of this Item could be.

    They are those of the same bank, and those with a persistent id, which banks may share. What the
    person deletes is not picked up again. What they connected separately stays separate while both
    connections are alive.
    """
    here = select(Item.institution_id).where(Item.id == item_id).scalar_subquery()
    may_be = or_(Item.institution_id == here, Account.persistent_account_id.is_not(None))
    theirs = Item.user_id == user_id, Item.id != item_id, ~Item.deletes_history
    is_separate = db.session.scalar(select(Item.is_separate).where(Item.id == item_id))
    may_join = _is_over() if is_separate else is_not_separate()
    return stored_accounts(*theirs, may_be, may_join)


def is_not_separate() -> ColumnElement[bool]:
    """The Item's accounts may be taken for those of another, unasked."""
    return or_(Item.is_separate.is_(False), _is_over())


def _is_over() -> ColumnElement[bool]:
    return Item.state.in_(item_states.OVER)


def stored_accounts(*conditions: ColumnElement[bool]) -> list[StoredAccount]:
    """Return the accounts that meet the conditions on Account and Item, oldest first."""
    rows = db.session.execute(
        select(
            *(Account.id, Account.item_id, Item.institution_id, Account.closed_at.is_not(None)),
            *(Account.persistent_account_id, Account.type, Account.subtype),
            *(Account.mask, Account.name, Account.current),
        )
        .join(Item)
        .where(*conditions)
        .order_by(Account.id)
    )
    return [StoredAccount._make(row) for row in rows]
