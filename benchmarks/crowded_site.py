"""A deployment for many Items: PostgreSQL, Redis, the fixed bank, and workers when they are needed.

Plaid's limits of Production are kept, and the bank counts whether they are.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import requests
from flask import Flask
from flask_migrate import upgrade
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from rq.worker_registration import REDIS_WORKER_KEYS
from sqlalchemy import text

from benchmarks import harness
from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from run import find_redis_server
from tests.e2e.processes import Deployment, Running, wait_until
from tests.ports import free_port

LATENCY = 0.02
"""Seconds in which the bank answers a call."""
LIMITS = "production"
START = 60
"""Seconds in which a process has to be up."""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()
"""


class Site(NamedTuple):
    """`app` is in this process, and no context of it is open. Clock and workers don't run yet."""

    deployment: Deployment
    app: Flask
    redis: Redis

    @contextlib.contextmanager
    def working(self, workers: int) -> Iterator[list[Running]]:
        """Run the clock and some workers, and give the workers. All are up when the block begins,
        but for the clock, which is what gives them work.
        """
        run, procfile = self.deployment.run, self.deployment.procfile
        names = [f"worker-{number}" for number in range(workers)]
        try:
            started = [run(name, procfile["worker"]) for name in names]
            processes = 2 * workers  # of each, one takes clicks only
            wait_until(lambda: self.redis.scard(REDIS_WORKER_KEYS) == processes, START, "workers")
            run("clock", procfile["clock"])
            yield started
        finally:
            for name in {"clock", *names} & self.deployment.running.keys():
                self.deployment.running.pop(name).stop()

    def calls(self) -> dict[str, dict[str, int]]:
        """Return what the bank has counted, by path."""
        answer = requests.get(f"{self.deployment.env['PLAID_BASE_URL']}/calls", timeout=10)
        counted: dict[str, dict[str, int]] = answer.json()
        return counted


@contextlib.contextmanager
def site() -> Iterator[Site]:
    with harness.database("PostgreSQL") as url, harness.directory() as place:
        deployment = Deployment(place, url)
        bank_port, redis_port = free_port(), deployment.env["REDIS_URL"].split(":")[2][:-2]
        deployment.env |= {
            "PLAID_BASE_URL": f"http://127.0.0.1:{bank_port}",
            "PLAID_LIMITS": LIMITS,
            "LOG_LEVEL": "WARNING",
        }
        patient = Retry(ConstantBackoff(0.1), 10 * START)
        redis = Redis.from_url(deployment.env["REDIS_URL"], retry=patient)
        try:
            deployment.run("redis", f"{find_redis_server()} --save '' --port {redis_port}")
            deployment.run("bank", f"python -m benchmarks.fixed_bank {bank_port} {LATENCY} 2")
            app = create_app(Config.from_env(deployment.env))
            with app.app_context():
                upgrade()
            yield Site(deployment, app, redis)
            with app.app_context():
                db.engine.dispose()
        finally:
            for process in deployment.running.values():
                process.stop()


def settle() -> None:
    """Wait until PostgreSQL has counted what was done: it does so when a connection ends."""
    db.session.remove()
    db.engine.dispose()
    wait_until(lambda: not figure(OTHERS), START, "the others end")


def figure(query: str, **values: Any) -> int:
    """In a transaction of its own: one that stays open is ended by PostgreSQL."""
    with db.engine.connect() as connection:
        return int(connection.execute(text(query), values).scalar_one())


def rows_written() -> int:
    return figure("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")


def rows_read_whole(tables: tuple[str, ...]) -> int:
    """Return how many rows of these tables were read without an index so far."""
    query = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY(:tables)"
    return figure(query, tables=list(tables))


def log_position() -> int:
    return figure("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")


def database_size() -> int:
    """In bytes."""
    return figure("SELECT pg_database_size(current_database())")
