"""What the worker sends to Redis, and what it leaves there. These run in burst mode."""

import hashlib
import inspect
import itertools

import pytest
import redis.connection
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.suspension import resume, suspend
from rq.worker import BaseWorker, WorkerStatus

from plaidapp.jobs import pull_job, runner
from plaidapp.jobs.queue import PullQueue
from plaidapp.jobs.runner import LONGEST_REST, Runner


@pytest.fixture
def connection(redis_url):
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


def finish(number):
    """A job that does nothing."""


def crash(number):
    raise KeyError(number)


def take_long(number):
    take_long.clock.seconds += take_long.duration


def suspend_here(number):
    suspend(suspend_here.connection)


FUNCTIONS = finish, crash, take_long, suspend_here


@pytest.fixture
def enqueue(connection, monkeypatch):
    """Enqueue a function of this module, as RQ does it."""
    names = {f"{__name__}.{function.__name__}" for function in FUNCTIONS}
    monkeypatch.setattr(pull_job, "REGISTERED", names)
    suspend_here.connection = connection

    def add(function=finish):
        queue = Queue("default", connection=connection)
        return queue.enqueue_call(function, args=(5,), timeout=600, result_ttl=0)

    return add


@pytest.fixture
def look(connection):
    """Call a function each time a worker is about to wait for a job."""
    moments = []

    class Watched(PullQueue):
        @classmethod
        def dequeue_any(cls, *args, **options):
            moments.append(look.at(worker))
            return super().dequeue_any(*args, **options)

    class Seen(Runner):
        queue_class = Watched

    worker = Seen(["default"], connection=connection)

    def look(at):
        look.at = at
        worker.work(burst=True, logging_level="ERROR")
        return moments

    return look


@pytest.fixture
def work(connection):
    def burst(**options):
        worker = Runner(["default"], connection=connection)
        worker.work(burst=True, logging_level="CRITICAL", **options)
        return worker

    return burst


def test_a_job_costs_nine_round_trips(enqueue, look, monkeypatch):
    sent = []
    send = redis.connection.Connection.send_packed_command

    def count(self, *args, **options):
        sent.append(1)
        return send(self, *args, **options)

    for _ in range(12):
        enqueue()
    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", count)

    moments = look(at=lambda _: len(sent))

    assert len(moments) == 13
    trips = {later - earlier for earlier, later in itertools.pairwise(moments[1:])}
    assert trips == {9}


@pytest.mark.parametrize(
    ("function", "digest"),
    [
        (BaseWorker._set_connection, "38ebd371028aad20"),
        (BaseWorker.dequeue_job_and_maintain_ttl, "2715cf34d9e3af3b"),
        (BaseWorker.work, "04b5cdf8e554d8a2"),
        (BaseWorker.heartbeat, "63b1089fd146d19c"),
        (BaseWorker.subscribe, "3437c20bb267958f"),
        (BaseWorker.unsubscribe, "16e9db30b9c54c46"),
        (BaseWorker.handle_job_success, "9dda7c7d3ca18ee6"),
        (BaseWorker.cleanup_execution, "4aef566a7d19eff1"),
        (SimpleWorker.execute_job, "eae0f23110aeb280"),
        (Job.cleanup, "16734aeb1eeab579"),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_rq_is_what_the_runner_was_written_for(function, digest):
    """After an upgrade of RQ, compare the function with the override in Runner, then the digest."""
    source = inspect.getsource(function)
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == digest


def test_a_finished_job_leaves_nothing_in_redis(connection, enqueue, work):
    before = set(connection.scan_iter()) | {b"rq:queues"}
    enqueue()

    worker = work()

    left = set(connection.scan_iter()) - before - {b"rq:clean_groups"}
    assert left == {worker.key.encode()}
    worker.refresh()
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 0)
    assert worker.total_working_time > 0


def test_a_crashed_job_is_stored_with_its_traceback(connection, enqueue, work):
    job = enqueue(crash)
    enqueue()

    worker = work()

    assert FailedJobRegistry("default", connection=connection).get_job_ids(cleanup=False) == [
        job.id
    ]
    assert "KeyError: 5" in job.latest_result().exc_string
    assert StartedJobRegistry("default", connection=connection).get_job_ids(cleanup=False) == []
    assert connection.lrange("rq:queue:default:intermediate", 0, -1) == []
    worker.refresh()
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 1)


def test_the_workers_key_lives_longer_than_it_waits_for_a_job(connection, enqueue, look):
    for _ in range(3):
        enqueue()
        enqueue(crash)

    lives = look(at=lambda worker: (connection.ttl(worker.key), worker.dequeue_timeout))

    assert len(lives) == 7
    assert all(seconds > longest_wait for seconds, longest_wait in lives)


def test_a_workers_state_in_redis_is_true(connection, enqueue, look):
    for _ in range(2):
        enqueue()
        enqueue(crash)

    states = look(at=lambda worker: connection.hget(worker.key, "state").decode())

    assert states == [WorkerStatus.IDLE] * 5


class Clock:
    seconds = 1000.0

    def monotonic(self):
        return self.seconds


@pytest.mark.parametrize(("took", "rest"), [(0.1, 0.4), (5.0, LONGEST_REST)])
def test_a_process_rests_four_times_as_long_as_its_job_took(enqueue, work, monkeypatch, took, rest):
    monkeypatch.setattr(runner, "time", clock := Clock())
    monkeypatch.setattr(take_long, "clock", clock, raising=False)
    monkeypatch.setattr(take_long, "duration", took, raising=False)
    monkeypatch.setattr(PullQueue, "rests_until", 0.0)  # as before, after the test
    enqueue(take_long)
    work()
    assert PullQueue.rests_until == pytest.approx(clock.seconds + rest)


def test_a_suspended_worker_starts_no_further_job(connection, enqueue, work):
    queue = Queue("default", connection=connection)
    enqueue()
    enqueue(suspend_here)
    enqueue()

    work()
    assert queue.count == 1
    resume(connection)
    work()
    assert queue.count == 0


def test_a_worker_stops_after_max_jobs(enqueue, work, connection):
    for _ in range(3):
        enqueue()
    work(max_jobs=2)
    assert Queue("default", connection=connection).count == 1
