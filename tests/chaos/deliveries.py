"""Sends hundreds of webhooks, signed as Plaid signs them, and records each answer."""

import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests
from sqlalchemy import select

from plaidapp.bank.webhook_signatures import fingerprint
from plaidapp.store.webhooks.deliveries import Webhook
from sandbox.signing import SigningKey
from sandbox.store import Store

from .world import World

SENDERS = 64


@dataclass(frozen=True)
class Delivery:
    """One webhook to POST. `token` is its Plaid-Verification header, None for no header."""

    body: bytes
    token: str | None

    @property
    def token_hash(self) -> str:
        return fingerprint(self.token or "")


@dataclass(frozen=True)
class Outcome:
    """The answer to a delivery and how long it took.

    `status` is 0 if the connection broke or timed out.
    """

    delivery: Delivery
    status: int
    seconds: float


class Plaid:
    """Sends webhooks, signed with the sandbox's own key."""

    def __init__(self, world: World) -> None:
        self._url = f"{world.url}/webhooks/plaid"
        self._store = Store(world.bank_state)
        self.key = SigningKey(self._store)
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._pool = ThreadPoolExecutor(SENDERS)

    def update_of(self, plaid_item_id: str) -> Delivery:
        """Return a newly signed SYNC_UPDATES_AVAILABLE; its body is always the same."""
        payload = {
            "webhook_type": "TRANSACTIONS",
            "webhook_code": "SYNC_UPDATES_AVAILABLE",
            "item_id": plaid_item_id,
            "initial_update_complete": True,
            "historical_update_complete": True,
            "environment": "sandbox",
        }
        body = json.dumps(payload, indent=2).encode()
        return Delivery(body, self.key.sign(body))

    def deliver_all(
        self, deliveries: Iterable[Delivery], per_second: float, timeout: float = 10
    ) -> list[Outcome]:
        """Send at this pace without waiting for answers. Plaid waits ten seconds for each."""
        began = time.monotonic()
        waiting = []
        for number, delivery in enumerate(deliveries):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            waiting.append(self._pool.submit(self._deliver, delivery, timeout))
        return [future.result() for future in waiting]

    def _deliver(self, delivery: Delivery, timeout: float) -> Outcome:
        headers = {"Content-Type": "application/json"}
        if delivery.token is not None:
            headers["Plaid-Verification"] = delivery.token
        began = time.monotonic()
        try:
            answer = self._session().post(
                self._url, data=delivery.body, headers=headers, timeout=timeout
            )
            status = answer.status_code
        except requests.RequestException:
            status = 0
        return Outcome(delivery, status, time.monotonic() - began)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
            self._sessions.append(self._local.session)
        return self._local.session

    def close(self) -> None:
        self._pool.shutdown()
        for session in self._sessions:
            session.close()
        self._store.close()


def stored_hashes(world: World) -> set[str]:
    """Return the `Delivery.token_hash` of every stored webhook."""
    with world.engine.connect() as connection:
        return set(connection.scalars(select(Webhook.token)))


def percentile(outcomes: Iterable[Outcome], share: float) -> float:
    seconds = sorted(outcome.seconds for outcome in outcomes)
    return seconds[min(len(seconds) - 1, int(len(seconds) * share))]
