"""`python -m sandbox`: serve the sandbox until a signal stops it."""

import argparse
import os
import signal
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sandbox import bank_activity, create_app, items
from sandbox.custom_users import NOT_SIMULATED
from sandbox.faults import Faults
from sandbox.webhook_queue import PLAID_RETRY


class GentleArbiter(Arbiter):
    """Treat Ctrl-C like SIGTERM: gunicorn's quick shutdown can deadlock on its thread pool."""

    def handle_int(self) -> None:
        self.handle_term()


class Server(BaseApplication):
    """gunicorn without a config file. The worker creates the app: threads don't survive a fork."""

    def __init__(self, options: dict[str, Any], **app_arguments: Any) -> None:
        self._options = options
        self._app_arguments = app_arguments
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(**self._app_arguments)
        sandbox = app.extensions["sandbox"]
        change_item, item_of = (
            partial(bank_activity.refresh, sandbox),
            partial(items.id_of, sandbox),
        )
        faults = Faults(app.wsgi_app, mutate=change_item, item_of=item_of)
        app.wsgi_app = faults  # type: ignore[method-assign]
        return app

    def run(self) -> None:
        GentleArbiter(self).run()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local stand-in for Plaid's API, served at http://HOST:PORT.",
        epilog="POST /_control/items/ITEM_ID, /_control/institutions/ID and /_control/faults make"
        " Items, banks and calls misbehave: docs/sandbox.md has the fields. These fields of a"
        " custom user are accepted but ignored: " + ", ".join(NOT_SIMULATED),
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to serve; default %(default)s")
    parser.add_argument("--port", type=int, default=8001, help="port to serve; default %(default)s")
    parser.add_argument(
        "--seed", type=int, default=0, help="each seed creates different data; default %(default)s"
    )
    parser.add_argument(
        "--state", metavar="FILE", help="file that keeps Items and tokens across restarts"
    )
    parser.add_argument(
        "--initial-delay", type=float, default=0.3, metavar="SECONDS",
        help="wait before the last 30 days of transactions are available; default %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--historical-delay", type=float, default=1.0, metavar="SECONDS",
        help="wait before all transactions are available; default %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--webhook-retry", type=_seconds, default=PLAID_RETRY, metavar="SECONDS,...",
        help="wait before each retry of a failed webhook; default: the same as Plaid",
    )  # fmt: skip
    parser.add_argument(
        "--shuffle-webhooks", action="store_true",
        help="deliver webhooks in any order, as Plaid may; default: those of an Item in order",
    )  # fmt: skip
    return parser.parse_args()


def _seconds(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main() -> None:
    os.umask(0o077)  # nobody but its owner may read the state file
    arguments = parse_arguments()
    options = {
        "bind": f"{arguments.host}:{arguments.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": 16,
        "loglevel": "warning",
        "graceful_timeout": 2,
        "keepalive": 30,
        "post_worker_init": ignore_ctrl_c,
        "worker_exit": close_sandbox,
    }
    Server(
        options,
        seed=arguments.seed,
        state=arguments.state,
        initial_delay=arguments.initial_delay,
        historical_delay=arguments.historical_delay,
        webhook_retry=arguments.webhook_retry,
        shuffle_webhooks=arguments.shuffle_webhooks,
    ).run()


def ignore_ctrl_c(_worker: Any) -> None:
    """Ignore the terminal's Ctrl-C in the worker: the arbiter tells it when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def close_sandbox(_server: Any, worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].close()


if __name__ == "__main__":
    main()
