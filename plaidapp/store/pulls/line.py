"""Which pulls the workers are told of, and in which order.

Clicks go first. But a person has only a few pulls in the line at a time: their others wait in the
database, so that somebody who presses a hundred buttons delays nobody else.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, or_, select, update
from sqlalchemy.orm.attributes import set_committed_value

from plaidapp import policy
from plaidapp.extensions import db, glance

from ..base.types import Moment, now
from ..base.writes import write
from .pulls import PERSON, QUEUED, RUNNING, Pull
from .transitions import TABLE

_IS_DUE = Pull.run_after <= bindparam("now", type_=Moment)
_IN_LINE = (
    Pull.asked_by == PERSON,
    Pull.state.in_((QUEUED, RUNNING)),
    or_(Pull.state == RUNNING, _IS_DUE),
)
"""The clicks of all persons that run, or could. A click's queries are made once, to be quick."""


def due() -> Sequence[Pull]:
    """Return queued pulls that are due and have not been rung for recently: policy.QUEUE_FILL.

    Those that a person asked for come first, a few of each person. Of the others, the one that has
    been due longest does.
    """
    clicks = _due(Pull.id.in_(_next_of_each()), policy.QUEUE_FILL)
    return [*clicks, *_due(Pull.asked_by != PERSON, policy.QUEUE_FILL - len(clicks))]


def _next_of_each() -> ScalarSelect[int]:
    """Select the first policy.PULLS_AHEAD pulls of each person that run or are due."""
    order = (Pull.state.desc(), Pull.run_after, Pull.id)  # "running" comes before "queued"
    place = func.row_number().over(partition_by=Pull.user_id, order_by=order).label("place")
    line = select(Pull.id, place).where(*_IN_LINE).subquery()
    return select(line.c.id).where(line.c.place <= policy.PULLS_AHEAD).scalar_subquery()


_AHEAD = (
    select(func.count().label("number"))
    .select_from(Pull)
    .where(
        *_IN_LINE,
        Pull.user_id == bindparam("user_id"),
        Pull.id != bindparam("pull_id"),
        or_(Pull.state == RUNNING, Pull.rung_at.is_not(None)),
    )
)
AHEAD = _AHEAD.subquery()
"""How many clicks of `user_id` go before `pull_id` at the moment `now`."""


def has_its_turn(pull: Pull) -> bool:
    """May a worker have this click now? Not if the person has policy.PULLS_AHEAD that go first."""
    values = {"user_id": pull.user_id, "pull_id": pull.id, "now": now()}
    return is_turn(db.session.scalar(_AHEAD, values) or 0)


def is_turn(ahead: int) -> bool:
    return ahead < policy.PULLS_AHEAD


_NEXT = (
    select(Pull.id)
    .where(
        *_IN_LINE,
        Pull.user_id == bindparam("user_id"),
        Pull.rung_at.is_(None),
        Pull.state == QUEUED,
    )
    .order_by(Pull.run_after, Pull.id)
    .limit(1)
)


def next_click(user_id: int) -> Pull | None:
    """Return the person's first click that no worker has been told of."""
    found = glance(_NEXT, user_id=user_id, now=now())  # after most pulls there is none
    return db.session.get(Pull, found.id) if found else None


def room_for_checks() -> int:
    """Return how many checks the clock may add: few, or none, if much else is due."""
    due_now = Pull.asked_by != PERSON, Pull.state == QUEUED, Pull.run_after <= now()
    some = select(Pull.id).where(*due_now).limit(policy.CHECKS_AHEAD).subquery()
    return policy.CHECKS_AHEAD - (db.session.scalar(select(func.count()).select_from(some)) or 0)


def _due(asked_by: ColumnElement[bool], limit: int) -> Sequence[Pull]:
    moment = now()
    return db.session.scalars(
        select(Pull)
        .where(
            asked_by,
            Pull.state == QUEUED,
            _IS_DUE,
            or_(
                Pull.rung_at.is_(None),
                Pull.rung_at < Pull.run_after,
                Pull.rung_at < moment - policy.RING_AGAIN,
            ),
        )
        .order_by(Pull.run_after)
        .limit(limit),
        {"now": moment},
    ).all()


_RUNG = (
    update(TABLE)
    .where(TABLE.c.id.in_(bindparam("pull_ids", expanding=True)))
    .values(rung_at=bindparam("moment"))
)


def mark_rung(rung: Sequence[Pull]) -> None:
    """Call this before ringing, so that one commit is enough."""
    _set_rung_at(rung, now())


def mark_unrung(rung: Sequence[Pull]) -> None:
    """Ringing has failed: the clock rings for them at its next tick."""
    _set_rung_at(rung, None)


def _set_rung_at(rung: Sequence[Pull], moment: datetime | None) -> None:
    """Without a new revision: no watching page has to change for it."""
    write(_RUNG, {"pull_ids": [pull.id for pull in rung], "moment": moment})
    for pull in rung:
        set_committed_value(pull, "rung_at", moment)
