"""Which workers and which clock are there, and what each is doing.

RQ's workers write what they do to Redis. The clock writes what it has done to the database, so that
this can be read while Redis is away.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from rq.utils import utcparse
from rq.worker_registration import REDIS_WORKER_KEYS

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.health import duties

PULL_JOB = re.compile(r"pull-(\d+)-\d+:")
FIELDS = ("hostname", "pid", "birth", "last_heartbeat")
MOST_WORKERS = 1_000


@dataclass(frozen=True)
class Worker:
    """A worker that RQ knows.

    An idle one writes only every seven minutes that it is there. A busy one may be gone for ten
    minutes before RQ forgets it; what it works on has a heartbeat of its own (Pull.heartbeat_at).
    """

    host: str
    process_id: str
    began_at: datetime
    seen_at: datetime
    is_busy: bool
    pull_id: int | None
    """The pull that it works on."""


def workers(connection: redis.Redis) -> list[Worker]:
    """Return the workers, the newest first. Raises redis.RedisError."""
    keys = sorted(_texts(connection.smembers(REDIS_WORKER_KEYS)))[:MOST_WORKERS]
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, *FIELDS)
            pipeline.smembers(f"{key}:executions")
        found = pipeline.execute()
    read = [
        _worker(_texts(values), _texts(jobs))
        for values, jobs in zip(found[::2], found[1::2], strict=True)
        if all(values)  # others are forgotten
    ]
    return sorted(filter(None, read), key=lambda worker: worker.began_at, reverse=True)


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


class Diary:
    """What a clock has done since it last stored that."""

    def __init__(self) -> None:
        self._ran: dict[str, tuple[datetime, float]] = {}
        self._saved = float("-inf")

    @contextmanager
    def duty(self, name: str) -> Iterator[None]:
        """Note that the block is this duty, if it succeeds."""
        begun = time.monotonic()
        yield
        self._ran[name] = now(), time.monotonic() - begun

    def save(self) -> None:
        """Store it, at most once in policy.DUTIES_NOTED, and nothing that a duty has left over."""
        db.session.rollback()
        if self._ran and time.monotonic() - self._saved > policy.DUTIES_NOTED:
            duties.save(self._ran)
            db.session.commit()
            self._ran, self._saved = {}, time.monotonic()


def last_tick() -> datetime | None:
    """Return when a clock last did something; None if none ever has."""
    return max((duty.ran_at for duty in duties.every()), default=None)


def clock_is_alive() -> bool:
    ticked = last_tick()
    return ticked is not None and now() - ticked < policy.CLOCK_GONE
