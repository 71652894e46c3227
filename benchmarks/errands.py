"""What the workers of benchmarks/jobs.py do, the same on each queue.

Each says on a list in Redis when it is done, and how much of that was neither waiting nor asking.
"""

import time

from redis import Redis

from config import Config
from plaidapp import create_worker_app
from plaidapp.bank.client import Bank
from plaidapp.jobs import run

config = Config.from_env()
app = create_worker_app(config)
REDIS_URL = config.redis_url  # which RQ reads here
told = Redis.from_url(config.redis_url)


def ask(sent: float) -> None:
    """One call to the bank, and nothing else. `sent` is when it was put on the queue."""
    bank: Bank = app.extensions["bank"]
    began = time.monotonic()
    bank.accounts(app.extensions["cipher"].encrypt(b"access-loopback"))
    asked = time.monotonic() - began
    told.rpush("told", time.monotonic() - sent - asked)


def pull(pull_id: int, sent: float) -> None:
    """A whole pull of transactions that have not changed."""
    with app.app_context():
        run.transactions(pull_id)
    told.rpush("told", time.monotonic() - sent)
