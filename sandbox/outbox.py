"""Webhooks on their way: a table of deliveries, and threads that send what is due.

A delivery is written in the transaction of the change it tells of, so that neither goes without
the other, and a restart sends what was left.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence

import requests

from sandbox.signing import SigningKey
from sandbox.store import Store

# Plaid retries for up to 24 hours, first after 30 seconds and then four times later each time
# (https://plaid.com/docs/api/webhooks/#webhook-retries). A seventh wait would pass the 24 hours.
PLAID_RETRY = (30.0, 120.0, 480.0, 1920.0, 7680.0, 30720.0)
_TIMEOUT = 10.0
# A delivery that a killed process had taken is free again after this.
_LEASE = 60.0
_THREADS = 4
# How long a thread sleeps at most while something is scheduled: the world's clock may be turned.
_GLANCE = 0.25
_IDLE = 60.0

# Writes the webhooks that the moment (item number, code) brings.
OnMoment = Callable[[sqlite3.Connection, int, str], None]
_log = logging.getLogger(__name__)


class Outbox:
    """`retry` holds the seconds to wait before each further attempt; `now` is Unix time."""

    def __init__(
        self, store: Store, key: SigningKey, now: Callable[[], float], retry: Sequence[float]
    ) -> None:
        self.key = key
        self._store = store
        self._now = now
        self._retry = tuple(retry)
        self._wakened = threading.Condition()
        self._news = False
        self._closed = False
        self._threads: list[threading.Thread] = []

    def start(self, on_moment: OnMoment) -> None:
        for _ in range(_THREADS):
            thread = threading.Thread(target=self._run, args=(on_moment,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Does not wait for a receiver that is slow to answer: that delivery is made again."""
        with self._wakened:
            self._closed = True
            self._wakened.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def wake(self) -> None:
        """To be called after the transaction that scheduled something."""
        with self._wakened:
            self._news = True
            self._wakened.notify_all()

    def schedule(self, db: sqlite3.Connection, item: int, code: str, due: float) -> None:
        """Has `on_moment` called at `due`."""
        db.execute("INSERT INTO moment (item, code, due) VALUES (?, ?, ?)", (item, code, due))

    def post(self, db: sqlite3.Connection, item: int, url: str, code: str, body: str) -> None:
        """Has `body` sent to `url` as soon as the transaction is committed."""
        db.execute(
            "INSERT INTO delivery (item, url, code, body, due) VALUES (?, ?, ?, ?, ?)",
            (item, url, code, body, self._now()),
        )
        db.execute(
            "UPDATE item SET webhook_code = ?, webhook_sent = ? WHERE number = ?",
            (code, self._now(), item),
        )

    def _run(self, on_moment: OnMoment) -> None:
        while not self._closed:
            try:
                if not self._work(on_moment):
                    self._sleep()
            except sqlite3.Error:
                if self._closed:
                    return
                _log.exception("webhooks: the state file cannot be used")
                self._sleep()

    def _work(self, on_moment: OnMoment) -> bool:
        """Does one thing that is due; False if there is none."""
        if not self._something_due():
            return False
        now = self._now()
        with self._store.write() as db:
            moment = db.execute(
                "SELECT * FROM moment WHERE due <= ? ORDER BY due, id LIMIT 1", (now,)
            ).fetchone()
            if moment:
                db.execute("DELETE FROM moment WHERE id = ?", (moment["id"],))
                on_moment(db, moment["item"], moment["code"])
                return True
            delivery = db.execute(
                "SELECT * FROM delivery WHERE due <= ? ORDER BY due, id LIMIT 1", (now,)
            ).fetchone()
            if delivery:
                due = now + _LEASE
                db.execute("UPDATE delivery SET due = ? WHERE id = ?", (due, delivery["id"]))
        if delivery:
            self._settle(delivery, sent=self._send(delivery["url"], delivery["body"].encode()))
        return delivery is not None

    def _send(self, url: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json", "Plaid-Verification": self.key.sign(body)}
        try:
            answer = requests.post(
                url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            _log.warning("webhook to %s failed: %s", url, error)
            return False
        if answer.status_code != 200:
            _log.warning("webhook to %s was answered %s", url, answer.status_code)
        return answer.status_code == 200

    def _settle(self, delivery: sqlite3.Row, *, sent: bool) -> None:
        attempts = delivery["attempts"]
        with self._store.write() as db:
            if sent or attempts >= len(self._retry):
                db.execute("DELETE FROM delivery WHERE id = ?", (delivery["id"],))
            else:
                db.execute(
                    "UPDATE delivery SET due = ?, attempts = ? WHERE id = ?",
                    (self._now() + self._retry[attempts], attempts + 1, delivery["id"]),
                )
        self.wake()

    def _something_due(self) -> bool:
        due = self._next_due()
        return due is not None and due <= self._now()

    def _next_due(self) -> float | None:
        with self._store.read() as db:
            row = db.execute(
                "SELECT min(due) AS due FROM"
                " (SELECT min(due) AS due FROM moment UNION ALL SELECT min(due) FROM delivery)"
            ).fetchone()
        due: float | None = row["due"]
        return due

    def _sleep(self) -> None:
        due = self._next_due()
        with self._wakened:
            if not self._news and not self._closed:
                wait = _IDLE if due is None else min(max(due - self._now(), 0.001), _GLANCE)
                self._wakened.wait(wait)
            self._news = False
