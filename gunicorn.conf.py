"""How gunicorn serves the web process; it reads this file by itself."""

import contextlib
import ctypes
import gc
import os
from typing import Any

from config import Config
from plaidapp import web

# Read here as well, so that a bad variable ends the start at once instead of in every worker.
_config = Config.from_env()

bind = f"0.0.0.0:{_config.port}"
# A page is all computing, so one a core; two at least, since now and then one is replaced. More of
# them served no more on two cores, and took 75 MB. Threads are for those who wait: for a file that
# is streamed, or for news of a pull.
workers = _config.web_concurrency or max(2, min(os.cpu_count() or 1, 4))
worker_class = "gthread"
threads = 8
# The app is imported once and shared; create_app opens no connection that a fork would duplicate.
preload_app = True
# PaaS routers keep connections open for longer than gunicorn's 2 s.
keepalive = 75
# A process keeps, a megabyte each, the locale of every visitor so far, and whatever may leak.
max_requests = 10_000
max_requests_jitter = 2_000
control_socket_disable = True
loglevel = _config.log_level.lower()
# glibc would give each thread a heap of its own, each with its own holes: 3 MB more with 8 threads.
M_ARENA_MAX = -8
with contextlib.suppress(AttributeError, OSError):  # another C library
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def when_ready(server: Any) -> None:
    """Before the first fork. What was loaded so far is never garbage; unfrozen, each collection
    would copy its pages."""
    web.warm_up(server.app.wsgi())
    gc.freeze()
