"""How much time does the queue add to a job, and how many jobs per second do the workers finish?

All kinds of worker run the same functions (benchmarks/tasks.py) and call the same local bank. Two
workers of each kind wait side by side; only one kind gets jobs at a time.
"""

import contextlib
import itertools
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from celery import Celery
from flask import Flask
from flask_migrate import upgrade
from redis import Redis
from rq import Queue
from sqlalchemy import insert

from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.sealing import Cipher, access_token
from plaidapp.store import Account, Item, Pull, PullItem, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.pulls import kinds
from run import find_redis_server
from tests.e2e.processes import Deployment, Running
from tests.ports import free_port

from . import harness

OURS, CELERY = "plaidapp's worker", "Celery, prefork"
SIMPLE, FORK, PLAIN = "RQ's SimpleWorker", "`rq worker`, app preloaded", "`rq worker`"
COMMANDS = {
    OURS: "python -m benchmarks.tasks",
    CELERY: "celery -A benchmarks.celery_app worker -l WARNING --concurrency 2",
    SIMPLE: "rq worker -c benchmarks.tasks -w rq.SimpleWorker --logging_level WARNING simple",
    FORK: "rq worker -c benchmarks.tasks --logging_level WARNING fork",
    PLAIN: "rq worker --url $REDIS_URL --logging_level WARNING plain",
}
QUEUES = {OURS: "default", SIMPLE: "simple", FORK: "fork", PLAIN: "plain"}
SLOW = {FORK: 10, PLAIN: 40}
"""How many times fewer jobs these kinds get."""
LATENCIES = (0.0, 0.02)
"""How many seconds the bank takes when one worker is compared with two."""


class Workplace:
    """A database, a Redis server, a bank, and workers of several kinds."""

    def __init__(self, running: Deployment, latency: float) -> None:
        port, bank_port = running.env["REDIS_URL"].split(":")[2][:-2], free_port()
        running.env |= {
            "PLAID_BASE_URL": f"http://127.0.0.1:{bank_port}",
            "LOG_LEVEL": "WARNING",
        }
        server = f"{find_redis_server()} --save '' --port {port}"
        running.run("redis", server)
        running.run("bank", f"python -m benchmarks.fixed_bank {bank_port} {latency}")
        self.running = running
        self.redis = Redis.from_url(running.env["REDIS_URL"], socket_timeout=120)
        self.app: Flask = create_app(Config.from_env(running.env))
        with self.app.app_context():
            upgrade()
        self._workers: dict[str, list[Running]] = {}

    @cached_property
    def _celery(self) -> Celery:
        return Celery(broker=self.running.env["REDIS_URL"])

    def start(self, way: str, workers: int = 2) -> None:
        """Start workers and let them finish their first jobs."""
        self._workers[way] = [
            self.running.run(f"{way} {number}".replace("`", "").replace(" ", "-"), COMMANDS[way])
            for number in range(1 if way == CELERY else workers)
        ]
        for number in range(1, 5 * workers + 1):
            self.send(way, "call_bank", number)
        for _ in range(5 * workers):
            self.wait_for_report()

    def stop(self, way: str) -> None:
        for worker in self._workers.pop(way):
            worker.stop()

    def send(self, way: str, task: str, number: int) -> None:
        self.redis.set(f"enqueued-{number}", time.monotonic())
        if way == CELERY:
            self._celery.send_task(task, args=(number,))
            return
        Queue(QUEUES[way], connection=self.redis).enqueue_call(
            f"benchmarks.tasks.{task}", args=(number,), timeout=600, result_ttl=0
        )

    def wait_for_report(self) -> float:
        """Return the seconds that the next finished job reports."""
        report = self.redis.blpop(["reports"], timeout=20)
        if report is None:
            raise TimeoutError("no worker has finished a job")
        return float(report[1])

    def rate(self, way: str, task: str, numbers: Sequence[int]) -> float:
        """Return jobs per second. All jobs are on the queue before the workers start."""
        for worker in self._workers[way]:
            worker.send(signal.SIGSTOP)
        for number in numbers:
            self.send(way, task, number)
        start = time.monotonic()
        for worker in self._workers[way]:
            worker.send(signal.SIGCONT)
        for _ in numbers:
            self.wait_for_report()
        return len(numbers) / (time.monotonic() - start)

    def add_pulls(self, count: int) -> range:
        """Add pulls, each with its own Item, and return their ids. Nothing is new."""
        with self.app.app_context():
            first = (db.session.scalar(db.select(db.func.max(Item.id))) or 0) + 1
            ids = range(first, first + count)
            cipher: Cipher = self.app.extensions["cipher"]
            item = {
                "cursor": "unchanged",
                "update_status": item_states.COMPLETE,
                "sync_requested": 1,
            }
            account = {"name": "Checking", "type": "depository", "updated_at": now()}
            rows: dict[type, Callable[[int], dict[str, object]]] = {
                User: lambda n: dict.fromkeys(
                    ("username", "username_key", "email", "email_key", "password_hash"), f"u{n}"
                ),
                Item: lambda n: (
                    {
                        "user_id": n,
                        "plaid_item_id": f"i{n}",
                        "access_token": cipher.encrypt(access_token(n, f"i{n}"), "access-loopback"),
                        "streams_at": now(),
                    }
                    | item
                ),
                Account: lambda n: (
                    {"user_id": n, "item_id": n, "plaid_account_id": f"a{n}"} | account
                ),
                Pull: lambda n: {"user_id": n, "kind": kinds.TRANSACTIONS},
                PullItem: lambda n: {"pull_id": n, "item_id": n},
            }
            for model, row in rows.items():
                db.session.execute(insert(model), [{"id": n} | row(n) for n in ids])
            db.session.commit()
            db.session.remove()
        return ids


@contextlib.contextmanager
def workplace_on(kind: str, latency: float = 0) -> Iterator[Workplace]:
    with harness.database(kind) as url, harness.directory() as directory:
        running = Deployment(directory, url)
        try:
            yield Workplace(running, latency)
        finally:
            running.stop()


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    for kind in harness.DATABASES:
        with workplace_on(kind) as workplace:
            if kind == "SQLite":
                ways: tuple[str, ...] = (OURS, CELERY, SIMPLE, FORK, PLAIN)
                compare(
                    workplace, "One call to the bank, no database", "call_bank", ways, quick=quick
                )
            ways = (OURS, CELERY, SIMPLE)
            compare(workplace, f"A whole pull, nothing new, {kind}", "run_pull", ways, quick=quick)
    scale(60 if quick else 500)


def compare(
    workplace: Workplace, title: str, task: str, ways: tuple[str, ...], *, quick: bool
) -> None:
    """Measure single jobs and a full queue with each kind of worker, and print a table."""
    for way in ways:
        workplace.start(way)
    sizes = (20, 150) if quick else (60, 600)
    if task == "run_pull":
        sizes = (10, 30) if quick else (30, 150)
    each, many = ({way: max(3, size // SLOW.get(way, 1)) for way in ways} for size in sizes)
    single: dict[str, list[float]] = {way: [] for way in ways}

    def one_by_one(way: str) -> float:
        for number in _numbers(workplace, task, each[way]):
            workplace.send(way, task, number)
            single[way].append(workplace.wait_for_report())
        return statistics.median(single[way])

    def all_at_once(way: str) -> float:
        return workplace.rate(way, task, _numbers(workplace, task, many[way]))

    harness.alternate({way: partial(one_by_one, way) for way in ways}, 2 if quick else 5)
    rates = harness.alternate({way: partial(all_at_once, way) for way in ways}, 1 if quick else 5)
    for way in ways:
        workplace.stop(way)
    p95 = {way: harness.percentile(single[way], 95) for way in ways}
    rate = {way: statistics.median(rates[way]) for way in ways}
    harness.table(
        f"{title}: two workers of each kind",
        (
            "",
            "ms, p50",
            "ms, p95",
            "of Celery's",
            "limit",
            "jobs per second",
            "of Celery's",
            "limit",
        ),
        [
            (
                way,
                statistics.median(single[way]) * 1e3,
                p95[way] * 1e3,
                p95[way] / p95[CELERY],
                "at most 1" if way == OURS else "",
                rate[way],
                rate[way] / rate[CELERY],
                "at least 0.9" if way == OURS else "",
            )
            for way in ways
        ],
    )


def _numbers(workplace: Workplace, task: str, count: int) -> range:
    return workplace.add_pulls(count) if task == "run_pull" else range(1, count + 1)


def scale(count: int) -> None:
    """Compare one worker with two, and print a table."""
    rows = []
    for kind, latency in itertools.product(harness.DATABASES, LATENCIES):
        with workplace_on(kind, latency) as workplace:
            rates = {}
            for workers in (1, 2):
                workplace.start(OURS, workers)
                rates[workers] = workplace.rate(OURS, "run_pull", workplace.add_pulls(count))
                workplace.stop(OURS)
            gain = rates[2] / rates[1]
            bank = f"{latency * 1e3:g} ms"
            rows.append((kind, bank, 1e3 / rates[1], 1e3 / rates[2], gain, "at least 1.7"))
    harness.table(
        f"{count:,} Items with nothing new, one call each",
        ("", "bank", "ms per Item, one worker", "two workers", "gain", "limit"),
        rows,
    )


if __name__ == "__main__":
    main()
