"""Checks that everything at the bank is stored exactly, and only once."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Item, Pull, Transaction, WaitingWebhook
from plaidapp.store.connections import items
from plaidapp.store.pulls import pulls
from plaidapp.store.webhooks.deliveries import Webhook

from .world import World, poll


class Judge:
    def __init__(self, world: World) -> None:
        self.world = world

    def converge(self, seconds: float) -> float:
        """Wait until nothing is left to do, then compare everything stored with the bank.

        Returns how many seconds the wait took. Fails if anything differs.
        """
        began = time.monotonic()
        try:
            poll(self.is_quiet, seconds, "an app with nothing left to do")
        except AssertionError as error:
            pytest.fail(f"{error}: {self.unfinished()}")
        waited = time.monotonic() - began
        differences = list(self.differences())
        assert not differences, "\n".join(differences[:20])
        return waited

    def is_quiet(self) -> bool:
        """True if no webhook and no pull is waiting and no Item is behind."""
        if self._undelivered_webhooks():
            return False
        try:
            return not self.unfinished()
        except OperationalError:
            return False

    def _undelivered_webhooks(self) -> int:
        with closing(sqlite3.connect(self.world.bank_state, timeout=10)) as state:
            counts = "SELECT (SELECT count(*) FROM delivery) + (SELECT count(item) FROM moment)"
            return int(state.execute(counts).fetchone()[0])

    def unfinished(self) -> list[str]:
        active = select(Pull.id, Pull.state, Pull.attempt, Pull.failures, Pull.run_after)
        active = active.where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING)))
        behind = select(Item.id, Item.sync_requested, Item.sync_applied)
        behind = behind.where(Item.sync_requested != Item.sync_applied)
        waiting = select(WaitingWebhook.webhook_id)
        with self.world.engine.connect() as connection:
            return [
                *(f"pull {row}" for row in connection.execute(active)),
                *(f"Item behind {row}" for row in connection.execute(behind)),
                *(f"webhook {row}" for row in connection.execute(waiting)),
            ]

    def differences(self) -> Iterator[str]:
        with self.world.app.app_context():
            for item in items.everyone():
                yield from (f"Item {item.id}: {found}" for found in bank_comparison.compare(item))
            for duplicate in db.session.execute(
                select(Transaction.item_id, Transaction.plaid_transaction_id)
                .group_by(Transaction.item_id, Transaction.plaid_transaction_id)
                .having(func.count() > 1)
            ):
                yield f"stored twice: {duplicate}"
            db.session.rollback()

    def clicks(self) -> set[int]:
        """Return the ids of the pulls that people requested."""
        query = select(Pull.id).where(Pull.asked_by == pulls.PERSON)
        with self.world.engine.connect() as connection:
            return set(connection.scalars(query))

    def webhooks(self) -> int:
        """Return how many webhooks are stored."""
        with self.world.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Webhook)) or 0

    def rows(self) -> int:
        """Return how many transactions are stored, without those removed by the bank."""
        query = select(func.count()).select_from(Transaction)
        with self.world.engine.connect() as connection:
            return connection.scalar(query.where(Transaction.removed_at.is_(None))) or 0
