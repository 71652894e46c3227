"""The worker: `python worker.py`, or `rq worker -c worker -w worker.AppWorker`.

`python worker.py` has a process that takes clicks only, and one that takes every job. Neither forks
for each job. A plain `rq worker` works too, but each of its children imports the app again. Without
a fork, a crash or a leak ends a process. Another one replaces it, and the clock picks up the pull.
"""

import os

from redis import Redis

from config import Config
from plaidapp.jobs import run as _pulls  # noqa: F401 imported now, so that the first job is fast
from plaidapp.jobs import startup
from plaidapp.jobs.pull_job import QUEUE
from plaidapp.jobs.runner import ClickRunner
from plaidapp.jobs.runner import Runner as AppWorker
from plaidapp.jobs.worker_app import worker_app
from plaidapp.jobs.worker_processes import WorkerProcesses
from plaidapp.metrics import sending

config: Config = worker_app().config["PLAIDAPP"]

# RQ reads these two names from the module that `-c` names.
REDIS_URL = config.redis_url
QUEUES = [QUEUE]
JOBS_PER_LIFE = 10_000
"""Jobs after which a process is replaced, in case it leaks memory."""


def main() -> None:
    WorkerProcesses([take_clicks, take_all]).run()


def take_clicks() -> None:
    take(ClickRunner)


def take_all() -> None:
    os.setsid()  # a session can give way to others
    startup.give_way()
    take(AppWorker)


def take(runner: type[AppWorker]) -> None:
    sending.start(worker_app().extensions["redis"], "worker")
    worker = runner(QUEUES, connection=Redis.from_url(config.redis_url))
    worker.work(logging_level=config.log_level, max_jobs=JOBS_PER_LIFE)
    sending.end()


startup.warm_up()
if __name__ == "__main__":
    main()
else:  # RQ imports this
    startup.give_way()
