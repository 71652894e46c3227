"""Pulls that follow a session of Link: they wait for the person, and may start again when over."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from ..base.types import now
from ..connections.item import Item
from . import kinds, transitions
from .pulls import DISMISSED, DONE, FAILED, QUEUED, RUNNING, Pull, PullItem


def waiting(user_id: int, kind: str) -> Pull | None:
    """Return a queued pull of this kind of the person's."""
    query = select(Pull).where(Pull.user_id == user_id, Pull.kind == kind, Pull.state == QUEUED)
    return db.session.scalars(query.order_by(Pull.id).limit(1)).first()


def find_item(pull_id: int, item_id: int) -> PullItem | None:
    """Return what the pull does at this Item, if that is stored already."""
    query = select(PullItem).where(PullItem.pull_id == pull_id, PullItem.item_id == item_id)
    return db.session.scalar(query.options(joinedload(PullItem.item)))


def revive(pull_id: int) -> bool:
    """Make a pull due again that is over, because its link was used again. False if it is not."""
    is_over = Pull.state.in_((DONE, FAILED, DISMISSED))
    return bool(transitions.begin_again(Pull.id == pull_id, is_over))


def dismiss(pull_id: int) -> bool:
    """Hide a pull that waits at Plaid from the person's list. Return False if it does not wait.

    What they still do at Plaid counts: the clock looks there.
    """
    return bool(transitions.change(Pull.id == pull_id, _waits_at_plaid(), state=DISMISSED))


def dismiss_earlier(user_id: int, kind: str, items: Sequence[Item]) -> None:
    """Hide the pulls of this kind, for these Items if there are any, that wait at Plaid."""
    theirs = [Pull.user_id == user_id, Pull.kind == kind, _waits_at_plaid()]
    if items:
        of_items = select(PullItem.pull_id)
        of_items = of_items.where(PullItem.item_id.in_([item.id for item in items]))
        theirs.append(Pull.id.in_(of_items))
    transitions.change(*theirs, state=DISMISSED)


def dismiss_of_item(item_id: int) -> None:
    """End the pulls that wait for the person to log in to this Item again: they disconnected it."""
    of_item = select(PullItem.pull_id).where(PullItem.item_id == item_id)
    is_active = Pull.state.in_((QUEUED, RUNNING))
    is_ours = Pull.id.in_(of_item), Pull.kind == kinds.RECONNECT, is_active
    transitions.change(*is_ours, state=DISMISSED, ended_at=now())


def _waits_at_plaid() -> ColumnElement[bool]:
    """Without an Item that is still preparing: that is also why a pull may be queued for later."""
    follows = Pull.kind.in_(kinds.names(lambda kind: kind.follows_link))
    begun = exists().where(PullItem.pull_id == Pull.id, PullItem.phase != QUEUED)
    return and_(follows, Pull.state == QUEUED, Pull.run_after > now(), ~begun)
