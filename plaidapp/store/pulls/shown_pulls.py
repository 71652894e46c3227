"""Which pulls a page shows: those a person watches, and the history of an Item."""

import functools
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, case, exists, or_, select
from sqlalchemy.orm import aliased, joinedload

from plaidapp.extensions import db

from ..connections.item import Item
from ..connections.link_results import ALREADY_CONNECTED
from . import kinds
from .pulls import DISMISSED, DONE, FAILED, PERSON, QUEUED, RUNNING, WITH_ITEMS, Pull, PullItem


def recent(user_id: int, limit: int) -> Sequence[Pull]:
    """Return the person's own active pulls and the last `limit` of them, newest first.

    Dismissed pulls are left out, and so are failed ones if a later pull succeeded. The pulls of
    webhooks and the clock are in the history of each Item.
    """
    found = db.session.scalars(_recent(), {"user_id": user_id, "limit": limit})
    return found.unique().all()


@functools.cache  # building the query takes longer than running it
def _recent() -> Select[Pull]:
    theirs = (Pull.user_id == bindparam("user_id")) & (Pull.asked_by == PERSON)
    newest = select(Pull.id).where(theirs).order_by(Pull.id.desc())
    last = newest.limit(bindparam("limit", type_=Integer)).scalar_subquery()
    shown = or_(Pull.state.in_((QUEUED, RUNNING)), Pull.id.in_(last))
    hidden = or_(Pull.state == DISMISSED, (Pull.state == FAILED) & _superseded())
    query = select(Pull).where(theirs, shown, ~hidden).order_by(Pull.id.desc())
    return query.options(WITH_ITEMS)


def _superseded() -> ColumnElement[bool]:
    """Is everything that the pull failed to read stored by now, thanks to a later pull?

    A connection that failed has no Item. It counts as made if a later one to the same bank was; at
    Plaid, nobody knows which bank it was. A duplicate is decided if the person logged in again or
    disconnected.
    """
    failed, again, later = aliased(PullItem), aliased(PullItem), aliased(Pull)
    since = later.heartbeat_at > Pull.ended_at
    balances = exists().where(
        again.item_id == failed.item_id,
        again.phase == DONE,
        again.pull_id == later.id,
        later.kind.in_(kinds.names(lambda kind: kind.reads_balances)),
        since,
    )
    rows = exists().where(Item.id == failed.item_id, Item.synced_at > Pull.ended_at)
    only_balances = Pull.kind.in_(kinds.names(lambda kind: kind.only_balances))
    answered = case(
        (only_balances, balances.correlate(failed, Pull)), else_=rows.correlate(failed, Pull)
    )
    done = exists().where(later.user_id == Pull.user_id, later.state == DONE, since)
    connected = done.where(
        or_(
            later.institution_id == Pull.institution_id,
            and_(later.kind == kinds.CONNECT, Pull.kind == kinds.CONNECT),
        ),
        later.kind.in_(kinds.names(lambda kind: kind.connects)),
    )
    decides = later.kind.in_(
        kinds.names(lambda kind: kind.name == kinds.RECONNECT or kind.disconnects)
    )
    return case(
        (Pull.error_code == ALREADY_CONNECTED, done.where(decides)),
        (
            exists().where(PullItem.pull_id == Pull.id),
            ~exists().where(failed.pull_id == Pull.id, failed.phase != DONE, ~answered),
        ),
        else_=connected,
    )


def of_item(item_id: int, limit: int) -> Sequence[PullItem]:
    """Return what pulls did at one Item, newest first, each with its pull."""
    query = select(PullItem).where(PullItem.item_id == item_id).order_by(PullItem.id.desc())
    return db.session.scalars(query.options(joinedload(PullItem.pull)).limit(limit)).all()
