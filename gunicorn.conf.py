"""gunicorn's settings for the web process. gunicorn reads this file by default."""

import contextlib
import ctypes
import gc
import os

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from config import Config
from plaidapp import logs, policy, web
from plaidapp.jobs import queue
from plaidapp.metrics import sending

# Read here too, so that a bad variable ends the process at once and not in every worker.
_config = Config.from_env()

bind = f"0.0.0.0:{_config.port}"
# One worker per core, because pages keep the processor busy, but at least two, because gunicorn
# replaces workers now and then. On two cores, more workers served no more requests and took
# another 75 MB.
workers = _config.web_concurrency or max(2, min(os.cpu_count() or 1, 4))
worker_class = "server.worker.BufferingWorker"
threads = policy.THREADS
# Workers share one import of the app. This is safe: create_app opens no connection to inherit.
preload_app = True
# A worker keeps each locale that visitors have used, 1 MB each, and may leak memory. No leak is
# known: after 500 pages, 2,700 more made one half a megabyte larger. Its successor is slow at
# first, since it has to make its statements and connections anew.
max_requests = 100_000
max_requests_jitter = 20_000
control_socket_disable = True
loglevel = _config.log_level.lower()
logconfig_dict = logs.settings(_config)
# By default glibc gives each thread its own heap. Fragmentation then costs 3 MB with 8 threads.
M_ARENA_MAX = -8
with contextlib.suppress(AttributeError, OSError):  # another C library has no mallopt
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def when_ready(server: Arbiter) -> None:
    """Warm up before the first fork, then freeze what is loaded.

    Everything loaded so far stays in use. If it were not frozen, garbage collection would write
    to its memory pages, and each worker would get its own copy of them.
    """
    web.warm_up(server.app.wsgi())
    gc.freeze()


def post_worker_init(_worker: Worker) -> None:
    """Send what this process counts. Threads do not survive a fork, so it begins here."""
    sending.start(queue.connect(_config.redis_url), "web")
