"""python -m sandbox: serves the sandbox until it is told to stop."""

import argparse
import signal
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sandbox import bank, create_app
from sandbox.custom import NOT_SIMULATED
from sandbox.faults import Faults
from sandbox.outbox import PLAID_RETRY


class GentleArbiter(Arbiter):
    """Ctrl-C stops like SIGTERM: gunicorn's quick way can deadlock on its own thread pool."""

    def handle_int(self) -> None:
        self.handle_term()


class Server(BaseApplication):
    """gunicorn, set from here alone. The app is made in the worker: its threads do not fork."""

    def __init__(self, options: dict[str, Any], **world: Any) -> None:
        self._options = options
        self._world = world
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(**self._world)
        change_item = partial(bank.refresh, app.extensions["sandbox"])
        app.wsgi_app = Faults(app.wsgi_app, mutate=change_item)  # type: ignore[method-assign]
        return app

    def run(self) -> None:
        GentleArbiter(self).run()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A Plaid that runs on your machine, on http://HOST:PORT.",
        epilog="Of a custom user these are accepted but not simulated: " + ", ".join(NOT_SIMULATED),
    )
    parser.add_argument("--host", default="127.0.0.1", help="default %(default)s")
    parser.add_argument("--port", type=int, default=8001, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another world")
    parser.add_argument("--state", metavar="FILE", help="keeps Items and tokens over a restart")
    parser.add_argument(
        "--initial-delay", type=float, default=0.3, metavar="SECONDS",
        help="from the link to the last 30 days of transactions; default %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--historical-delay", type=float, default=1.0, metavar="SECONDS",
        help="from the link to all transactions; default %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--webhook-retry", type=_seconds, default=PLAID_RETRY, metavar="SECONDS,...",
        help="waits before a webhook that was not taken is sent again; default as Plaid's",
    )  # fmt: skip
    return parser.parse_args()


def _seconds(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main() -> None:
    arguments = parse_arguments()
    options = {
        "bind": f"{arguments.host}:{arguments.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": 16,
        "loglevel": "warning",
        "graceful_timeout": 2,
        "keepalive": 30,
        "post_worker_init": leave_ctrl_c,
        "worker_exit": close,
    }
    Server(
        options,
        seed=arguments.seed,
        state=arguments.state,
        initial_delay=arguments.initial_delay,
        historical_delay=arguments.historical_delay,
        webhook_retry=arguments.webhook_retry,
    ).run()


def leave_ctrl_c(_worker: Any) -> None:
    """A terminal sends Ctrl-C to the worker as well, which is to wait for the arbiter's word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def close(_server: Any, worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].close()


if __name__ == "__main__":
    main()
