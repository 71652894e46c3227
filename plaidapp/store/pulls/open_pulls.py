"""The queued and running pulls of an Item. Where one of them will do, a request adds no other."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, bindparam, exists, select

from plaidapp.extensions import db

from ..base.types import Moment, now
from ..base.writes import in_batches, one_of
from . import kinds
from .pulls import PARTS, QUEUED, RUNNING, TABLE, Pull, PullItem

_TAKES_REQUESTS = one_of(TABLE.c.kind, kinds.names(lambda kind: kind.takes_requests))
_SYNCS_UNDER_WAY = _TAKES_REQUESTS, one_of(TABLE.c.state, (QUEUED, RUNNING))
# Every webhook asks, and making a query takes longer than running it. It looks up each pull of the
# Item: as a join, it would often begin with all pulls that wait, however many there are.
_WAITS = (
    select((TABLE.c.state == QUEUED) & (TABLE.c.run_after > bindparam("now", type_=Moment)))
    .where(TABLE.c.id == PARTS.c.pull_id, *_SYNCS_UNDER_WAY)
    .scalar_subquery()
)
_OF_ITEM = (
    select(PARTS.c.pull_id.label("id"), _WAITS.label("waits"))
    .where(PARTS.c.item_id == bindparam("item_id"))
    .subquery()
)
_SYNCING = select(_OF_ITEM).where(_OF_ITEM.c.waits.is_not(None))


def syncing(item_id: int) -> Row[int, bool] | None:
    """Return a queued or running pull that a new request to sync this Item can rely on.

    That is its `id`, and whether it `waits` to become due.
    """
    found = db.session.execute(_SYNCING, {"item_id": item_id, "now": now()}).all()
    return min(found, key=lambda pull: pull.id, default=None)


def with_sync_under_way(item_ids: Sequence[int]) -> set[int]:
    """Return the ids of those Items for which `syncing` would return a pull."""
    return _with_pull(item_ids, *_SYNCS_UNDER_WAY)


def with_pull_under_way(item_ids: Sequence[int], kind_names: Sequence[str]) -> set[int]:
    """Return the ids of those Items that have a queued or running pull of these kinds."""
    return _with_pull(item_ids, Pull.kind.in_(kind_names), Pull.state.in_((QUEUED, RUNNING)))


def _with_pull(item_ids: Sequence[int], *conditions: ColumnElement[bool]) -> set[int]:
    found: set[int] = set()
    # As a join, SQLite would begin with all pulls that wait, however many there are.
    is_under_way = exists().where(Pull.id == PullItem.pull_id, *conditions)
    for ids in in_batches(item_ids):
        query = select(PullItem.item_id).where(PullItem.item_id.in_(ids), is_under_way)
        found.update(db.session.scalars(query))
    return found


def waiting(item_id: int, kind: str) -> Pull | None:
    """Return a pull of this kind that has not begun to ask the bank about this Item."""
    return _first_of_item(item_id, Pull.kind == kind, Pull.state == QUEUED)


def under_way(item_id: int, kind: str) -> Pull | None:
    """Return a pull of this kind for the Item that is queued or running."""
    return _first_of_item(item_id, Pull.kind == kind, Pull.state.in_((QUEUED, RUNNING)))


def _first_of_item(item_id: int, *conditions: ColumnElement[bool]) -> Pull | None:
    query = select(Pull).join(PullItem).where(PullItem.item_id == item_id, *conditions)
    return db.session.scalars(query.order_by(Pull.id).limit(1)).first()
