"""Queries for Items, and changes of everything but their state (see state_changes.py)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, update
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from ..base.writes import write
from ..people import activity
from .item import Item
from .item_states import DELETED, ENDED, NEEDING_CARE, NOT_LISTED


def _theirs(in_states: ColumnElement[bool]) -> Select[Item]:
    theirs = Item.user_id == bindparam("user_id"), in_states
    return select(Item).where(*theirs).order_by(Item.id)


# Every page asks, and making a query takes longer than running it.
_LISTED = _theirs(Item.state.not_in(NOT_LISTED)).options(joinedload(Item.logo))
_CONNECTED = _theirs(Item.state.not_in(ENDED))
_NEEDING_CARE = _theirs(Item.state.in_(NEEDING_CARE))


def add(**fields: Any) -> Item:
    item = Item(**fields)
    db.session.add(item)
    db.session.flush()
    note_connected(item.user_id, item.institution_name)
    return item


def note_connected(user_id: int, bank: str | None) -> None:
    """Note a new connection in the person's activity, once the bank's name is known."""
    if bank:
        activity.note(user_id, activity.Kind.CONNECTED, bank)


def owned(item_id: int, user_id: int) -> Item | None:
    """Return the person's Item, unless they deleted it."""
    theirs = Item.user_id == user_id, Item.state != DELETED
    return db.session.scalar(select(Item).where(Item.id == item_id, *theirs))


def is_deleted(item_id: int, user_id: int) -> bool:
    """Return True if the person has deleted this Item."""
    theirs = Item.id == item_id, Item.user_id == user_id
    return db.session.scalar(select(Item.state).where(*theirs)) == DELETED


# Every webhook asks, and making a query takes longer than running it.
_BY_PLAID_ID = select(Item).where(Item.plaid_item_id == bindparam("plaid_item_id"))


def by_plaid_id(plaid_item_id: str) -> Item | None:
    return db.session.scalar(_BY_PLAID_ID, {"plaid_item_id": plaid_item_id})


def everyone() -> Sequence[Item]:
    """Return everyone's Items that have not ended. For the operator only, not for pages."""
    query = select(Item).where(Item.state.not_in(ENDED))
    return db.session.scalars(query.order_by(Item.id)).all()


def of_user(user_id: int) -> Sequence[Item]:
    """Return the person's Items, oldest first, with those that are disconnected but kept."""
    return db.session.scalars(_LISTED, {"user_id": user_id}).all()


def connected(user_id: int) -> Sequence[Item]:
    """Return the person's Items that have not ended, oldest first."""
    return db.session.scalars(_CONNECTED, {"user_id": user_id}).all()


def needing_care(user_id: int) -> Sequence[Item]:
    """Return the person's Items that may need them, oldest first: see standing.NEEDS_PERSON."""
    return db.session.scalars(_NEEDING_CARE, {"user_id": user_id}).all()


def remember_balances_refusal(item_id: int, code: str | None, moment: datetime | None) -> None:
    """Store why and when the bank last refused balances on demand; None once it sends them."""
    changes = {"balances_refusal": code, "balances_refused_at": moment}
    write(update(Item).where(Item.id == item_id).values(**changes))


# Whoever locks several Items locks them in the order of their ids: then nobody waits in a circle.
_LOCK_EACH = (
    select(Item)
    .where(Item.id.in_(bindparam("item_ids", expanding=True)))
    .order_by(Item.id)
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


def lock(item_id: int) -> Item:
    """Lock the Item until the commit and return it as it is now. Raises NoResultFound."""
    return db.session.scalars(_LOCK_EACH, {"item_ids": [item_id]}).one()


def lock_each(item_ids: Sequence[int]) -> None:
    """Lock the Items until the commit, and read them as they are now.

    The lock still lets others insert rows with a foreign key to an Item: somebody who waits for the
    lock may have inserted one already. SQLite needs no lock: only one writer runs at a time.
    """
    db.session.execute(_LOCK_EACH, {"item_ids": item_ids}).all()


_LOCK_ALL = (
    select(Item.id)
    .where(Item.user_id == bindparam("user_id"))
    .order_by(Item.id)
    .with_for_update(key_share=True)
)


def lock_all(user_id: int) -> None:
    """Lock all of the person's Items until the commit."""
    db.session.execute(_LOCK_ALL, {"user_id": user_id}).all()


def read_again(item_id: int) -> None:
    """Have the next sync read the Item from the beginning. One that is running starts over."""
    write(update(Item).where(Item.id == item_id).values(cursor=""))


def in_states(item_ids: Sequence[int], states: Sequence[str]) -> Sequence[int]:
    """Return those of the Items that are in one of the states."""
    query = select(Item.id).where(Item.id.in_(item_ids), Item.state.in_(states))
    return db.session.scalars(query.order_by(Item.id)).all()


_STATE = select(Item.state).where(Item.id == bindparam("item_id"))  # made once: each sync asks


def state_of(item_id: int) -> str | None:
    """Return the Item's state as it is stored now."""
    return db.session.scalar(_STATE, {"item_id": item_id})


def forget_token(item_id: int) -> None:
    """Delete an access token that is no longer valid."""
    write(update(Item).where(Item.id == item_id).values(access_token=b""))
