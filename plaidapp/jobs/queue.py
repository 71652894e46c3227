"""The doorbell: the only place that puts a job on RQ.

The pull's row is what counts. Ringing tells a worker at once; if Redis is away the row stays and
the sweep rings later.
"""

import logging

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

from plaidapp.extensions import db
from plaidapp.store import Pull, claims, pulls

log = logging.getLogger(__name__)

NAME = "default"
JOB_TIMEOUT = 600
"""Seconds a job may take. A stuck one is ended, and its pull goes on by the sweep."""
FAILED_JOB_KEPT = 600
"""Seconds RQ keeps a job that crashed; why it did is in the log and on the row."""
JOBS = {
    pulls.LINK: "plaidapp.jobs.pulls.link",
    pulls.ACCOUNTS: "plaidapp.jobs.pulls.accounts",
    pulls.TRANSACTIONS: "plaidapp.jobs.pulls.transactions",
    pulls.TOTAL: "plaidapp.jobs.pulls.transactions",
    pulls.REPAIR: "plaidapp.jobs.pulls.repair",
    pulls.REMOVE: "plaidapp.jobs.pulls.remove",
    pulls.RECURRING: "plaidapp.jobs.pulls.recurring",
}


def connect(url: str) -> redis.Redis:
    """A client that gives up soon: redis-py's defaults would hold a page for a minute.

    One retry, since a kept connection may have been closed by the other side meanwhile.
    """
    return redis.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 1)
    )


def ring(pull: Pull) -> bool:
    """Tells a worker about a committed pull. False, and no harm done, when Redis is away.

    Ids only go into the job. Its own id names the attempt, so that a pull rung twice before a
    worker took it stands in the queue once.
    """
    connection: redis.Redis = current_app.extensions["redis"]
    queue = Queue(NAME, connection=connection)
    job_id = f"pull-{pull.id}-{pull.attempt}"
    try:
        if connection.lpos(queue.key, job_id) is None:
            queue.enqueue_call(
                JOBS[pull.kind],
                args=(pull.id,),
                job_id=job_id,
                timeout=JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILED_JOB_KEPT,
                description=job_id,
            )
    except redis.RedisError as error:
        log.warning("Redis is away, pull %s waits for the sweep: %s", pull.id, type(error).__name__)
        return False
    claims.mark_rung(pull.id)
    db.session.commit()
    return True
