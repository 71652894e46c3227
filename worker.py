"""The worker process: `python worker.py`, or `rq worker -c worker -w worker.AppWorker`.

The worker does not fork for each job. A plain `rq worker` works too, but each of its children
imports the app again. Without a fork, a crash or a leak ends this process. The process manager then
starts another worker, and the clock picks up the pull.
"""

from redis import Redis

from config import Config
from plaidapp.jobs import run as _pulls  # noqa: F401 imported now, so that the first job is fast
from plaidapp.jobs import startup
from plaidapp.jobs.pull_job import QUEUE
from plaidapp.jobs.runner import Runner as AppWorker
from plaidapp.jobs.worker_app import worker_app
from plaidapp.metrics import sending

config: Config = worker_app().config["PLAIDAPP"]

# RQ reads these two names from the module that `-c` names.
REDIS_URL = config.redis_url
QUEUES = [QUEUE]


def main() -> None:
    connection = Redis.from_url(config.redis_url)
    sending.start(worker_app().extensions["redis"], "worker")
    AppWorker(QUEUES, connection=connection).work(logging_level=config.log_level)


startup.warm_up()
startup.give_way()
if __name__ == "__main__":
    main()
