"""A job in Redis, of which nothing is trusted but the id of a pull.

Whoever can write to Redis can put a job in the queue that names any function, and callbacks, web
addresses and times besides. So a worker reads only two fields of a job, and those only if they are
short. It takes everything else from `policy`. The worst that a forged job can do is to start a pull
that is due anyway.
"""

import logging
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Self

import redis
from rq.exceptions import NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.queue import Queue

from plaidapp import policy

from .safe_pickle import SafePickle

log = logging.getLogger(__name__)

QUEUE = "default"
JOB = "plaidapp.jobs.run.run"
"""The function that RQ calls, whatever the kind of pull."""
REGISTERED = {JOB}
"""The functions that a job may name. Each takes the id of a pull."""
MAX_FIELD = 1024
"""Bytes of a field: many times the size of our own, compressed or not."""
MAX_PULL = 2**31 - 1
"""The largest id that the table of pulls can hold."""
READ = """
for _, field in ipairs({'data', 'status'}) do
  if redis.call('HSTRLEN', KEYS[1], field) > tonumber(ARGV[1]) then return {false, false} end
end
return redis.call('HMGET', KEYS[1], 'data', 'status')
"""


class ForgedJobError(NoSuchJobError):
    """This app has not made the job. RQ goes on with the next one, as if it did not exist."""


class PullJob(Job):
    """RQ's job, read with care. Enqueuing is RQ's own."""

    def __init__(
        self, id: str | None = None, connection: redis.Redis | None = None, serializer: Any = None
    ) -> None:
        """Read pickles with SafePickle, whatever the caller passes: RQ often passes its own."""
        super().__init__(id, connection, SafePickle)

    @classmethod
    def fetch(cls, id: str, connection: Any = None, serializer: Any = None) -> Self:
        """Raises NoSuchJobError, and drops the job if it is forged."""
        try:
            job = cls(id, connection)
            data, status = connection.eval(READ, 1, job.key, MAX_FIELD)
            if data is None and not connection.exists(job.key):
                raise NoSuchJobError
            job.restore({"data": data, "status": status})
        except (ForgedJobError, ValueError, redis.ResponseError) as problem:
            log.warning("Dropped a forged job, %.100r: it %s", id, problem)
            connection.delete(cls.key_for(id))
            IntermediateQueue(Queue(QUEUE, connection).key, connection).remove(id)
            raise ForgedJobError from problem
        return job

    @classmethod
    def fetch_many(
        cls, job_ids: Iterable[str], connection: redis.Redis, serializer: Any = None
    ) -> list[Job | None]:
        """For RQ's maintenance."""
        found: list[Job | None] = []
        for job_id in job_ids:
            try:
                found.append(cls.fetch(job_id, connection))
            except NoSuchJobError:
                found.append(None)
        return found

    def restore(self, raw_data: Mapping[str, bytes | None]) -> None:
        """Raises ForgedJobError and ValueError."""
        self.data = _unzip(raw_data["data"] or b"")
        self._status = JobStatus((raw_data["status"] or b"").decode())
        self.func_name, self._instance, self._args, self._kwargs = _checked(
            SafePickle.loads(self.data)
        )
        self.origin = QUEUE
        self.timeout = policy.JOB_TIMEOUT
        self.result_ttl = 0
        self.failure_ttl = policy.FAILED_JOB_KEPT


def _unzip(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(data, MAX_FIELD)
    except zlib.error as error:
        raise ForgedJobError("is not compressed") from error
    if not reader.eof:
        raise ForgedJobError("is large")
    return text


def _checked(content: Any) -> Any:
    match content:
        case (str(name), None, (int(pull_id),), dict(named)) if (
            name in REGISTERED and not named and type(pull_id) is int and 0 < pull_id <= MAX_PULL
        ):
            return content
    raise ForgedJobError("calls something else")
