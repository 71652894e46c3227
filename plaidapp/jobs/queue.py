"""The doorbell: the only place that puts a job on RQ.

The pull's row is what counts. Ringing tells a worker at once; if Redis is away the row stays and
the sweep rings later.
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
from plaidapp.store.pulls import pulls, transitions

log = logging.getLogger(__name__)

NAME = "default"
FAILED_JOB_KEPT = 600
"""Seconds RQ keeps a job that crashed; why it did is in the log and on the row."""
JOBS = {
    pulls.LINK: "plaidapp.jobs.run.link",
    pulls.ACCOUNTS: "plaidapp.jobs.run.accounts",
    pulls.TRANSACTIONS: "plaidapp.jobs.run.transactions",
    pulls.TOTAL: "plaidapp.jobs.run.transactions",
    pulls.REPAIR: "plaidapp.jobs.run.repair",
    pulls.REMOVE: "plaidapp.jobs.run.remove",
    pulls.RECURRING: "plaidapp.jobs.run.recurring",
}


def connect(url: str) -> redis.Redis:
    """A client that gives up soon: redis-py's defaults would hold a page for a minute.

    One retry, since a kept connection may have been closed by the other side meanwhile.
    """
    return redis.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1)
    )


def ring(pull: Pull) -> bool:
    """Commits the caller's transaction, then tells a worker: one commit, one round trip to Redis.

    The commit says that the queue was told, which the sweep believes for `policy.RING_AGAIN`; when
    Redis turns out to be away that is taken back, and nothing else is lost. False then.

    Ids only go into the job. Its own id names the attempt, so that a pull rung twice before a
    worker took it stands in the queue once: the later entry is taken out again.
    """
    transitions.mark_rung([pull])
    db.session.commit()
    connection: redis.Redis = current_app.extensions["redis"]
    queue = Queue(NAME, connection=connection)
    try:
        with connection.pipeline() as pipeline:
            pipeline.lpos(queue.key, _job_id(pull))
            queue.enqueue_many([_job(pull)], pipeline=pipeline)
            stood_there, *_ = pipeline.execute()
        if stood_there is not None:
            connection.lrem(queue.key, -1, _job_id(pull))
    except redis.RedisError as error:
        _wait_for_the_sweep([pull], error)
        return False
    return True


def ring_all(due: Sequence[Pull]) -> bool:
    """`ring` for many at once, in two round trips; those that stand in the queue keep their place.

    A tenth of the time that they would take one by one.
    """
    transitions.mark_rung(due)
    db.session.commit()
    queue = Queue(NAME, connection=current_app.extensions["redis"])
    try:
        waiting = set(queue.job_ids)
        queue.enqueue_many([_job(pull) for pull in due if _job_id(pull) not in waiting])
    except redis.RedisError as error:
        _wait_for_the_sweep(due, error)
        return False
    return True


def _job_id(pull: Pull) -> str:
    return f"pull-{pull.id}-{pull.attempt}"


def _job(pull: Pull) -> EnqueueData:
    return Queue.prepare_data(
        JOBS[pull.kind],
        args=(pull.id,),
        job_id=_job_id(pull),
        timeout=policy.JOB_TIMEOUT,
        result_ttl=0,
        failure_ttl=FAILED_JOB_KEPT,
        description=_job_id(pull),
    )


def _wait_for_the_sweep(told: Sequence[Pull], error: redis.RedisError) -> None:
    log.warning("Redis is away, %s pulls wait for the sweep: %s", len(told), type(error).__name__)
    transitions.mark_unrung(told)
    db.session.commit()
