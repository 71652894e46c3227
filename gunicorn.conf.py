"""How gunicorn serves the web process; it reads this file by itself."""

import gc
import os

from config import Config

# Read here as well, so that a bad variable ends the start at once instead of in every worker.
_config = Config.from_env()

bind = f"0.0.0.0:{_config.port}"
workers = _config.web_concurrency or min(2 * (os.cpu_count() or 1), 4)
worker_class = "gthread"
threads = 8
# The app is imported once and shared; create_app opens no connection that a fork would duplicate.
preload_app = True
# PaaS routers keep connections open for longer than gunicorn's 2 s.
keepalive = 75
control_socket_disable = True
loglevel = _config.log_level.lower()


def when_ready(_server: object) -> None:
    """What was loaded so far is never garbage; unfrozen, each collection would copy its pages."""
    gc.freeze()
