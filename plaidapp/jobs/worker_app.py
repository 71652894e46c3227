"""The app of a worker process.

`worker.py` makes it before the first job. A plain `rq worker` forks for each job and knows nothing
of apps, so there the job makes it.
"""

import functools

from flask import Flask

from config import Config
from plaidapp import create_worker_app, error_reports, logs


@functools.cache
def worker_app() -> Flask:
    """Return this process's app, made from the environment. Raises ConfigError."""
    config = Config.from_env()
    logs.configure(config)
    error_reports.start(config)
    return create_worker_app(config)
