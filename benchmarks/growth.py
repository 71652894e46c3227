"""What grows, and by how much: the queue when many pulls are due at once, Redis, the database."""

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial

import redis
from rq import Queue, SimpleWorker
from sqlalchemy import insert, select, text, update

from benchmarks import rig
from benchmarks.ingest import World, run_job
from plaidapp.extensions import db
from plaidapp.jobs import clock, queue
from plaidapp.store import Pull, PullItem
from plaidapp.store.pulls import pulls
from run import find_redis_server
from tests.e2e.processes import Running, clean_env, wait_until

AT_ONCE = 500
SIZE_OF_SQLITE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
SIZE_OF_POSTGRESQL = "SELECT pg_database_size(current_database())"


def main() -> None:
    quick = rig.arguments(__doc__ or "").quick
    count, rows = (1_000, 2_000) if quick else (10_000, 20_000)
    enqueued: list[list[object]] = []
    sizes: list[list[object]] = []
    with rig.sandbox() as bank, embedded_redis() as connection:
        for kind in rig.DATABASES:
            with rig.database(kind) as url:
                world = World(url, bank, rows)
                with world.fresh() as app:
                    sizes += measure_database(kind, world, rows)
                    app.extensions["redis"] = connection
                    enqueued += measure_queue(kind, world, connection, count)
        kept = measure_redis(connection, 200 if quick else 1_000)
    header = (f"{count:,} pulls are due", "seconds", "of one by one")
    rig.table("Telling the queue", header, enqueued)
    rig.table("Redis keeps of a job", ("a job that", "bytes"), kept)
    rig.table("The database keeps", ("a row", "bytes, with its indexes"), sizes)


@contextlib.contextmanager
def embedded_redis() -> Iterator[redis.Redis]:
    with rig.directory() as place:
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
    kind: str, world: World, connection: redis.Redis, count: int
) -> list[list[object]]:
    add_pulls(world, count, state=pulls.QUEUED)
    db.session.commit()

    def timed(way: Callable[[], None]) -> float:
        connection.flushall()
        db.session.execute(update(Pull).values(rung_at=None))
        db.session.commit()
        begun = time.perf_counter()
        way()
        taken = time.perf_counter() - begun
        assert connection.llen(Queue(queue.NAME, connection=connection).key) == count
        db.session.remove()
        return taken

    ways = {
        "one by one": one_by_one,
        "ours, the sweep's": clock.ring_due,
        "RQ's enqueue_many alone": partial(enqueue_many, connection, count),
    }
    found = rig.alternate({name: partial(timed, way) for name, way in ways.items()}, 1)
    naive = rig.median(found["one by one"])
    return [
        [f"{kind}, {name}", rig.median(times), rig.median(times) / naive]
        for name, times in found.items()
    ]


def one_by_one() -> None:
    """All of them are read first: those told ten seconds ago would be due once more."""
    for pull in db.session.scalars(select(Pull)).all():
        queue.ring(pull)


def enqueue_many(connection: redis.Redis, count: int) -> None:
    """The floor: the same jobs, without a row that says so."""
    jobs = Queue(queue.NAME, connection=connection)
    for first in range(0, count, AT_ONCE):
        jobs.enqueue_many(
            [
                Queue.prepare_data(
                    queue.JOBS[pulls.ACCOUNTS], args=(number,), job_id=f"pull-{number}-0"
                )
                for number in range(first, min(first + AT_ONCE, count))
            ]
        )


def measure_redis(connection: redis.Redis, count: int) -> list[list[object]]:
    """With RQ's own times to live, and with ours."""

    def memory(result_ttl: int, work: bool) -> float:
        connection.flushall()
        jobs = Queue(queue.NAME, connection=connection)
        worker = SimpleWorker([jobs], connection=connection)
        jobs.enqueue(time.time)  # what the first job leaves, such as the worker's own keys, stays
        worker.work(burst=True, logging_level="ERROR")
        before = connection.info("memory")["used_memory"]
        for number in range(count):
            jobs.enqueue_call(time.time, job_id=f"pull-{number}-0", result_ttl=result_ttl)
        if work:
            worker.work(burst=True, logging_level="ERROR")
        return (connection.info("memory")["used_memory"] - before) / count

    return [
        ["waits", memory(0, work=False)],
        ["has ended, by RQ's settings", memory(500, work=True)],
        ["has ended, by ours", memory(0, work=True)],
    ]


def measure_database(kind: str, world: World, rows: int) -> list[list[object]]:
    empty = size()
    run_job(world)
    full = size()
    add_pulls(world, rows, state=pulls.DONE)
    with_pulls = size()
    db.session.execute(text("DELETE FROM pull"))
    db.session.commit()
    return [
        [f"{kind}, a transaction", (full - empty) / rows],
        [f"{kind}, a pull of one Item", (with_pulls - full) / rows],
    ]


def add_pulls(world: World, count: int, state: str) -> None:
    highest = db.session.scalar(text("SELECT max(id) FROM pull")) or 0
    ids = range(highest + 1, highest + 1 + count)
    db.session.execute(
        insert(Pull),
        [
            {"id": number, "user_id": world.user_id, "kind": pulls.ACCOUNTS, "state": state}
            for number in ids
        ],
    )
    db.session.execute(
        insert(PullItem), [{"pull_id": number, "item_id": world.item_id} for number in ids]
    )
    db.session.commit()


def size() -> int:
    """Bytes of the whole database."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    found = db.session.scalar(text(SIZE_OF_SQLITE if on_sqlite else SIZE_OF_POSTGRESQL))
    db.session.rollback()
    return int(found or 0)


if __name__ == "__main__":
    main()
