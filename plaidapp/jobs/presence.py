"""Which workers and which clock are there, and what each is doing.

RQ's workers write what they do to Redis. The clock writes what it has done to the database
(`diary.py`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from rq import Queue
from rq.utils import utcparse
from rq.worker_registration import REDIS_WORKER_KEYS

from plaidapp import policy
from plaidapp.metrics.processes import processes
from plaidapp.store.base.types import now
from plaidapp.store.health import duties
from plaidapp.store.health.duties import Duty

from . import clock, clock_threads

PULL_JOB = re.compile(r"pull-(\d+)-\d+:")
FIELDS = ("hostname", "pid", "birth", "last_heartbeat")
MOST_WORKERS, MOST_QUEUES = 1_000, 20
TICKS = {duty.__name__ for duty in clock.DUTIES}
DUTIES = TICKS | clock_threads.DUTIES.keys()
"""What a clock of this version does. The database may have names of another version."""


@dataclass(frozen=True)
class Worker:
    """A worker that RQ knows, and that was not killed."""

    host: str
    process_id: str
    began_at: datetime
    seen_at: datetime
    is_busy: bool
    pull_id: int | None
    """The pull that it works on."""


def workers(connection: redis.Redis) -> list[Worker]:
    """Return the workers, the newest first. Raises redis.RedisError.

    RQ forgets one that was killed only after ten minutes. So one whose process has stopped sending
    what it counts is left out. A plain `rq worker` sends nothing, and is believed that long.
    """
    keys = sorted(_texts(connection.smembers(REDIS_WORKER_KEYS)))[:MOST_WORKERS]
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, *FIELDS)
            pipeline.smembers(f"{key}:executions")
        found = pipeline.execute()
    known = processes(connection)
    alive = {(each.host, each.process_id) for each in known if each.is_alive}
    silent = {(each.host, each.process_id) for each in known} - alive
    read = [
        _worker(_texts(values), _texts(jobs))
        for values, jobs in zip(found[::2], found[1::2], strict=True)
        if all(values)  # others are forgotten
    ]
    running = [
        each for each in read if each is not None and (each.host, each.process_id) not in silent
    ]
    return sorted(running, key=lambda worker: worker.began_at, reverse=True)


def _worker(fields: list[str], jobs: list[str]) -> Worker | None:
    host, process_id, birth, heartbeat = fields
    pull = next(filter(None, map(PULL_JOB.match, jobs)), None)
    try:
        began_at, seen_at = utcparse(birth), utcparse(heartbeat)
    except ValueError:  # not RQ's
        return None
    return Worker(
        host=host,
        process_id=process_id,
        began_at=began_at,
        seen_at=seen_at,
        is_busy=bool(jobs),
        pull_id=int(pull[1]) if pull else None,
    )


def _texts(values: Iterable[Any]) -> list[str]:
    return [value.decode(errors="replace") for value in values]


def queues(connection: redis.Redis) -> dict[str, float]:
    """Return how many jobs are in each queue of RQ. Raises redis.RedisError."""
    keys = sorted(_texts(connection.smembers(Queue.redis_queues_keys)))[:MOST_QUEUES]
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.llen(key)
        lengths = pipeline.execute()
    names = (key.removeprefix(Queue.redis_queue_namespace_prefix) for key in keys)
    return dict(zip(names, map(float, lengths), strict=True))


def duties_done() -> dict[str, Duty]:
    """Return what clocks have done, by name, if this version still does that."""
    return {duty.name: duty for duty in duties.every() if duty.name in DUTIES}


def last_tick() -> datetime | None:
    """Return when a clock last did something, other than in a thread; None if none ever has."""
    ticked = [duty.ran_at for duty in duties_done().values() if duty.name in TICKS]
    return max(ticked, default=None)


def clock_is_alive() -> bool:
    ticked = last_tick()
    return ticked is not None and now() - ticked < policy.CLOCK_GONE


def late_duties() -> list[str]:
    """Return what clocks have tried in vain for long, or have never come to again."""
    return [name for name, duty in duties_done().items() if now() - duty.ran_at > policy.DUTY_LATE]
