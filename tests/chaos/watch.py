"""Watches the database during a gate: checks what must be true at every moment."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from plaidapp.store import Item, Pull, PullItem, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, pulls
from sandbox import cursors

from .world import World

LOOK_EVERY = 0.1
SYNCING = (kinds.LINK, kinds.TRANSACTIONS, kinds.TOTAL)
_bank_row = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Watch:
    """A thread that looks ten times a second while the `with` block runs.

    Of `item_ids`, no row may come from anywhere but the Item's own cursor. The history of a bank
    that was connected again does.

    `longest_stall` is the longest time in seconds that a due pull made no progress, `most_running`
    the highest number of running syncs of one Item, `cursors_seen` how many cursors were compared
    with the bank, and `faults` what was wrong.
    """

    def __init__(self, world: World, item_ids: Sequence[int]) -> None:
        self.world = world
        self.item_ids = item_ids
        self.longest_stall = 0.0
        self.most_running = 0
        self.cursors_seen = 0
        self.faults: list[str] = []
        self._steps: dict[int, tuple[int, float]] = {}
        self._cursors: dict[int, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            try:
                with self.world.engine.connect() as connection:
                    self._look_for_stalls(connection)
                    connection.rollback()
                    self._count_running(connection)
                    connection.rollback()
                    self._look_at_cursors(connection)
            except DBAPIError:
                pass  # the gate itself has taken the database away

    def _look_for_stalls(self, connection: Connection) -> None:
        """A pull has made no progress while its revision stays: each step increases it."""
        moment, here = now(), time.monotonic()
        due = select(Pull.id, Pull.revision).where(
            (Pull.state == pulls.RUNNING) | (Pull.state == pulls.QUEUED) & (Pull.run_after < moment)
        )
        steps = {}
        for pull_id, revision in connection.execute(due):
            before, since = self._steps.get(pull_id, (revision, here))
            steps[pull_id] = (revision, since if before == revision else here)
            self.longest_stall = max(self.longest_stall, here - since)
        self._steps = steps

    def _count_running(self, connection: Connection) -> None:
        running = (
            select(func.count())
            .select_from(PullItem)
            .join(Pull)
            .where(Pull.state == pulls.RUNNING, Pull.kind.in_(SYNCING))
            .group_by(PullItem.item_id)
        )
        self.most_running = max(self.most_running, *connection.scalars(running), 0)

    def _look_at_cursors(self, connection: Connection) -> None:
        watched = select(Item.id, Item.cursor).where(Item.id.in_(self.item_ids))
        changed = [
            item_id
            for item_id, cursor in connection.execute(watched).all()
            if cursor and self._cursors.get(item_id) != cursor
        ]
        for item_id in changed:
            connection.rollback()
            self._compare(connection, item_id)

    def _compare(self, connection: Connection, item_id: int) -> None:
        """Compare stored rows with the bank's as of the cursor; one query is one snapshot."""
        rows = connection.execute(
            select(
                Item.cursor,
                Item.plaid_item_id,
                Transaction.plaid_transaction_id,
                Transaction.amount,
                Transaction.date,
            )
            .outerjoin(
                Transaction, (Transaction.item_id == Item.id) & Transaction.removed_at.is_(None)
            )
            .where(Item.id == item_id)
        ).all()
        cursor, plaid_item_id = rows[0][:2]
        if not cursor:
            return  # a test has just made the Item look new
        stored = {row[2]: (row[3], row[4].isoformat()) for row in rows if row[2]}
        expected = self._bank_at(plaid_item_id, cursor)
        for missing in expected.keys() - stored.keys():
            self.faults.append(
                f"Item {item_id}: {cursor} has passed {missing}, which is not stored"
            )
        for early in stored.keys() - expected.keys():
            self.faults.append(
                f"Item {item_id}: {early} is stored, but {cursor} has not reached it"
            )
        for plaid_id in stored.keys() & expected.keys():
            if expected[plaid_id] and expected[plaid_id] != stored[plaid_id]:
                self.faults.append(f"Item {item_id}: {plaid_id} differs from the bank at {cursor}")
        self._cursors[item_id] = cursor
        self.cursors_seen += 1

    def _bank_at(self, plaid_item_id: str, cursor: str) -> dict[str, tuple[Decimal, str] | None]:
        """Return the bank's rows as of a cursor; None for a row that has changed since."""
        position = cursors.decode(cursor).base
        with closing(sqlite3.connect(self.world.bank_state, timeout=10)) as state:
            found = state.execute(
                "SELECT transaction_id, body, changed FROM ledger"
                " WHERE item = (SELECT number FROM item WHERE item_id = ?)"
                " AND created <= ? AND (removed IS NULL OR removed > ?)",
                (plaid_item_id, position, position),
            ).fetchall()
        return {
            plaid_id: _content(body) if changed <= position else None
            for plaid_id, body, changed in found
        }


def _content(body: str) -> tuple[Decimal, str]:
    row = _bank_row.decode(body)
    return Decimal(row["amount"]), row["date"]
