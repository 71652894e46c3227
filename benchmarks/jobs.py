"""What does the queue add to a job, and how many jobs does it get through?

Every way runs the very same functions (errands.py) and asks the same bank, on this machine. Two
workers of each wait side by side; only one way is given work at a time.
"""

import contextlib
import itertools
import signal
import statistics
import time
from collections.abc import Callable, Iterator
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
from plaidapp.store import Account, Item, Pull, PullItem, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.pulls import pulls
from run import find_redis_server
from tests.e2e.processes import Deployment, Running, free_port

from . import rig

OURS, CELERY = "plaidapp's worker", "Celery, prefork"
SIMPLE, FORK, PLAIN = "RQ's SimpleWorker", "`rq worker`, app preloaded", "`rq worker`"
COMMANDS = {
    OURS: "python worker.py",
    CELERY: "celery -A benchmarks.rival worker -l WARNING --concurrency 2",
    SIMPLE: "rq worker -c benchmarks.errands -w rq.SimpleWorker --logging_level WARNING simple",
    FORK: "rq worker -c benchmarks.errands --logging_level WARNING fork",
    PLAIN: "rq worker --url $REDIS_URL --logging_level WARNING plain",
}
QUEUES = {OURS: "default", SIMPLE: "simple", FORK: "fork", PLAIN: "plain"}
SLOW = {FORK: 10, PLAIN: 40}
"""How many times fewer jobs these ways are given."""
LATENCIES = (0.0, 0.02)
"""Seconds that the bank takes where two workers are compared with one."""


class Place:
    """A database, a Redis and a loopback bank, and workers of all ways that wait there."""

    def __init__(self, running: Deployment, latency: float) -> None:
        port, bank_port = running.env["REDIS_URL"].split(":")[2][:-2], free_port()
        running.env |= {
            "PLAID_BASE_URL": f"http://127.0.0.1:{bank_port}",
            "LOG_LEVEL": "WARNING",
        }
        server = f"{find_redis_server()} --save '' --port {port}"
        running.run("redis", server)
        running.run("bank", f"python -m benchmarks.loopback {bank_port} {latency}")
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
        """Workers that have their first jobs behind them."""
        self._workers[way] = [
            self.running.run(f"{way} {number}".replace("`", "").replace(" ", "-"), COMMANDS[way])
            for number in range(1 if way == CELERY else workers)
        ]
        for _ in range(5 * workers):
            self.send(way, "ask")
        for _ in range(5 * workers):
            self.hear()

    def stop(self, way: str) -> None:
        for worker in self._workers.pop(way):
            worker.stop()

    def send(self, way: str, errand: str, *args: object) -> None:
        args = (*args, time.monotonic())
        if way == CELERY:
            self._celery.send_task(errand, args=args)
            return
        Queue(QUEUES[way], connection=self.redis).enqueue_call(
            f"benchmarks.errands.{errand}", args=args, timeout=600, result_ttl=0
        )

    def hear(self) -> float:
        """Seconds, as the next worker to be done says."""
        told = self.redis.blpop(["told"], timeout=20)
        if told is None:
            raise TimeoutError("no worker has done it")
        return float(told[1])

    def rate(self, way: str, errand: str, arguments: list[tuple[object, ...]]) -> float:
        """Jobs a second, of jobs that are all there when the workers set off."""
        for worker in self._workers[way]:
            worker.send(signal.SIGSTOP)
        for args in arguments:
            self.send(way, errand, *args)
        began = time.monotonic()
        for worker in self._workers[way]:
            worker.send(signal.SIGCONT)
        for _ in arguments:
            self.hear()
        return len(arguments) / (time.monotonic() - began)

    def add_pulls(self, count: int) -> list[tuple[object, ...]]:
        """Each of an Item of its own whose bank has nothing new."""
        with self.app.app_context():
            first = (db.session.scalar(db.select(db.func.max(Item.id))) or 0) + 1
            ids = range(first, first + count)
            item = {"access_token": self.app.extensions["cipher"].encrypt(b"access-loopback")}
            item |= {"cursor": "unchanged", "update_status": items.COMPLETE, "sync_requested": 1}
            account = {"name": "Checking", "type": "depository", "updated_at": now()}
            rows: dict[type, Callable[[int], dict[str, object]]] = {
                User: lambda n: dict.fromkeys(
                    ("username", "username_key", "email", "email_key", "password_hash"), f"u{n}"
                ),
                Item: lambda n: (
                    {"user_id": n, "plaid_item_id": f"i{n}", "streams_at": now()} | item
                ),
                Account: lambda n: (
                    {"user_id": n, "item_id": n, "plaid_account_id": f"a{n}"} | account
                ),
                Pull: lambda n: {"user_id": n, "kind": pulls.TRANSACTIONS},
                PullItem: lambda n: {"pull_id": n, "item_id": n},
            }
            for model, row in rows.items():
                db.session.execute(insert(model), [{"id": n} | row(n) for n in ids])
            db.session.commit()
            db.session.remove()
        return [(n,) for n in ids]


@contextlib.contextmanager
def place(kind: str, latency: float = 0) -> Iterator[Place]:
    with rig.database(kind) as url, rig.directory() as directory:
        running = Deployment(directory, url)
        try:
            yield Place(running, latency)
        finally:
            running.stop()


def main() -> None:
    quick = rig.arguments(__doc__ or "").quick
    for kind in rig.DATABASES:
        with place(kind) as here:
            if kind == "SQLite":
                ways = (OURS, CELERY, SIMPLE, FORK, PLAIN)
                compare(here, "One call to the bank, no database", "ask", ways, quick=quick)
            ways = (OURS, CELERY, SIMPLE)
            compare(here, f"A whole pull, nothing new, {kind}", "pull", ways, quick=quick)
    scale(60 if quick else 500)


def compare(here: Place, title: str, errand: str, ways: tuple[str, ...], *, quick: bool) -> None:
    for way in ways:
        here.start(way)
    sizes = (20, 150) if quick else (60, 600)
    if errand == "pull":
        sizes = (10, 30) if quick else (30, 150)
    each, many = ({way: max(3, size // SLOW.get(way, 1)) for way in ways} for size in sizes)
    alone: dict[str, list[float]] = {way: [] for way in ways}
    rates: dict[str, list[float]] = {way: [] for way in ways}

    def one_by_one(way: str) -> float:
        for args in _work(here, errand, each[way]):
            here.send(way, errand, *args)
            alone[way].append(here.hear())
        return statistics.median(alone[way])

    def all_at_once(way: str) -> float:
        return here.rate(way, errand, _work(here, errand, many[way]))

    rig.alternate({way: partial(one_by_one, way) for way in ways}, 2 if quick else 5)
    rates = rig.alternate({way: partial(all_at_once, way) for way in ways}, 1 if quick else 5)
    for way in ways:
        here.stop(way)
    late = {way: rig.percentile(alone[way], 95) for way in ways}
    fast = {way: statistics.median(rates[way]) for way in ways}
    rig.table(
        f"{title}: two workers of each",
        ("", "ms, p50", "ms, p95", "to Celery", "must be", "jobs a second", "to Celery", "must be"),
        [
            (
                way,
                statistics.median(alone[way]) * 1e3,
                late[way] * 1e3,
                late[way] / late[CELERY],
                "at most 1" if way == OURS else "",
                fast[way],
                fast[way] / fast[CELERY],
                "at least 0.9" if way == OURS else "",
            )
            for way in ways
        ],
    )


def _work(here: Place, errand: str, count: int) -> list[tuple[object, ...]]:
    return here.add_pulls(count) if errand == "pull" else [()] * count


def scale(count: int) -> None:
    rows = []
    for kind, latency in itertools.product(rig.DATABASES, LATENCIES):
        with place(kind, latency) as here:
            rates = {}
            for workers in (1, 2):
                here.start(OURS, workers)
                rates[workers] = here.rate(OURS, "pull", here.add_pulls(count))
                here.stop(OURS)
            gain = rates[2] / rates[1]
            bank = f"{latency * 1e3:g} ms"
            rows.append((kind, bank, 1e3 / rates[1], 1e3 / rates[2], gain, "at least 1.7"))
    rig.table(
        f"{count:,} Items with nothing new, a call each",
        ("", "bank", "ms an Item, one worker", "two workers", "gain", "must be"),
        rows,
    )


if __name__ == "__main__":
    main()
