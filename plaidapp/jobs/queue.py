"""The doorbell: the only place that puts a job on RQ.

The database is the queue of record. Ringing tells a worker at once; if Redis is away, the row stays
and the clock rings later.
"""

import logging
from collections.abc import Sequence

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.queue import EnqueueData

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.pulls import transitions

log = logging.getLogger(__name__)

NAME = "default"
FAILED_JOB_KEPT = 600
"""Seconds that RQ keeps a crashed job. The log and the pull's row say why it crashed."""
JOB = "plaidapp.jobs.run.run"
"""The function that RQ calls, whatever the kind of pull."""


def connect(url: str) -> redis.Redis:
    """Return a client that gives up after a second: redis-py's defaults hold a page for a minute.

    It retries once, because Redis may have closed a pooled connection.
    """
    return redis.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1)
    )


def ring(pull: Pull) -> bool:
    """Commit the caller's transaction, then tell a worker: one commit, one round trip to Redis.

    The commit includes `rung_at`, so the clock does not ring again for `policy.RING_AGAIN`. If
    Redis is away, `rung_at` is cleared, and the result is False.

    A job holds ids only. Its own id contains the attempt, so that a pull rung twice before a worker
    takes it is in the queue once: the later entry is removed again.
    """
    transitions.mark_rung([pull])
    db.session.commit()
    connection: redis.Redis = current_app.extensions["redis"]
    queue = Queue(NAME, connection=connection)
    try:
        with connection.pipeline() as pipeline:
            pipeline.lpos(queue.key, _job_id(pull))
            queue.enqueue_many([_job(pull)], pipeline=pipeline)
            earlier, *_ = pipeline.execute()
        if earlier is not None:
            connection.lrem(queue.key, -1, _job_id(pull))
    except redis.RedisError as error:
        _leave_to_the_clock([pull], error)
        return False
    return True


def ring_all(due: Sequence[Pull]) -> bool:
    """As `ring`, for many pulls in two round trips: ten times as fast as one by one.

    Pulls that are in the queue keep their place.
    """
    transitions.mark_rung(due)
    db.session.commit()
    queue = Queue(NAME, connection=current_app.extensions["redis"])
    try:
        waiting = set(queue.job_ids)
        queue.enqueue_many([_job(pull) for pull in due if _job_id(pull) not in waiting])
    except redis.RedisError as error:
        _leave_to_the_clock(due, error)
        return False
    return True


def _job_id(pull: Pull) -> str:
    return f"pull-{pull.id}-{pull.attempt}"


def _job(pull: Pull) -> EnqueueData:
    return Queue.prepare_data(
        JOB,
        args=(pull.id,),
        job_id=_job_id(pull),
        timeout=policy.JOB_TIMEOUT,
        result_ttl=0,
        failure_ttl=FAILED_JOB_KEPT,
        description=_job_id(pull),
    )


def _leave_to_the_clock(rung: Sequence[Pull], error: redis.RedisError) -> None:
    log.warning("Redis is away, %s pulls wait for the clock: %s", len(rung), type(error).__name__)
    transitions.mark_unrung(rung)
    db.session.commit()
