"""The jobs that benchmarks/jobs.py gives to every kind of worker.

At its end, each job pushes a number of seconds onto a list in Redis, for the benchmark to read.
Like a pull's job, each takes one whole number. `python -m benchmarks.tasks` is the worker of a
deployment that may run these functions too.
"""

import time

from redis import Redis

from config import Config
from plaidapp import create_worker_app
from plaidapp.bank.client import Bank
from plaidapp.jobs import run
from plaidapp.sealing import Sealed

config = Config.from_env()
app = create_worker_app(config)
REDIS_URL = config.redis_url  # RQ reads this name
reports = Redis.from_url(config.redis_url)


def call_bank(number: int) -> None:
    """Make one call to the bank. Report the time since this was enqueued without that call."""
    bank: Bank = app.extensions["bank"]
    start = time.monotonic()
    bank.accounts(Sealed("", app.extensions["cipher"].encrypt("", "access-loopback")))
    call = time.monotonic() - start
    report(number, call)


def run_pull(pull_id: int) -> None:
    """Run a whole pull that finds no new transactions. Report the time since it was enqueued."""
    with app.app_context():
        run.run(pull_id)
    report(pull_id, 0)


def report(number: int, besides: float) -> None:
    """Report the seconds since this job was enqueued, without some of them."""
    enqueued_at = float(reports.getdel(f"enqueued-{number}"))  # type: ignore[arg-type]
    reports.rpush("reports", time.monotonic() - enqueued_at - besides)


if __name__ == "__main__":
    import worker
    from plaidapp.jobs import pull_job, runner

    pull_job.REGISTERED |= {"benchmarks.tasks.call_bank", "benchmarks.tasks.run_pull"}
    worker.take(runner.Runner)  # alone: another process would not be stopped with it
