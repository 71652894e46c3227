"""The transitions of a pull's state. Each is one UPDATE that succeeds for one caller only.

A pull's `attempt` counts its claims and works as a fencing token: a worker that counted as dead and
comes back cannot overwrite what its successor writes.
"""

import functools
from typing import Any

from sqlalchemy import (
    Update,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
    update,
)

from plaidapp import policy
from plaidapp.texts import gettext_noop

from ..base.types import now
from ..base.writes import write
from ..people.users import User
from . import kinds
from .pulls import DISMISSED, DONE, FAILED, QUEUED, RUNNING, TABLE, Pull, PullItem


def change(*conditions: Any, **values: Any) -> int:
    """Update the pulls that fulfill the conditions; return how many there were."""
    return write(update(Pull).where(*conditions).values(**values, revision=Pull.revision + 1))


_MOMENT = bindparam("moment", type_=TABLE.c.run_after.type)
_IS_LEAVING = exists().where(User.id == TABLE.c.user_id, User.leaving_since.is_not(None))
"""A page that was on its way when the person left may have added a pull."""
_CLAIM = (
    update(TABLE)
    .where(
        TABLE.c.id == bindparam("pull_id"),
        TABLE.c.state == QUEUED,
        TABLE.c.run_after <= _MOMENT,
        or_(TABLE.c.kind == kinds.ERASE, ~_IS_LEAVING),
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
    """Claim a due pull for this worker. Return False if another worker has it or it is over."""
    return write(_CLAIM, {"pull_id": pull_id, "moment": now()}) == 1


def touch(pull_id: int, attempt: int, **values: Any) -> bool:
    """Write a heartbeat and `values` for this attempt. Return False if it has lost the pull."""
    values["heartbeat_at"] = now()
    new = {f"new_{name}": value for name, value in values.items()}
    return write(_touch(tuple(values)), {"pull_id": pull_id, "fence": attempt, **new}) == 1


def finish(pull_id: int, attempt: int) -> bool:
    """End the pull as done. Return False if it has to repeat, or if this attempt has lost it."""
    return write(_finish(), {"pull_id": pull_id, "fence": attempt, "moment": now()}) == 1


@functools.cache
def _finish() -> Update:
    return (
        _touch(())
        .where(TABLE.c.repeats == TABLE.c.repeats_begun)
        .values(state=DONE, ended_at=_MOMENT, heartbeat_at=_MOMENT, sealed=None)
    )


@functools.cache  # each job runs it a few times, and building it takes longer than running it
def _touch(names: tuple[str, ...]) -> Update:
    ours = (TABLE.c.id == bindparam("pull_id")) & (TABLE.c.attempt == bindparam("fence"))
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return (
        update(TABLE)
        .where(ours, TABLE.c.state == RUNNING)
        .values(revision=TABLE.c.revision + 1, **new)
    )


def repeat(pull_id: int) -> bool:
    """Have a pull that is under way ask the banks once more. Return False if it is over.

    Any number of calls while it has not begun to repeat are one repeat.
    """
    is_open = Pull.state.in_((QUEUED, RUNNING))
    return bool(change(Pull.id == pull_id, is_open, repeats=Pull.repeats_begun + 1))


def beat(pull_id: int, attempt: int) -> None:
    """Write a heartbeat and nothing else."""
    ours = (Pull.id == pull_id) & (Pull.attempt == attempt) & (Pull.state == RUNNING)
    write(update(Pull).where(ours).values(heartbeat_at=now()))


def hurry(pull_id: int, *, by_person: bool = False) -> bool:
    """If a pull waits for a bank that is still preparing, make it due. Otherwise return False.

    Only a person ends the wait after a failure too. A pull that is due is not changed, as a worker
    may be about to claim it.
    """
    moment = now()
    waits = Pull.state == QUEUED, Pull.run_after > moment
    may_fail_again = true() if by_person else Pull.failures == 0
    return bool(change(Pull.id == pull_id, *waits, may_fail_again, run_after=moment))


def reclaim_orphans() -> int:
    """Queue every running pull again whose worker sends no heartbeat; return how many there were.

    A pull that has lost too many workers fails instead: it is probably what kills them. One that
    persists has many attempts for other reasons.
    """
    moment = now()
    orphaned = (Pull.state == RUNNING) & (Pull.heartbeat_at < moment - policy.HEARTBEAT_LIMIT)
    change(
        orphaned,
        Pull.lost_workers + 1 >= policy.MAX_LOST_WORKERS,
        Pull.kind.not_in(kinds.names(lambda kind: kind.persists)),
        lost_workers=Pull.lost_workers + 1,
        state=FAILED,
        ended_at=moment,
        error_code="WORKER_LOST",
        error_message=gettext_noop(
            "This was interrupted too many times. Your stored data is safe."
        ),
    )
    again = {"state": QUEUED, "run_after": moment, "lost_workers": Pull.lost_workers + 1}
    return change(orphaned, **again)


def begin_again(*conditions: Any, **values: Any) -> int:
    """Make the pulls that fulfill the conditions due, with no failures; return how many."""
    return change(
        *conditions,
        **values,
        state=QUEUED,
        run_after=now(),
        failures=0,
        error_code=None,
        error_message=None,
        ended_at=None,
    )


def queue_again(pull_id: int) -> bool:
    """Make the pull due with no failures, for *Try again*. Return False if running or over.

    Items that failed are asked again, even if their error was final: the person may have fixed it.
    That counts as a repeat, but those that are done are not asked again.
    """
    counted = {"repeats": Pull.repeats + 1, "repeats_begun": Pull.repeats_begun + 1}
    if queued := begin_again(Pull.id == pull_id, Pull.state.in_((QUEUED, FAILED)), **counted):
        failed = (PullItem.pull_id == pull_id) & (PullItem.phase == FAILED)
        write(update(PullItem).where(failed).values(phase=QUEUED))
    return bool(queued)


def take_back(item_id: int) -> None:
    """Take the Item's running pulls from their workers, because the person disconnected it.

    Others of their Items are left to the next worker; the clock rings.
    """
    others = kinds.names(lambda kind: not kind.runs_on_ended)
    running = select(PullItem.pull_id).where(PullItem.item_id == item_id)
    change(
        Pull.id.in_(running),
        Pull.kind.in_(others),
        Pull.state == RUNNING,
        state=QUEUED,
        run_after=now(),
    )


def dismiss(pull_id: int) -> bool:
    """Hide a failed pull from the person's list. Return False if it has not failed.

    The Item's history still shows it. `sealed` is deleted, as only another attempt would need it.
    """
    return bool(change(Pull.id == pull_id, Pull.state == FAILED, state=DISMISSED, sealed=None))
