"""RQ's SimpleWorker with nine round trips to Redis per job instead of 27, and one for clicks only.

Two overrides save the round trips: `heartbeat` and `handle_job_success`. The worker does 1.6 to 1.8
times as many jobs of a single call per second as SimpleWorker. On whole pulls it gains little: 0.96
to 1.16 times as many. The other overrides gain no speed. They end a stuck process, and let a signal
end the worker sooner, and let it go on soon after Redis was away.

It relies on what queue.ring enqueues: jobs without dependents, callbacks, repeats or results. It
leaves registries and keys as RQ's own worker does, so `rq info` works as usual.

Whoever can write to Redis can't make it run anything else: see `pull_job`. What is broken in Redis
is logged, and the worker goes on.
"""

import faulthandler
import socket
import time
from typing import Any

import redis
from redis.client import Pipeline
from redis.connection import Connection
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.utils import ensure_job_list, now

from plaidapp.policy import JOB_TIMEOUT, SILENCE_LIMIT

from .pull_job import PullJob
from .queue import ClickQueue, PullQueue
from .safe_pickle import SafePickle

STUCK = JOB_TIMEOUT + 60
"""Seconds after which a job ends its process. RQ's timeout cannot end a job that is stuck in C."""
REARM = 60
"""Seconds between two settings of the alarm for that. Each setting starts a thread."""
NOTICE_SILENCE = {
    "TCP_KEEPIDLE": 15,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": round(1000 * SILENCE_LIMIT),
}
"""Options of a connection to Redis, as far as the platform has them, as for PostgreSQL."""
REST = 4
"""While its host has clicks, a process rests so many times as long as its last job took: clicks
share the processor with it. Beside a crowd, a click took an eighth longer with 1, and with 9, or if
no such job ran at all, about as long as with 4."""
LONGEST_REST = 0.5
"""Seconds of rest at most. A long job, such as a first sync, is over then: more rest would help
nobody."""
HEARTBEAT_SKIP = 1.0
"""Seconds after a heartbeat in which another one is skipped."""


class Runner(SimpleWorker):
    """Takes SimpleWorker's options. Never logs a job's arguments."""

    log_result_lifespan = False
    job_class = PullJob
    queue_class: type[PullQueue] = PullQueue
    max_connection_wait_time = 5.0
    """The most seconds between two tries to reach Redis. RQ waits for up to a minute."""

    def __init__(self, queues: Any, *args: Any, **options: Any) -> None:
        """`rq worker` passes RQ's own classes, which trust what is in Redis: they are not used."""
        names: list[Any] = [getattr(each, "name", each) for each in ensure_job_list(queues)]
        ours = {"job_class": None, "queue_class": None, "serializer": SafePickle}
        super().__init__(names, *args, **options | ours | {"log_job_description": False})
        self._last_heartbeat = float("-inf")
        self._alarm_set = float("-inf")

    def _set_connection(self, connection: redis.Redis) -> redis.Redis:
        """Also give up a connection whose other end confirms nothing.

        RQ's timeout is as long as a worker waits for a job: seven minutes.
        """
        pool = super()._set_connection(connection).connection_pool
        if issubclass(pool.connection_class, Connection):  # not a Unix socket
            pool.connection_kwargs["socket_keepalive_options"] = {
                getattr(socket, name): value
                for name, value in NOTICE_SILENCE.items()
                if hasattr(socket, name)
            }
        return connection

    def work(self, *args: Any, **options: Any) -> bool:
        try:
            return bool(super().work(*args, **options))
        finally:
            faulthandler.cancel_dump_traceback_later()

    def subscribe(self) -> None:
        """Skip RQ's commands: they are for forks. So a signal ends the worker a second sooner."""

    def unsubscribe(self) -> None:
        pass

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """In one round trip. Skipped if the key would live only HEARTBEAT_SKIP seconds longer."""
        if time.monotonic() - self._alarm_set > REARM:  # called between jobs and while idle
            silence = max(STUCK, self.dequeue_timeout)  # the most a healthy worker needs
            faulthandler.dump_traceback_later(silence + REARM, exit=True)
            self._alarm_set = time.monotonic()
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            if timeout:  # the key may live for a shorter time now
                self._last_heartbeat = float("-inf")
        elif timeout or time.monotonic() - self._last_heartbeat > HEARTBEAT_SKIP:
            with self.connection.pipeline(transaction=False) as pipeline:
                super().heartbeat(timeout, pipeline)
                pipeline.execute()
            self._last_heartbeat = float("-inf") if timeout else time.monotonic()

    def run_maintenance_tasks(self) -> None:
        try:
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, redis.ResponseError) as error:
            self.log.warning("Redis holds something that is not RQ's: %s", error)
            self.last_cleaned_at = now()  # type: ignore[assignment]

    def execute_job(self, job: Job, queue: Queue) -> None:
        begun = time.monotonic()
        try:
            super().execute_job(job, queue)
        except redis.ResponseError as error:  # the clock rings for the pull again
            self.log.warning("Redis holds something that is not RQ's: %s", error)
        ended = time.monotonic()
        self.queue_class.rests_until = ended + min(REST * (ended - begun), LONGEST_REST)

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: Any, execution: Execution
    ) -> None:
        """Write everything about a finished job, and the worker's heartbeat, in one round trip."""
        ended = job.ended_at or now()
        with self.connection.pipeline(transaction=False) as pipeline:
            self.increment_successful_job_count(pipeline)
            self.increment_total_working_time(ended - (job.started_at or ended), pipeline)
            self.cleanup_execution(job, pipeline, execution)
            pipeline.delete(job.key, job.execution_registry.key)
            self.heartbeat(pipeline=pipeline)
            pipeline.execute()
        self._last_heartbeat = time.monotonic()


class ClickRunner(Runner):
    """Takes clicks only, so one of them never waits for other jobs."""

    queue_class = ClickQueue
