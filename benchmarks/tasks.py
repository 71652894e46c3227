"""The jobs that benchmarks/jobs.py gives to every kind of worker.

At its end, each job pushes a number of seconds onto a list in Redis, for the benchmark to read.
"""

import time

from redis import Redis

from config import Config
from plaidapp import create_worker_app
from plaidapp.bank.client import Bank
from plaidapp.jobs import run

config = Config.from_env()
app = create_worker_app(config)
REDIS_URL = config.redis_url  # RQ reads this name
reports = Redis.from_url(config.redis_url)


def call_bank(enqueued_at: float) -> None:
    """Make one call to the bank. Report the time since `enqueued_at` without that call."""
    bank: Bank = app.extensions["bank"]
    start = time.monotonic()
    bank.accounts(app.extensions["cipher"].encrypt(b"access-loopback"))
    call = time.monotonic() - start
    reports.rpush("reports", time.monotonic() - enqueued_at - call)


def run_pull(pull_id: int, enqueued_at: float) -> None:
    """Run a whole pull that finds no new transactions. Report the time since `enqueued_at`."""
    with app.app_context():
        run.run(pull_id)
    reports.rpush("reports", time.monotonic() - enqueued_at)
