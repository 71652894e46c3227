"""RQ's SimpleWorker in four round trips to Redis a job instead of twenty, and with an end.

It knows what queue.ring puts on RQ: jobs with neither dependents nor callbacks, repeats or results.
Registries and keys are left as RQ's own worker leaves them, so `rq info` reads as ever.
"""

import faulthandler
import os
import sys
import time
from typing import Any

from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.suspension import WORKERS_SUSPENDED
from rq.utils import now
from rq.worker import WorkerStatus

from plaidapp.policy import JOB_TIMEOUT

JOBS_A_LIFE = 10_000
"""Jobs after which the process is replaced, whatever has leaked into it. A start takes as long as
some hundred jobs."""
STUCK = JOB_TIMEOUT + 60
"""Seconds after which a job that RQ's timeout could not end, inside C code, ends its process."""
REARM = 60
"""Seconds between two settings of the alarm for that, which starts a thread."""
FRESH = 1.0
"""Seconds for which a heartbeat is not worth another one."""


class Runner(SimpleWorker):
    """Options as SimpleWorker's. Never logs what a job was called with."""

    log_result_lifespan = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"log_job_description": False})
        self._jobs = 0
        self._beaten = float("-inf")
        self._stated = ""
        self._surely_not_suspended = False
        self._armed = float("-inf")

    def work(self, *args: Any, **options: Any) -> bool:
        """As RQ's; but without `max_jobs` the process goes on as a new one after JOBS_A_LIFE.

        Under the same id, so that it does not matter what would become of one that ends: some
        managers start it again at once, some after a while, some end everything.
        """
        limit = options.get("max_jobs")
        try:
            worked = super().work(*args, **options | {"max_jobs": limit or JOBS_A_LIFE})
        finally:
            faulthandler.cancel_dump_traceback_later()
        if limit is None and self._jobs >= JOBS_A_LIFE and not self._stop_requested:
            sys.stdout.flush()
            sys.stderr.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
        return bool(worked)

    def subscribe(self) -> None:
        """Not to RQ's commands: they stop forks. A signal ends this worker, a second sooner."""

    def unsubscribe(self) -> None:
        pass

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """In one go. Never left out where it would lengthen the key's life by more than FRESH."""
        if time.monotonic() - self._armed > REARM:  # this comes by between jobs and while idle
            silence = max(STUCK, self.dequeue_timeout)  # at most, of a worker that is well
            faulthandler.dump_traceback_later(silence + REARM, exit=True)
            self._armed = time.monotonic()
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
        elif timeout or time.monotonic() - self._beaten > FRESH:
            with self.connection.pipeline(transaction=False) as pipeline:
                super().heartbeat(timeout, pipeline)
                pipeline.execute()
            self._beaten = float("-inf") if timeout else time.monotonic()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        if pipeline is None and state == self._stated:
            self._state = state
        else:
            super().set_state(state, pipeline)
            self._stated = state

    def check_for_suspension(self, burst: bool) -> None:
        if not self._surely_not_suspended:
            super().check_for_suspension(burst)
        self._surely_not_suspended = False

    def execute_job(self, job: Job, queue: Queue) -> None:
        super().execute_job(job, queue)
        self._jobs += 1

    def prepare_execution(self, job: Job) -> Execution:
        """All that is said of a job that begins, in one round trip."""
        seconds = self.get_heartbeat_ttl(job)
        queue = Queue(job.origin, connection=self.connection)
        with self.connection.pipeline(transaction=False) as pipeline:
            execution = Execution.create(job, seconds, pipeline, self.name)
            self.executions[execution.id] = execution
            self.set_state(WorkerStatus.BUSY, pipeline)
            self.heartbeat(seconds, pipeline)
            job.prepare_for_execution(self.name, pipeline)
            pipeline.persist(job.key)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()
        self._beaten = float("-inf")  # the key may live for a shorter time now
        return execution

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Done by prepare_execution."""

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Without a heartbeat for a job that is about to be deleted, or filed as failed."""
        job.ended_at = now()

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: Any, execution: Execution
    ) -> None:
        """All that is said of a job that is done, in one round trip, and that the worker lives."""
        if job.get_result_ttl(self.default_result_ttl) != 0:  # not one of ours
            super().handle_job_success(job, queue, started_job_registry, execution)
            return
        ended = job.ended_at or now()
        with self.connection.pipeline(transaction=False) as pipeline:
            self.increment_successful_job_count(pipeline)
            self.increment_total_working_time(ended - (job.started_at or ended), pipeline)
            self.cleanup_execution(job, pipeline, execution)
            pipeline.delete(job.key, job.execution_registry.key)
            self.heartbeat(pipeline=pipeline)
            # Not set_state: until perform_job returns, a SIGTERM has to find a busy worker.
            pipeline.hset(self.key, "state", WorkerStatus.IDLE)
            pipeline.exists(WORKERS_SUSPENDED)
            *_, suspended = pipeline.execute()
        self._beaten = time.monotonic()
        self._stated = WorkerStatus.IDLE
        self._surely_not_suspended = not suspended
