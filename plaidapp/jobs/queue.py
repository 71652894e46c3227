"""The doorbell: the only place that puts a job on RQ.

The database is the queue of record. Ringing tells a worker at once; if Redis is away, the row stays
and the clock rings later.
"""

import logging
import re
import time
from collections.abc import Sequence
from typing import Any

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.intermediate_queue import IntermediateQueue
from rq.queue import EnqueueData

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.pulls import line, pulls

from .pull_job import JOB, QUEUE, PullJob
from .pulls import lines
from .pulls.lines import KEYS, PUSH, Place

log = logging.getLogger(__name__)

PLACES = {pulls.PERSON: Place.CLICKS, pulls.WEBHOOK: Place.WEBHOOKS}
JOB_ID = re.compile(rb"[\w-]{1,100}")
"""What a job's id looks like: RQ's rule, and no longer than any of ours."""


def connect(url: str) -> redis.Redis:
    """Return a client that gives up after a second: redis-py's defaults hold a page for a minute.

    It retries once, because Redis may have closed a pooled connection.
    """
    return redis.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1)
    )


class PullQueue(Queue):
    """RQ's queue, with the lines of `pulls.lines`. Workers take only jobs of ours from it."""

    job_class = PullJob
    rests_until = 0.0
    """Until then, on the monotonic clock, this process takes clicks only, if there are any lately.
    It is of the class, as RQ has no instance where it takes a job."""
    _bell = lines.WORK_BELL
    _first = staticmethod(lines.take)

    @classmethod
    def lmove(cls, connection: redis.Redis, queue_key: str, timeout: int | None) -> Any:
        """Return a queue's key and the id of a job that was in it, or None.

        An id that can't be a job's is dropped: RQ would end the worker.
        """
        while taken := cls._take(connection, queue_key, timeout):
            if JOB_ID.fullmatch(taken[1]):
                break
            log.warning("Dropped a forged job: its id is %.100r", taken[1])
            connection.lrem(IntermediateQueue.get_intermediate_queue_key(queue_key), 1, taken[1])
        return taken

    @classmethod
    def _take(cls, connection: redis.Redis, queue_key: str, timeout: int | None) -> Any:
        taken = IntermediateQueue.get_intermediate_queue_key(queue_key)
        deadline = time.monotonic() + (timeout or 0)
        while True:
            rest = 0.0 if timeout is None else cls.rests_until - time.monotonic()
            found = cls._first(connection, queue_key, taken, rest > 0)
            if isinstance(found, bytes):
                return queue_key, found
            if timeout is None:
                return None
            if time.monotonic() > deadline:
                raise DequeueTimeout(timeout, queue_key)
            connection.blpop([cls._bell], rest if found == lines.RESTS else lines.LOOK_AGAIN)

    def push_job_id(
        self, job_id: str, pipeline: Pipeline | None = None, at_front: bool = False
    ) -> None:
        """Add a job unless it is in the queue: it keeps its place.

        `at_front` is a Place.
        """
        connection = self.connection if pipeline is None else pipeline
        connection.eval(PUSH, len(KEYS) + 1, self.key, *KEYS, job_id, int(at_front))


class ClickQueue(PullQueue):
    """The same queue, of which a worker takes the clicks and nothing else."""

    _bell = lines.CLICK_BELL
    _first = staticmethod(lines.take_click)


def ring(pull: Pull) -> bool:
    """Commit the caller's transaction, then tell a worker: one commit, one round trip to Redis.

    The commit includes `rung_at`, so the clock does not ring again for `policy.RING_AGAIN`. If
    Redis is away, `rung_at` is cleared, and the result is False. A pull that is not its person's
    turn is left to `ring_next` and the clock.

    A job holds ids only. Its own id contains the attempt, so that a pull rung twice before a worker
    takes it is in the queue once.
    """
    if line.take_turn(pull):
        return ring_marked(pull)
    db.session.commit()
    return True


def ring_marked(pull: Pull) -> bool:
    """As `ring`, for a pull that has `rung_at` already, or None if it is not its turn."""
    db.session.commit()
    if pull.rung_at is None:
        return True
    try:
        _queue().enqueue_many([_job(pull)])
    except redis.RedisError as error:
        _leave_to_the_clock([pull], error)
        return False
    return True


def ring_next(over: Pull) -> None:
    """Ring for the person's next click, or webhook, now that such a pull of theirs is over."""
    if pull := line.next_after(over):
        ring(pull)


def ring_all(due: Sequence[Pull]) -> bool:
    """As `ring`, for many pulls in two round trips: ten times as fast as one by one.

    No transaction is open while Redis is asked: one that hangs would have all of SQLite's other
    writers wait for it.

    Pulls that are in the queue keep their place. The others are added until policy.QUEUE_FILL jobs
    are in it; those of persons are added in any case.
    """
    if not due:
        return True
    queue = _queue()
    db.session.commit()
    try:
        waiting = set(queue.connection.lrange(queue.key, 0, -1))  # as bytes: some may be forged
    except redis.RedisError as error:
        _leave_to_the_clock(due, error)
        return False
    known = [pull for pull in due if _job_id(pull).encode() in waiting]
    new = [pull for pull in due if _job_id(pull).encode() not in waiting]
    clicks = [pull for pull in new if pull.asked_by == pulls.PERSON]
    others = [pull for pull in new if pull.asked_by != pulls.PERSON]
    new = clicks + others[: max(policy.QUEUE_FILL - len(waiting), 0)]
    line.mark_rung(known + new)
    db.session.commit()
    try:
        queue.enqueue_many([_job(pull) for pull in new])
    except redis.RedisError as error:
        _leave_to_the_clock(known + new, error)
        return False
    return True


def _queue() -> PullQueue:
    return PullQueue(QUEUE, connection=current_app.extensions["redis"])


def _job_id(pull: Pull) -> str:
    return f"pull-{pull.id}-{pull.attempt}"


def _job(pull: Pull) -> EnqueueData:
    return Queue.prepare_data(
        JOB,
        args=(pull.id,),
        job_id=_job_id(pull),
        timeout=policy.JOB_TIMEOUT,
        result_ttl=0,
        failure_ttl=policy.FAILED_JOB_KEPT,
        description=_job_id(pull),
        at_front=PLACES.get(pull.asked_by, Place.END),  # type: ignore[arg-type]
    )


def _leave_to_the_clock(rung: Sequence[Pull], error: redis.RedisError) -> None:
    log.warning("Redis is away, %s pulls wait for the clock: %s", len(rung), type(error).__name__)
    line.mark_unrung(rung)
    db.session.commit()
