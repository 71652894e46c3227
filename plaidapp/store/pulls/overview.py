"""What operators see of pulls: how many wait for a worker, and which have failed.

Nobody's money or name is in it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, literal, select, tuple_, union_all
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from ..base import bounded
from ..base.types import now
from .pulls import CLOCK, FAILED, OPERATOR, PERSON, QUEUED, RUNNING, WEBHOOK, Pull, PullItem

ASKED_BY = (PERSON, WEBHOOK, CLOCK, OPERATOR)


class Class(NamedTuple):
    """The open pulls that were asked for in one way. Counts end at `bounded.MOST` + 1.

    `due` wait for a worker, `later` for their moment. `oldest` is since when the first one is due.
    """

    asked_by: str
    due: int
    later: int
    running: int
    oldest: datetime | None


def by_class() -> list[Class]:
    """Return one entry for each of ASKED_BY, from one query."""
    moment = now()
    parts = []
    for asked_by in ASKED_BY:
        theirs = select(Pull.id).where(Pull.asked_by == asked_by)
        queued = theirs.where(Pull.state == QUEUED)
        first = select(Pull.run_after).where(Pull.asked_by == asked_by, Pull.state == QUEUED)
        parts.append(
            select(
                literal(asked_by).label("asked_by"),
                bounded.count(queued.where(Pull.run_after <= moment)).label("due"),
                bounded.count(queued.where(Pull.run_after > moment)).label("later"),
                bounded.count(theirs.where(Pull.state == RUNNING)).label("running"),
                first.order_by(Pull.run_after).limit(1).scalar_subquery().label("first"),
            )
        )
    return [
        Class(asked_by, due, later, running, first if first and first <= moment else None)
        for asked_by, due, later, running, first in db.session.execute(union_all(*parts))
    ]


def open_by_kind() -> dict[str, int]:
    """Return how many pulls of each kind wait or run, of the first `bounded.MOST` + 1 of them."""
    some = select(Pull.kind).where(Pull.state.in_((QUEUED, RUNNING))).limit(bounded.MOST + 1)
    kind = some.subquery().c.kind
    return dict(db.session.execute(select(kind, func.count()).group_by(kind)).all())


def failed_count() -> int:
    return db.session.scalar(select(bounded.count(_FAILED))) or 0


_FAILED = select(Pull.id).where(Pull.state == FAILED)


def failed(limit: int, before: int | None = None) -> Sequence[Pull]:
    """Return failed pulls with their Items, the latest first.

    `before` is the id of the last one of the page before. It may be tried again meanwhile.
    """
    query = select(Pull).where(Pull.state == FAILED)
    if before is not None:
        moment = select(Pull.run_after).where(Pull.id == before).scalar_subquery()
        query = query.where(tuple_(Pull.run_after, Pull.id) < tuple_(moment, before))
    with_items = joinedload(Pull.items).joinedload(PullItem.item)
    query = query.order_by(Pull.run_after.desc(), Pull.id.desc()).limit(limit).options(with_items)
    return db.session.scalars(query).unique().all()


def running(pull_ids: Sequence[int]) -> dict[int, str]:
    """Return the kinds of these pulls by their ids: what workers are doing."""
    query = select(Pull.id, Pull.kind).where(Pull.id.in_(pull_ids))
    return dict(db.session.execute(query).all())
