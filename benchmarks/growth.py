"""How do the queue, Redis and the database grow with the number of pulls and transactions?"""

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial

import redis
from rq import Queue, SimpleWorker
from sqlalchemy import insert, select, text, update

from benchmarks import harness
from benchmarks.ingest import run_job
from benchmarks.prepared_database import PreparedDatabase
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock, pull_job, queue
from plaidapp.store import Pull, PullItem
from plaidapp.store.pulls import kinds, pulls
from run import find_redis_server
from tests.e2e.processes import Running, clean_env, wait_until

BATCH = 500
SIZE_OF_SQLITE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
SIZE_OF_POSTGRESQL = "SELECT pg_database_size(current_database())"


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    rows, count = 2_000 if quick else 20_000, policy.QUEUE_FILL
    enqueued: list[list[object]] = []
    sizes: list[list[object]] = []
    with harness.sandbox() as bank, private_redis() as connection:
        for kind in harness.DATABASES:
            with harness.database(kind) as url:
                prepared = PreparedDatabase(url, bank, rows)
                with prepared.copy() as app:
                    sizes += measure_database(kind, prepared, rows)
                    app.extensions["redis"] = connection
                    enqueued += measure_queue(kind, prepared, connection, count)
        memory = measure_redis(connection, 200 if quick else 1_000)
    header = (f"{count:,} pulls are due", "seconds", "compared with one by one")
    harness.table("Putting due pulls on the queue", header, enqueued)
    harness.table("Memory of a job in Redis", ("a job that", "bytes"), memory)
    harness.table("Size of the database", ("a row", "bytes, with its indexes"), sizes)


@contextlib.contextmanager
def private_redis() -> Iterator[redis.Redis]:
    """Run a Redis server and give a connection to it."""
    with harness.directory() as place:
        socket = place / "redis"
        command = [find_redis_server(), "--port", "0", "--unixsocket", str(socket)]
        running = Running([*command, "--save", ""], place / "log", clean_env(), cwd=place)
        wait_until(socket.exists, 30, "redis-server listens")
        connection = queue.connect(f"unix://{socket}")
        try:
            yield connection
        finally:
            connection.close()
            running.stop()


def measure_queue(
    kind: str, prepared: PreparedDatabase, connection: redis.Redis, count: int
) -> list[list[object]]:
    """Time three ways to put `count` pulls on the queue."""
    add_pulls(prepared, count, state=pulls.QUEUED)
    db.session.execute(update(Pull).values(asked_by=pulls.CLOCK))  # of a person only a few go first
    db.session.commit()

    def time_one(way: Callable[[], object]) -> float:
        connection.flushall()
        db.session.execute(update(Pull).values(rung_at=None))
        db.session.commit()
        start = time.perf_counter()
        way()
        seconds = time.perf_counter() - start
        assert connection.llen(Queue(pull_job.QUEUE, connection=connection).key) == count
        db.session.remove()
        return seconds

    ways: dict[str, Callable[[], object]] = {
        "one by one": one_by_one,
        "the clock (ours)": clock.ring_due,
        "RQ's enqueue_many alone": partial(enqueue_many, connection, count),
    }
    timings = harness.alternate({name: partial(time_one, way) for name, way in ways.items()}, 1)
    naive = harness.median(timings["one by one"])
    return [
        [f"{kind}, {name}", harness.median(times), harness.median(times) / naive]
        for name, times in timings.items()
    ]


def one_by_one() -> None:
    """Read all pulls before the first ring: after ten seconds, a rung pull is due again."""
    for pull in db.session.scalars(select(Pull)).all():
        queue.ring(pull)


def enqueue_many(connection: redis.Redis, count: int) -> None:
    """Enqueue the same jobs without touching the database, which is the least possible work."""
    jobs = Queue(pull_job.QUEUE, connection=connection)
    for first in range(0, count, BATCH):
        jobs.enqueue_many(
            [
                Queue.prepare_data(pull_job.JOB, args=(number,), job_id=f"pull-{number}-0")
                for number in range(first, min(first + BATCH, count))
            ]
        )


def measure_redis(connection: redis.Redis, count: int) -> list[list[object]]:
    """Measure the bytes per job, with RQ's default time to live and with ours."""

    def bytes_per_job(result_ttl: int, work: bool) -> float:
        connection.flushall()
        jobs = Queue(pull_job.QUEUE, connection=connection)
        worker = SimpleWorker([jobs], connection=connection)
        jobs.enqueue(time.time)  # the first job also creates keys that stay, such as the worker's
        worker.work(burst=True, logging_level="ERROR")
        before = used_memory(connection)
        for number in range(count):
            jobs.enqueue_call(time.time, job_id=f"pull-{number}-0", result_ttl=result_ttl)
        if work:
            worker.work(burst=True, logging_level="ERROR")
        return (used_memory(connection) - before) / count

    return [
        ["waits", bytes_per_job(0, work=False)],
        ["is done, with RQ's settings", bytes_per_job(500, work=True)],
        ["is done, with ours", bytes_per_job(0, work=True)],
    ]


def used_memory(connection: redis.Redis) -> int:
    used: int = connection.info("memory")["used_memory"]
    return used


def measure_database(kind: str, prepared: PreparedDatabase, rows: int) -> list[list[object]]:
    """Measure the bytes per transaction and per pull."""
    empty = size()
    run_job(prepared)
    full = size()
    add_pulls(prepared, rows, state=pulls.DONE)
    with_pulls = size()
    db.session.execute(text("DELETE FROM pull"))
    db.session.commit()
    return [
        [f"{kind}, a transaction", (full - empty) / rows],
        [f"{kind}, a pull of one Item", (with_pulls - full) / rows],
    ]


def add_pulls(prepared: PreparedDatabase, count: int, state: str) -> None:
    highest = db.session.scalar(text("SELECT max(id) FROM pull")) or 0
    ids = range(highest + 1, highest + 1 + count)
    db.session.execute(
        insert(Pull),
        [
            {"id": number, "user_id": prepared.user_id, "kind": kinds.ACCOUNTS, "state": state}
            for number in ids
        ],
    )
    db.session.execute(
        insert(PullItem), [{"pull_id": number, "item_id": prepared.item_id} for number in ids]
    )
    db.session.commit()


def size() -> int:
    """Return the size of the whole database in bytes."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    size_in_bytes = db.session.scalar(text(SIZE_OF_SQLITE if on_sqlite else SIZE_OF_POSTGRESQL))
    db.session.rollback()
    return int(size_in_bytes or 0)


if __name__ == "__main__":
    main()
