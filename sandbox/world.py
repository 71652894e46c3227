"""What every request needs: the store, the ids, the time, and the webhooks on their way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import flask

from sandbox.ids import Ids
from sandbox.outbox import Outbox
from sandbox.store import Store

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sandbox:
    """One world. The delays are in seconds from when an Item's transactions are asked for."""

    seed: int
    ids: Ids
    store: Store
    outbox: Outbox
    clock: Clock
    initial_delay: float
    historical_delay: float

    def now(self) -> float:
        """Unix time by the world's own clock."""
        return self.clock().timestamp()

    def today(self) -> date:
        """In UTC, as everything here."""
        return self.clock().astimezone(UTC).date()

    def close(self) -> None:
        """Stops the threads and closes the files. Webhooks not yet sent stay in the state file."""
        self.outbox.close()
        self.store.close()


def here() -> Sandbox:
    """The world of the app that answers the present request."""
    sandbox: Sandbox = flask.current_app.extensions["sandbox"]
    return sandbox


def timestamp(unix: float) -> str:
    """ISO 8601 in UTC with seconds, as Plaid writes it."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
