"""Deleting pulls that are too old to be shown. See policy/retention.py."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select
from sqlalchemy.orm import aliased

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import in_batches, write
from ..connections.link_sessions import LinkSession
from . import kinds
from .pulls import CLOCK, DONE, PERSON, QUEUED, RUNNING, WEBHOOK, Pull, PullItem


def delete_of_items(item_ids: Sequence[int], most: int) -> int:
    """Delete what old pulls did at these Items, at most so many parts, and return how many.

    The last ones of each Item stay. A pull goes with its last part.
    """
    place = func.row_number().over(partition_by=PullItem.item_id, order_by=PullItem.id.desc())
    theirs = select(PullItem.id, PullItem.pull_id, place.label("place"))
    ranked = theirs.where(PullItem.item_id.in_(item_ids)).subquery()
    query = select(ranked.c.id, ranked.c.pull_id).join(Pull, Pull.id == ranked.c.pull_id)
    return _delete_parts(query.where(ranked.c.place > policy.HISTORY_KEPT, *_is_old()).limit(most))


def delete_quiet(item_ids: Sequence[int], most: int) -> int:
    """Do the same with pulls that nobody asked for and that found nothing.

    The last one of each kind stays: it says when the bank was last asked.
    """
    groups = PullItem.item_id, Pull.kind
    place = func.row_number().over(partition_by=groups, order_by=PullItem.id.desc())
    found = select(PullItem.id, PullItem.pull_id, Pull.created_at, place.label("place"))
    found = found.join(Pull, Pull.id == PullItem.pull_id)
    ranked = found.where(PullItem.item_id.in_(item_ids), *_found_nothing()).subquery()
    is_old = ranked.c.created_at < now() - policy.QUIET_PULLS_KEPT
    query = select(ranked.c.id, ranked.c.pull_id).where(ranked.c.place > 1, is_old)
    return _delete_parts(query.limit(most))


def delete_of_people(user_ids: Sequence[int], most: int) -> int:
    """Delete old pulls of these people without Items, such as one that made no connection."""
    theirs = Pull.user_id.in_(user_ids), ~_has_parts(), *_is_old()
    query = select(Pull.id).where(*theirs).limit(most)
    return write(delete(Pull).where(Pull.id.in_(query)))


def _delete_parts(query: Select[int, int]) -> int:
    """`query` finds the ids of parts, and of their pulls."""
    parts = db.session.execute(query).all()
    for some in in_batches(parts):
        write(delete(PullItem).where(PullItem.id.in_([part_id for part_id, _ in some])))
        pull_ids = {pull_id for _, pull_id in some}
        write(delete(Pull).where(Pull.id.in_(pull_ids), ~_has_parts()))
    return len(parts)


def _has_parts() -> ColumnElement[bool]:
    return exists().where(PullItem.pull_id == Pull.id)


def _is_old() -> Sequence[ColumnElement[bool]]:
    """It is over, and neither a page nor a job needs it.

    A pull with sealed parameters may have a connection to remove when everything is deleted.
    """
    newer = aliased(Pull)
    theirs = newer.user_id == Pull.user_id, newer.asked_by == PERSON
    last = select(newer.id).where(*theirs).order_by(newer.id.desc())
    oldest_shown = last.offset(policy.LATEST_PULLS_KEPT - 1).limit(1).scalar_subquery()
    return (
        Pull.created_at < now() - policy.PULLS_KEPT,
        Pull.state.not_in((QUEUED, RUNNING)),
        Pull.sealed.is_(None),
        ~exists().where(LinkSession.pull_id == Pull.id),
        or_(Pull.asked_by != PERSON, Pull.id < oldest_shown),
    )


def _found_nothing() -> Sequence[ColumnElement[bool]]:
    can_be_quiet = kinds.names(lambda kind: not (kind.connects or kind.persists))
    counts = PullItem.added, PullItem.modified, PullItem.removed, PullItem.kept
    return (
        Pull.asked_by.in_((WEBHOOK, CLOCK)),
        Pull.state == DONE,
        Pull.kind.in_(can_be_quiet),
        *(count == 0 for count in (*counts, PullItem.accounts_kept)),
        func.coalesce(PullItem.differences, 0) == 0,
        PullItem.started_over.is_(False),
        PullItem.refusal.is_(None),
        PullItem.error_code.is_(None),
    )
