"""What every request needs: the store, the ids, the clock and the webhook queue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import flask

from sandbox.ids import Ids
from sandbox.store import Store
from sandbox.webhook_queue import WebhookQueue

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sandbox:
    """One running sandbox. Delays are seconds from the start of an Item's transaction updates."""

    seed: int
    ids: Ids
    store: Store
    webhook_queue: WebhookQueue
    clock: Clock
    initial_delay: float
    historical_delay: float

    def now(self) -> float:
        """Return Unix time by the sandbox's own clock."""
        return self.clock().timestamp()

    def today(self) -> date:
        """Return the current date in UTC, the only time zone that the sandbox uses."""
        return self.clock().astimezone(UTC).date()

    def close(self) -> None:
        """Stop the threads and close the files. Unsent webhooks stay in the state file."""
        self.webhook_queue.close()
        self.store.close()


def current_sandbox() -> Sandbox:
    """Return the sandbox of the app that handles the current request."""
    sandbox: Sandbox = flask.current_app.extensions["sandbox"]
    return sandbox


def timestamp(unix: float) -> str:
    """Format Unix time as Plaid does: ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_timestamp(unix: float | None) -> str | None:
    return None if unix is None else timestamp(unix)
