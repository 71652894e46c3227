"""The app in a gunicorn of its own, for tests that need a real process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import SECRET_KEY, TOKEN_KEY
from tests.e2e.processes import Running, clean_env
from tests.ports import free_port


@contextmanager
def serving(database_url: str, redis_url: str, directory: Path) -> Iterator[tuple[str, Running]]:
    """Start gunicorn as the Procfile does. Yield host and port, and the process."""
    host = f"127.0.0.1:{free_port()}"
    env = clean_env(
        SECRET_KEY=SECRET_KEY,
        TOKEN_KEYS=TOKEN_KEY,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        PLAID_BASE_URL="http://127.0.0.1:1",
        WEB_CONCURRENCY="1",
        PORT=host.partition(":")[2],
    )
    log = directory / "gunicorn.log"
    running = Running([sys.executable, "-m", "gunicorn", "wsgi:app"], log, env)
    try:
        running.wait_for(f"http://{host}/healthz")
        yield host, running
    finally:
        running.stop()
