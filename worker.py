"""The worker process: `python worker.py`, or `rq worker -c worker -w worker.AppWorker`.

The worker does not fork for each job: with RQ's default worker, each child would import the app
again. Without a fork, a crash or a leak ends this process. The process manager then starts
another worker, and the clock picks up the pull.
"""

import logging

from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job

from config import Config
from plaidapp import create_worker_app
from plaidapp.jobs import queue, startup
from plaidapp.jobs import run as _pulls  # noqa: F401 imported now, so that the first job is fast
from plaidapp.jobs.runner import Runner

config = Config.from_env()
app = create_worker_app(config)

# RQ reads these two names from the module that `-c` names.
REDIS_URL = config.redis_url
QUEUES = [queue.NAME]


class AppWorker(Runner):
    """Run each job in its own app context."""

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with app.app_context():
            return super().perform_job(job, queue, execution)


def main() -> None:
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(message)s")
    connection = Redis.from_url(config.redis_url)
    AppWorker(QUEUES, connection=connection).work(logging_level=config.log_level)


startup.warm_up()
if __name__ == "__main__":
    main()
