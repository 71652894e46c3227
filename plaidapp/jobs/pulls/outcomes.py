"""Count and time each attempt of a worker at a pull."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from plaidapp.metrics.counted import JOB_SECONDS, JOB_WAIT, JOBS
from plaidapp.store.pulls import pulls

from .attempt import Attempt
from .setbacks import LostPullError

LOST, CRASHED = "lost", "crashed"
ALL = (pulls.DONE, pulls.QUEUED, pulls.FAILED, LOST, CRASHED)


@contextmanager
def counted(attempt: Attempt) -> Iterator[None]:
    """Count the block, in which `attempt` is made."""
    pull, begun, outcome = attempt.pull, time.monotonic(), CRASHED
    kind = pull.kind
    if pull.heartbeat_at:  # the moment of the claim
        waited = (pull.heartbeat_at - pull.run_after).total_seconds()
        JOB_WAIT.observe(max(waited, 0.0), kind, pull.asked_by)
    try:
        yield
        outcome = attempt.outcome
    except LostPullError:
        outcome = LOST
        raise
    finally:
        JOBS.add(kind, outcome)
        JOB_SECONDS.observe(time.monotonic() - begun, kind)
