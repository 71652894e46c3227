"""Which pulls the workers are told of, and in which order.

Clicks go first, then what webhooks have asked for, then the rest. Of the first two, a person has
only a few pulls in the line at a time: their others wait in the database, so that somebody with a
hundred buttons pressed, or a hundred connections, delays nobody else.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    bindparam,
    case,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningInsert

from plaidapp import policy
from plaidapp.extensions import db, glance

from ..base.types import Moment, now
from ..base.writes import one_of, write
from . import kinds
from .pulls import PARTS, PERSON, QUEUED, RUNNING, TABLE, WEBHOOK, Pull

_IS_DUE = TABLE.c.run_after <= bindparam("now", type_=Moment)
TAKING_TURNS = (PERSON, WEBHOOK)


def _in_line(asked_by: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions: the pulls of all persons that run, or could."""
    return (
        TABLE.c.asked_by == asked_by,
        one_of(TABLE.c.state, (QUEUED, RUNNING)),
        or_(TABLE.c.state == RUNNING, _IS_DUE),
    )


def due() -> Sequence[Pull]:
    """Return queued pulls that are due and have not been rung for recently: policy.QUEUE_FILL.

    Those that a person asked for come first, then those of webhooks, a few of each person. Of the
    others, those that have been due longest, and of these one of each person after another.
    """
    found: list[Pull] = []
    for asked_by in TAKING_TURNS:
        found += _next_of_each(asked_by, policy.QUEUE_FILL - len(found))
    return [*found, *_by_turns(_others(policy.QUEUE_FILL - len(found)))]


def _next_of_each(asked_by: str, limit: int) -> Sequence[Pull]:
    """Return those to ring for, of the first policy.PULLS_AHEAD of each person that run or are due.

    They are numbered and chosen first, and then looked up. PostgreSQL may not know yet that very
    many are due. If it looked for each of them among the numbered, that would take minutes.
    """
    order = (Pull.state.desc(), Pull.run_after, Pull.id)  # "running" comes before "queued"
    place = func.row_number().over(partition_by=Pull.user_id, order_by=order).label("place")
    columns = Pull.id, Pull.state, Pull.run_after, Pull.rung_at
    line = select(*columns, place).where(*_in_line(asked_by)).subquery().c
    may_go = line.place <= policy.PULLS_AHEAD, line.state == QUEUED, _to_ring(line)
    chosen = select(line.id).where(*may_go).order_by(line.run_after).limit(limit).subquery()
    query = select(Pull).join(chosen, Pull.id == chosen.c.id).order_by(Pull.run_after)
    return db.session.scalars(query, {"now": now()}).all()


def _others(limit: int) -> Sequence[Pull]:
    """Return those to ring for that neither a person nor a webhook has asked for."""
    take_no_turns = Pull.asked_by.not_in(TAKING_TURNS)
    query = select(Pull).where(take_no_turns, Pull.state == QUEUED, _IS_DUE, _to_ring(Pull))
    return db.session.scalars(query.order_by(Pull.run_after).limit(limit), {"now": now()}).all()


def _to_ring(pull: Any) -> ColumnElement[bool]:
    """Condition: no worker has been told of it lately. `pull` has the columns."""
    lately = now() - policy.RING_AGAIN
    return or_(pull.rung_at.is_(None), pull.rung_at < pull.run_after, pull.rung_at < lately)


def _by_turns(pulls: Iterable[Pull]) -> list[Pull]:
    """Return the first pull of each person, then the second of each, and so on."""
    number: Counter[int] = Counter()
    turns: list[tuple[int, Pull]] = []
    for pull in pulls:
        number[pull.user_id] += 1
        turns.append((number[pull.user_id], pull))
    return [pull for _, pull in sorted(turns, key=lambda turn: turn[0])]


@functools.cache  # made once, to be quick
def _ahead(asked_by: str) -> Select[int]:
    return (
        select(func.count().label("number"))
        .select_from(TABLE)
        .where(
            *_in_line(asked_by),
            TABLE.c.user_id == bindparam("person"),
            TABLE.c.id != bindparam("pull_id"),
            or_(TABLE.c.state == RUNNING, TABLE.c.rung_at.is_not(None)),
        )
    )


AHEAD = _ahead(PERSON).subquery()
"""How many clicks of the `person` go before `pull_id` at the moment `now`."""


def is_turn(ahead: int) -> bool:
    """May a worker have a pull now that so many of the person's go before?"""
    return ahead < policy.PULLS_AHEAD


@functools.cache
def _has_turn(asked_by: str) -> ColumnElement[bool]:
    ahead = _ahead(asked_by).correlate(None).scalar_subquery()
    return ahead < bindparam("limit")


@functools.cache
def _take_turn(asked_by: str) -> Update:
    its_turn = TABLE.c.id == bindparam("pull_id"), _has_turn(asked_by)
    return update(TABLE).where(*its_turn).values(rung_at=bindparam("now"))


@functools.cache
def _add(asked_by: str) -> ReturningInsert[int, datetime | None]:
    moment = bindparam("now", type_=Moment)
    turn = case((_has_turn(asked_by), moment)) if asked_by in TAKING_TURNS else null()
    values = {"asked_by": asked_by, "created_at": moment, "run_after": moment, "rung_at": turn}
    new = insert(TABLE).values(user_id=bindparam("person"), kind=bindparam("name"), **values)
    return new.returning(TABLE.c.id, TABLE.c.rung_at)


_ADD_PART = insert(PARTS)


def add(user_id: int, kind: str, item_id: int, asked_by: str) -> Pull:
    """Add a queued pull over one Item, and take its turn if it has one. Most webhooks add such a
    pull, so this takes two statements only.

    The pull is not in the session. The caller rings for one of a webhook, and only commits one of
    the clock. Raises ValueError for an unknown kind.
    """
    kinds.of(kind)
    moment = now()
    values = {"person": user_id, "name": kind, "now": moment}
    turn = {"pull_id": 0, "limit": policy.PULLS_AHEAD}
    pull_id, rung_at = db.session.execute(_add(asked_by), values | turn).one()
    write(_ADD_PART, {"pull_id": pull_id, "item_id": item_id})
    pull = Pull(
        id=pull_id,
        user_id=user_id,
        kind=kind,
        asked_by=asked_by,
        state=QUEUED,
        attempt=0,
        run_after=moment,
        rung_at=rung_at,
    )
    pull.turn_is_known = asked_by in TAKING_TURNS
    return pull


def take_turn(pull: Pull) -> bool:
    """As `mark_rung`, if it is the pull's turn. Otherwise change nothing and return False."""
    if pull.turn_is_known:
        return pull.rung_at is not None
    if pull.asked_by not in TAKING_TURNS:
        mark_rung([pull])
        return True
    moment = now()
    values = {"person": pull.user_id, "pull_id": pull.id, "now": moment}
    is_taken = write(_take_turn(pull.asked_by), values | {"limit": policy.PULLS_AHEAD}) == 1
    if is_taken:
        set_committed_value(pull, "rung_at", moment)
    return is_taken


@functools.cache
def _next(asked_by: str) -> Select[Any]:
    return (
        select(Pull.id)
        .where(
            *_in_line(asked_by),
            Pull.user_id == bindparam("user_id"),
            Pull.rung_at.is_(None),
            Pull.state == QUEUED,
        )
        .order_by(Pull.run_after, Pull.id)
        .limit(1)
    )


def next_after(pull: Pull) -> Pull | None:
    """Return the person's first pull like this one that no worker has been told of."""
    if pull.asked_by not in TAKING_TURNS:
        return None
    found = glance(_next(pull.asked_by), user_id=pull.user_id, now=now())  # mostly there is none
    return db.session.get(Pull, found.id) if found else None


def room_for_checks() -> int:
    """Return how many checks the clock may add: few, or none, if much else is due."""
    due_now = Pull.asked_by != PERSON, Pull.state == QUEUED, Pull.run_after <= now()
    some = select(Pull.id).where(*due_now).limit(policy.CHECKS_AHEAD).subquery()
    return policy.CHECKS_AHEAD - (db.session.scalar(select(func.count()).select_from(some)) or 0)


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
