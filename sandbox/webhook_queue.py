"""The webhook queue: a table of deliveries and a table of updates, and threads that process them.

A delivery is stored in the same transaction as the change that it announces, so neither exists
without the other. After a restart, the threads continue with whatever is left.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence

import requests

from sandbox.signing import SigningKey
from sandbox.store import Store

# Plaid retries for up to 24 hours: first after 30 seconds, then each wait is four times as long
# (https://plaid.com/docs/api/webhooks/#webhook-retries). A seventh retry would exceed 24 hours.
PLAID_RETRY = (30.0, 120.0, 480.0, 1920.0, 7680.0, 30720.0)
_TIMEOUT = 10.0
# If the process is killed during a delivery, the delivery becomes due again after this time. While
# the process lives, it knows what it is sending: tests may move the clock further than this.
_LEASE_SECONDS = 60.0
_THREADS = 4
# Longest sleep while something is scheduled: tests may move the sandbox's clock at any time.
_POLL_SECONDS = 0.25
_IDLE_SECONDS = 60.0

# An Item's webhooks arrive in the order in which they were posted. One that failed doesn't hold up
# those after it. Plaid promises no order, so `shuffle` is for tests of clients.
_IN_ORDER = (
    "NOT EXISTS (SELECT 1 FROM delivery AS earlier WHERE earlier.item IS delivery.item"
    " AND earlier.id < delivery.id AND earlier.attempts = 0)"
)
_NOT_BEING_SENT = "id NOT IN (SELECT value FROM json_each(:sending))"

# Called with (row of the moment table) when something is due; queues the webhooks that announce it.
OnDue = Callable[[sqlite3.Connection, sqlite3.Row], None]
_log = logging.getLogger(__name__)


class WebhookQueue:
    """Sends webhooks. `retry` lists the seconds before each further attempt; `now` is Unix time."""

    def __init__(
        self,
        store: Store,
        key: SigningKey,
        now: Callable[[], float],
        retry: Sequence[float],
        *,
        shuffle: bool = False,
    ) -> None:
        self.key = key
        self._store = store
        self._now = now
        self._retry = tuple(retry)
        self._condition = _NOT_BEING_SENT if shuffle else f"{_NOT_BEING_SENT} AND {_IN_ORDER}"
        self._order = "random()" if shuffle else "due, id"
        self._sending: set[int] = set()
        self._wakeup = threading.Condition()
        self._work_added = False
        self._closed = False
        self._threads: list[threading.Thread] = []

    def start(self, on_due: OnDue) -> None:
        for _ in range(_THREADS):
            thread = threading.Thread(target=self._run, args=(on_due,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop the threads without waiting for a slow receiver: that delivery will be repeated."""
        with self._wakeup:
            self._closed = True
            self._wakeup.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def wake(self) -> None:
        """Wake the threads. Call this after a transaction that added work is committed."""
        with self._wakeup:
            self._work_added = True
            self._wakeup.notify_all()

    def schedule(self, db: sqlite3.Connection, item: int, code: str, due: float) -> None:
        """Call `on_due` for the Item at `due`."""
        db.execute("INSERT INTO moment (item, code, due) VALUES (?, ?, ?)", (item, code, due))

    def schedule_session(self, db: sqlite3.Connection, session: str, code: str, due: float) -> None:
        """Call `on_due` for the Link session at `due`, instead of when it was scheduled before."""
        self.cancel_session(db, session)
        db.execute("INSERT INTO moment (session, code, due) VALUES (?, ?, ?)", (session, code, due))

    def cancel_session(self, db: sqlite3.Connection, session: str) -> None:
        db.execute("DELETE FROM moment WHERE session = ?", (session,))

    def post(
        self, db: sqlite3.Connection, item: int | None, url: str, code: str, body: str
    ) -> None:
        """Send `body` to `url` once the transaction is committed. `item` is None if it has none."""
        db.execute(
            "INSERT INTO delivery (item, url, code, body, due) VALUES (?, ?, ?, ?, ?)",
            (item, url, code, body, self._now()),
        )
        db.execute(
            "UPDATE item SET webhook_code = ?, webhook_sent = ? WHERE number = ?",
            (code, self._now(), item),
        )

    def _run(self, on_due: OnDue) -> None:
        while not self._closed:
            try:
                if not self._process_one(on_due):
                    self._sleep()
            except sqlite3.Error:
                if self._closed:
                    return
                _log.exception("webhooks: cannot use the state file")
                self._sleep()

    def _process_one(self, on_due: OnDue) -> bool:
        """Process one due update or delivery. Return False if there is none."""
        return self._something_due() and (self._process_update(on_due) or self._process_delivery())

    def _process_update(self, on_due: OnDue) -> bool:
        with self._store.write() as db:
            update = db.execute(
                "SELECT * FROM moment WHERE due <= ? ORDER BY due, id LIMIT 1", (self._now(),)
            ).fetchone()
            if update:
                db.execute("DELETE FROM moment WHERE id = ?", (update["id"],))
                on_due(db, update)
        return update is not None

    def _process_delivery(self) -> bool:
        delivery = None
        try:
            with self._store.write() as db:
                delivery = self._take_delivery(db)
            if delivery:
                sent = self._send(delivery["url"], delivery["body"].encode())
                self._record_result(delivery, sent=sent)
        finally:
            if delivery:
                self._sending.discard(delivery["id"])
        if delivery:
            self.wake()
        return delivery is not None

    def _take_delivery(self, db: sqlite3.Connection) -> sqlite3.Row | None:
        now = self._now()
        delivery: sqlite3.Row | None = db.execute(
            "SELECT * FROM delivery"  # noqa: S608 (fixed)
            f" WHERE due <= :now AND {self._condition} ORDER BY {self._order} LIMIT 1",
            {"now": now, "sending": self._ids_being_sent()},
        ).fetchone()
        if delivery:
            due = now + _LEASE_SECONDS
            db.execute("UPDATE delivery SET due = ? WHERE id = ?", (due, delivery["id"]))
            self._sending.add(delivery["id"])
        return delivery

    def _ids_being_sent(self) -> str:
        """Return a JSON list, since SQLite has no parameter for a list."""
        return json.dumps(list(self._sending))

    def _send(self, url: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json", "Plaid-Verification": self.key.sign(body)}
        try:
            response = requests.post(
                url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            _log.warning("webhook to %s failed: %s", url, error)
            return False
        if response.status_code != 200:
            _log.warning("webhook to %s got status %s", url, response.status_code)
        return response.status_code == 200

    def _record_result(self, delivery: sqlite3.Row, *, sent: bool) -> None:
        attempts = delivery["attempts"]
        with self._store.write() as db:
            if sent or attempts >= len(self._retry):
                db.execute("DELETE FROM delivery WHERE id = ?", (delivery["id"],))
            else:
                db.execute(
                    "UPDATE delivery SET due = ?, attempts = ? WHERE id = ?",
                    (self._now() + self._retry[attempts], attempts + 1, delivery["id"]),
                )

    def _something_due(self) -> bool:
        due = self._next_due()
        return due is not None and due <= self._now()

    def _next_due(self) -> float | None:
        with self._store.read() as db:
            row = db.execute(
                "SELECT min(due) AS due FROM (SELECT min(due) AS due FROM moment"  # noqa: S608
                f" UNION ALL SELECT min(due) FROM delivery WHERE {self._condition})",
                {"sending": self._ids_being_sent()},
            ).fetchone()
        due: float | None = row["due"]
        return due

    def _sleep(self) -> None:
        due = self._next_due()
        with self._wakeup:
            if not self._work_added and not self._closed:
                wait = (
                    _IDLE_SECONDS
                    if due is None
                    else min(max(due - self._now(), 0.001), _POLL_SECONDS)
                )
                self._wakeup.wait(wait)
            self._work_added = False
