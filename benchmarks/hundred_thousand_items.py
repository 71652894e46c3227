"""What does a sync of one Item cost when the database has 100,000 of them?

One PostgreSQL grows from 10,000 Items to 100,000, of 10,000 people with 5 million rows. At each
size, the clock and the workers sync some of the Items, which are due in an order of no meaning, at
a bank that answers after 20 ms: what they cost must not depend on the others. A day's syncs are as
many times that as there are Items. Then the nightly deletion looks through some Items, and one
person opens pages. The script fails if an Item is lost or synced twice, or if a limit is broken.
"""

import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import requests
from flask import Flask
from flask_migrate import upgrade
from redis import Redis
from sqlalchemy import func, select, text, update

from benchmarks import harness, items_of_many
from benchmarks.pages import EXPLORER, _get
from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.retention import prune
from plaidapp.store import Item, Pull, PullItem, Walk
from plaidapp.store.base.types import now
from plaidapp.store.health import walks
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.reports import derived
from run import find_redis_server
from tests.e2e.processes import Deployment, Running, free_port, wait_until
from tests.logged_in import logged_in

SIZES, SYNCS = (10_000, 30_000, 100_000), 2_000
QUICK_SIZES, QUICK_SYNCS = (1_000, 3_000), 50
LATENCY = 0.02
STATISTICS_LATE = 1.5
"""Seconds after which PostgreSQL has counted the rows of a process."""
GROWTH, GAIN = 1.3, 1.8
PRUNED = ("pull", "pull_item", "webhook", "received_page", "transaction", "state_change")
PAGES = {
    "overview": "/finance/",
    "transactions": EXPLORER,
    "search": f"{EXPLORER}?q=coffee",
    "account": "/finance/accounts/1",
    "spending": "/finance/spending",
    "connection": "/finance/items/1",
}


class Cost(NamedTuple):
    """What some syncs cost, each: seconds, those of the workers' processors, calls to Plaid, rows
    written, bytes of the log (WAL).

    `redis` is how many bytes more than before Redis had at most, for all of them.
    """

    seconds: float
    busy: float
    calls: float
    rows: float
    log: float
    redis: int


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    sizes, syncs = (QUICK_SIZES, QUICK_SYNCS) if quick else (SIZES, SYNCS)
    costs, looks, prunes, pages = [], [], [], []
    broken: list[str] = []
    gains: list[float] = []
    with site() as (running, app):
        filled = 0
        for size in sizes:
            begun = time.monotonic()
            items_of_many.fill(app, filled + 1, size)
            filled, filling = size, time.monotonic() - begun
            with app.app_context():
                looks.append((size, filling, database_size() / 2**20, *time_of_looks()))
                found = [measure(running, size, syncs, workers) for workers in (1, 2)]
                for workers, (cost, lost) in zip((1, 2), found, strict=True):
                    broken += [f"{size:,} Items, {workers} workers: {each}" for each in lost]
                    a_day = cost.seconds * size / 3600
                    times = cost.seconds * 1e3, cost.busy * 1e3, a_day
                    costs.append((f"{size:,}, {workers}", *times, *cost[2:]))
                gains.append(found[0][0].seconds / found[1][0].seconds)
                per_item, scans, deleted = time_prune(size, 3 if quick else 20)
                prunes.append((size, per_item * 1e3, deleted, scans))
                if scans and size == SIZES[-1]:  # a small table is read sooner than its index
                    broken.append(f"{size:,} Items: the nightly deletion reads whole tables")
                db.session.remove()
            pages.append((size, *time_pages(app, 5 if quick else 25)))
    show(costs, gains, looks, prunes, pages, syncs)
    growth = costs[-2][1] / costs[0][1]
    if not quick:
        broken += [f"an Item costs {growth:.2f} times as much"] if growth > GROWTH else []
        broken += [f"two workers gain {gain:.2f}" for gain in gains if gain < GAIN]
    sys.exit(f"Broken: {broken}" if broken else 0)


@contextlib.contextmanager
def site() -> Iterator[tuple[Deployment, Flask]]:
    """Give a deployment with Redis and the fixed bank, but no web process, clock or worker yet."""
    with harness.database("PostgreSQL") as url, harness.directory() as place:
        running = Deployment(place, url)
        bank_port, redis_port = free_port(), running.env["REDIS_URL"].split(":")[2][:-2]
        running.env |= {"PLAID_BASE_URL": f"http://127.0.0.1:{bank_port}", "LOG_LEVEL": "WARNING"}
        running.run("redis", f"{find_redis_server()} --save '' --port {redis_port}")
        running.run("bank", f"python -m benchmarks.fixed_bank {bank_port} {LATENCY} 2")
        app = create_app(Config.from_env(running.env))
        try:
            with app.app_context():
                upgrade()
                db.session.remove()
            yield running, app
        finally:
            with app.app_context():
                db.engine.dispose()
            for process in running.running.values():
                process.stop()


def measure(running: Deployment, size: int, count: int, workers: int) -> tuple[Cost, list[str]]:
    """Sync `count` Items, and return what each has cost, and what went wrong."""
    chosen = random.Random(size + workers).sample(range(1, size + 1), count)
    redis = Redis.from_url(running.env["REDIS_URL"])
    wait_until(redis.ping, 30, "redis-server answers")
    moment, before = now(), redis.info("memory")["used_memory"]
    walks.due(tuple(prune.DELETES))  # makes them, if there are none
    db.session.execute(update(Walk).values(due_at=moment + timedelta(days=1)))
    make_due(chosen)
    time.sleep(STATISTICS_LATE)
    calls, written, log = calls_of(running), rows_written(), log_position()
    names = [f"worker-{number}" for number in range(workers)]
    for name in names:
        running.run(name, running.procfile["worker"])
    running.run("clock", running.procfile["clock"])
    most = [before]

    def is_done() -> bool:
        most.append(redis.info("memory")["used_memory"])
        left = select(func.count(Item.id)).where(Item.id.in_(chosen), Item.synced_at <= moment)
        is_open = Pull.state.in_((pulls.QUEUED, pulls.RUNNING))
        done = not db.session.scalar(left) and not db.session.scalar(
            select(func.count(Pull.id)).where(is_open)
        )
        db.session.rollback()
        return done

    while not is_done():
        if now() - moment > timedelta(seconds=120 + count):
            raise TimeoutError(f"{count} syncs of {size} Items")
        time.sleep(0.5)
    busy = sum(processor_seconds(running.running[name]) for name in names) / count
    for name in ("clock", *names):
        running.running.pop(name).stop()
    seconds, lost = judge(chosen, moment)
    time.sleep(STATISTICS_LATE)
    cost = Cost(
        seconds / count,
        busy,
        (calls_of(running) - calls) / count,
        (rows_written() - written) / count,
        (log_position() - log) / count,
        max(most) - before,
    )
    return cost, lost


def processor_seconds(worker: Running) -> float:
    """Return the processor time of a worker, with the second or two of its start."""
    return sum(sum(each.cpu_times()[:2]) for each in worker.family())


def make_due(chosen: Sequence[int]) -> None:
    """Have the last syncs of these Items be a day ago, one after the other."""
    waits = random.Random(5).sample(range(len(chosen)), len(chosen))
    moment = now() - timedelta(days=1, seconds=1)
    rows = [
        {
            "id": item_id,
            "synced_at": moment - timedelta(milliseconds=wait),
            "swept_at": None,
            "status_read_at": moment,
            "next_look": moment - timedelta(milliseconds=wait),
        }
        for item_id, wait in zip(chosen, waits, strict=True)
    ]
    db.session.execute(update(Item), rows)
    db.session.commit()


def judge(chosen: Sequence[int], since: object) -> tuple[float, list[str]]:
    """Return the seconds from the first start to the last end, and what was lost or doubled."""
    mine = Pull.created_at >= since, PullItem.item_id.in_(chosen)
    first, last = db.session.execute(
        select(func.min(Pull.started_at), func.max(Pull.ended_at)).join(PullItem).where(*mine)
    ).one()
    query = select(PullItem.item_id).join(Pull).where(*mine, Pull.kind == kinds.TRANSACTIONS)
    synced = Counter(db.session.scalars(query.where(Pull.state == pulls.DONE)))
    problems = {
        "Items were not synced": len(set(chosen) - synced.keys()),
        "Items were synced twice": sum(number > 1 for number in synced.values()),
    }
    db.session.rollback()
    wrong = [f"{number} {what}" for what, number in problems.items() if number]
    seconds = (last - first).total_seconds() if first and last else 0.0
    return seconds, wrong


def time_of_looks() -> tuple[float, float]:
    """Return the milliseconds of a tick's look for Items, when none is due and when 250 are."""
    none = harness.median([timed(clock.ask_for_neglected) for _ in range(20)])
    db.session.execute(update(Item).where(Item.id <= 250).values(next_look=now()))
    db.session.commit()
    return none, timed(clock.ask_for_neglected)


def timed(way: object) -> float:
    begun = time.perf_counter()
    way()  # type: ignore[operator]
    return (time.perf_counter() - begun) * 1e3


def time_prune(size: int, steps: int) -> tuple[float, int, int]:
    """Return seconds for each Item, rows deleted, and rows that were read with whole tables."""
    walks.due(tuple(prune.DELETES))
    db.session.execute(update(Walk).values(position=size // 2, due_at=now()))
    db.session.commit()
    time.sleep(STATISTICS_LATE)
    whole, begun, deleted, looked = whole_reads(), time.perf_counter(), 0, 0
    for _ in range(steps):
        at = db.session.scalar(select(Walk.position).where(Walk.name == "items"))
        found = prune.step() or Counter()
        now_at = db.session.scalar(select(Walk.position).where(Walk.name == "items"))
        db.session.rollback()
        deleted += found.total()
        looked += max((now_at or 0) - (at or 0), 0)
    seconds = time.perf_counter() - begun
    time.sleep(STATISTICS_LATE)
    return seconds / max(looked, 1), deleted, whole_reads() - whole


def time_pages(app: Flask, rounds: int) -> list[float]:
    """Return the median milliseconds of each of PAGES, for the first person."""
    with app.app_context():
        ids = db.session.scalars(text("SELECT id FROM account WHERE user_id = 1")).all()
        derived.rebuild(list(ids))
        db.session.commit()
        db.session.remove()
    client = logged_in(app, 1)
    return [
        harness.median([_get(client, path)() for _ in range(rounds)]) for path in PAGES.values()
    ]


def rows_written() -> int:
    written = "sum(n_tup_ins + n_tup_upd + n_tup_del)"
    return int(db.session.execute(text(f"SELECT {written} FROM pg_stat_user_tables")).scalar_one())


def whole_reads() -> int:
    names = ", ".join(f"'{name}'" for name in PRUNED)
    query = f"SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ({names})"
    return int(db.session.execute(text(query)).scalar_one())


def log_position() -> int:
    query = text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    return int(db.session.execute(query).scalar_one())


def database_size() -> int:
    return int(db.session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def calls_of(running: Deployment) -> int:
    db.session.rollback()  # the transactions of these questions are over
    return int(requests.get(f"{running.env['PLAID_BASE_URL']}/calls", timeout=10).text)


def show(
    costs: Sequence[Sequence[object]],
    gains: Sequence[float],
    looks: Sequence[Sequence[object]],
    prunes: Sequence[Sequence[object]],
    pages: Sequence[Sequence[object]],
    syncs: int,
) -> None:
    harness.table(
        f"{syncs:,} syncs with nothing new, and a question when the bank last delivered, per Item",
        (
            "Items, workers",
            "ms",
            "ms of workers",
            "hours for a day's syncs",
            "calls to Plaid",
            "rows written",
            "bytes of WAL",
            "bytes of Redis, all",
        ),
        costs,
    )
    names = [f"{row[0]:,}" for row in looks]
    harness.table(f"Two workers instead of one, at least {GAIN} times as many", names, [[*gains]])
    harness.table(
        "The clock's look for Items that are due",
        ("Items", "s to fill", "MB", "none due, ms", "250 due, ms"),
        looks,
    )
    harness.table(
        "The nightly deletion",
        ("Items", "ms per Item", "rows deleted", "rows read without an index"),
        prunes,
    )
    harness.table("A person's pages, ms", ("Items", *PAGES), pages)


if __name__ == "__main__":
    main()
