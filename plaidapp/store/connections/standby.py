"""Two log-ins that share an account: if one stops reporting it, the other carries on.

The account is read from one Item at a time. An Item that also lists it stands by. When it takes
over, the account stays the same row. The Item is then read from the beginning, because what it said
about the account in the meantime was ignored; rows that are stored are recognized
(transactions/reconnected_rows.py).
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import aliased

from plaidapp.extensions import db

from ..base.writes import in_batches, write
from . import account_moves, item_states, items
from .accounts import TABLE, Account
from .former_accounts import FormerAccount
from .item import Item

STANDBY = aliased(Item)
_PAIRS = (
    FormerAccount.account_id == Account.id,
    FormerAccount.ended_at.is_(None),
    FormerAccount.item_id == STANDBY.id,
    FormerAccount.item_id != Account.item_id,
    STANDBY.state.in_(item_states.REPORTING),
    Account.item_id == Item.id,
)
_TAKE_OVER = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("account_id"))
    .values(closed_at=None, own_id=bindparam("former_own_id"))
)
_IS_LOST = or_(Account.closed_at.is_not(None), Item.state.not_in(item_states.REPORTING))

# Made once: each reading of balances asks.
_OF_LOST = (
    select(STANDBY)
    .where(*_PAIRS, _IS_LOST, Account.item_id == bindparam("item_id"))
    .distinct()
    .order_by(STANDBY.id)
)
IS_NEEDED = (
    select(Account.id)
    .where(*_PAIRS, _IS_LOST, STANDBY.id == bindparam("item_id"))
    .correlate(None)
    .exists()
)
"""Condition: there is an account for `take_over` by the Item with the `item_id`."""


def of_lost_accounts(item_id: int) -> Sequence[Item]:
    """Return the Items that stand by for accounts that this Item no longer reports."""
    return db.session.scalars(_OF_LOST, {"item_id": item_id}).all()


def of_others(item_id: int) -> Sequence[Account]:
    """Return the Item's accounts that another Item would take over."""
    query = select(Account).where(*_PAIRS, Account.item_id == item_id)
    return db.session.scalars(query.distinct().order_by(Account.id)).all()


def of_account(account_id: int) -> Item | None:
    """Return an Item that would take over this account."""
    query = select(STANDBY).where(*_PAIRS, Account.id == account_id)
    return db.session.scalar(query.order_by(STANDBY.id).limit(1))


def take_over(item_id: int) -> None:
    """Have the Item report the accounts that it stands by for and that others no longer report.

    The caller has locked the ledger.
    """
    query = select(Account.id, FormerAccount.plaid_account_id, FormerAccount.own_id)
    lost = db.session.execute(query.where(*_PAIRS, _IS_LOST, STANDBY.id == item_id)).all()
    account_moves.move({account_id: plaid_id for account_id, plaid_id, _ in lost}, item_id)
    if lost:
        values = [
            {"account_id": account_id, "former_own_id": own_id} for account_id, _, own_id in lost
        ]
        db.session.connection().execute(_TAKE_OVER, values)
    for plaid_ids in in_batches([plaid_id for _, plaid_id, _ in lost]):
        write(
            delete(FormerAccount).where(
                FormerAccount.item_id == item_id, FormerAccount.plaid_account_id.in_(plaid_ids)
            )
        )
    items.read_again(item_id)
