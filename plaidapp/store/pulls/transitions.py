"""Who works on a pull, and when. Each move is one UPDATE that tells whether it was ours to make.

A pull's `attempt` counts its claims and fences them: a worker that was given up for dead and comes
back cannot write over its successor.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Table, Update, bindparam, func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.texts import gettext_noop

from ..base.types import now
from .pulls import DISMISSED, FAILED, QUEUED, RUNNING, Pull


def _update(*conditions: Any, **values: Any) -> int:
    """Updates pulls in SQL alone, so that it can be told who won. Returns the rows changed."""
    result = db.session.execute(
        update(Pull)
        .where(*conditions)
        .values(**values, revision=Pull.revision + 1)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], result).rowcount


TABLE = cast(Table, Pull.__table__)
_MOMENT = bindparam("moment", type_=TABLE.c.run_after.type)
_CLAIM = (
    update(TABLE)
    .where(
        TABLE.c.id == bindparam("pull_id"),
        TABLE.c.state == QUEUED,
        TABLE.c.run_after <= _MOMENT,
    )
    .values(
        state=RUNNING,
        attempt=TABLE.c.attempt + 1,
        started_at=func.coalesce(TABLE.c.started_at, _MOMENT),
        heartbeat_at=_MOMENT,
        error_code=None,
        error_message=None,
        revision=TABLE.c.revision + 1,
    )
)


def claim(pull_id: int) -> bool:
    """Takes a due pull for this worker; False when another has it or it is over."""
    return _changed(_CLAIM, pull_id=pull_id, moment=now())


def touch(pull_id: int, attempt: int, **values: Any) -> bool:
    """A sign of life from this attempt, with what changed; False when it lost the pull."""
    values["heartbeat_at"] = now()
    new = {f"new_{name}": value for name, value in values.items()}
    return _changed(_touch(tuple(values)), pull_id=pull_id, fence=attempt, **new)


@functools.cache  # each job does it a few times, and to build it takes longer than to run it
def _touch(names: tuple[str, ...]) -> Update:
    ours = (TABLE.c.id == bindparam("pull_id")) & (TABLE.c.attempt == bindparam("fence"))
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return (
        update(TABLE)
        .where(ours, TABLE.c.state == RUNNING)
        .values(revision=TABLE.c.revision + 1, **new)
    )


def _changed(statement: Update, **values: Any) -> bool:
    return cast(CursorResult[Any], db.session.execute(statement, values)).rowcount == 1


def beat(pull_id: int, attempt: int) -> None:
    """A sign of life and nothing else."""
    db.session.execute(
        update(Pull)
        .where(Pull.id == pull_id, Pull.attempt == attempt, Pull.state == RUNNING)
        .values(heartbeat_at=now())
        .execution_options(synchronize_session=False)
    )


def hurry(pull_id: int) -> bool:
    """Ends a queued pull's wait for the bank to get ready; after a failure it waits on.

    A pull that is due stays as it is: a worker may be about to claim it.
    """
    moment = now()
    return bool(
        _update(
            Pull.id == pull_id,
            Pull.state == QUEUED,
            Pull.failures == 0,
            Pull.run_after > moment,
            run_after=moment,
        )
    )


def due() -> Sequence[Pull]:
    """Queued pulls whose time has come and whom no worker has been told of lately."""
    moment = now()
    return db.session.scalars(
        select(Pull)
        .where(
            Pull.state == QUEUED,
            Pull.run_after <= moment,
            db.or_(
                Pull.rung_at.is_(None),
                Pull.rung_at < Pull.run_after,
                Pull.rung_at < moment - policy.RING_AGAIN,
            ),
        )
        .order_by(Pull.run_after)
        .limit(policy.DUE_BATCH)
    ).all()


_RUNG = (
    update(TABLE)
    .where(TABLE.c.id.in_(bindparam("pull_ids", expanding=True)))
    .values(rung_at=bindparam("moment"))
)


def mark_rung(told: Sequence[Pull]) -> None:
    """A worker is about to be told of them."""
    _set_rung_at(told, now())


def mark_unrung(told: Sequence[Pull]) -> None:
    """No worker could be told of them: they are due at once."""
    _set_rung_at(told, None)


def _set_rung_at(told: Sequence[Pull], moment: datetime | None) -> None:
    """Not worth a revision, but what is shown next is to say it."""
    db.session.execute(_RUNG, {"pull_ids": [pull.id for pull in told], "moment": moment})
    for pull in told:
        set_committed_value(pull, "rung_at", moment)


def reclaim_orphans() -> int:
    """Queues again every running pull whose worker has gone quiet; returns how many.

    One that has outlived ever so many workers is what kills them, and ends.
    """
    moment = now()
    orphaned = (Pull.state == RUNNING) & (Pull.heartbeat_at < moment - policy.HEARTBEAT_LIMIT)
    _update(
        orphaned,
        Pull.attempt >= policy.MAX_ATTEMPTS,
        state=FAILED,
        ended_at=moment,
        error_code="WORKER_LOST",
        error_message=gettext_noop(
            "This was interrupted too many times. Your stored data is safe."
        ),
    )
    return _update(orphaned, state=QUEUED, run_after=moment)


def queue_again(pull_id: int) -> bool:
    """A person pressed *Try again*: at once, with a clean slate. False while it is running."""
    return bool(
        _update(
            Pull.id == pull_id,
            Pull.state.in_((QUEUED, FAILED)),
            state=QUEUED,
            run_after=now(),
            failures=0,
            error_code=None,
            error_message=None,
            ended_at=None,
        )
    )


def dismiss(pull_id: int) -> bool:
    """A person has read why it failed. False when it has not.

    The Item's history keeps it; what only trying again would read is forgotten.
    """
    return bool(_update(Pull.id == pull_id, Pull.state == FAILED, state=DISMISSED, sealed=None))
