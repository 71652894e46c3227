"""What else must not depend on how many Items there are: the clock's looks, the nightly deletion,
and a person's pages.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask
from sqlalchemy import delete, select, text, update

from benchmarks import harness
from benchmarks.crowded_site import rows_read_whole, settle
from benchmarks.pages import EXPLORER, _get
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.retention import prune
from plaidapp.store import Account, Item, Pull, Walk
from plaidapp.store.base.types import now
from plaidapp.store.health import walks
from plaidapp.store.pulls import line, pulls
from plaidapp.store.reports import derived
from tests.logged_in import logged_in

PRUNED = ("pull", "pull_item", "webhook", "received_page", "transaction", "state_change")
PAGES = {
    "overview": "/finance/",
    "transactions": EXPLORER,
    "search": f"{EXPLORER}?q=coffee",
    "account": "/finance/accounts/1",
    "spending": "/finance/spending",
    "connection": "/finance/items/1",
}
A_PULL_EACH = """
INSERT INTO pull (user_id, kind, asked_by, state, attempt, failures, lost_workers, revision,
    created_at, run_after)
SELECT user_id, 'transactions', 'webhook', 'queued', 0, 0, 0, 0, now(), now() FROM item
"""


class Looks(NamedTuple):
    """Milliseconds of a tick's look, of the clock.

    For Items, when none is due and when a batch is. For pulls, when the webhook of every Item is.
    """

    none: float
    batch: float
    webhooks: float


def time_looks() -> Looks:
    none = harness.median([_timed(clock.ask_for_neglected) for _ in range(20)])
    batch = harness.median([_time_batch() for _ in range(3)])
    db.session.execute(text(A_PULL_EACH))
    webhooks = harness.median([_timed(line.due) for _ in range(3)])
    db.session.rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE pull"))
    return Looks(none, batch, webhooks)


def _time_batch() -> float:
    """In milliseconds. Leaves no pull for the workers."""
    first = update(Item).where(Item.id <= policy.NEGLECTED_BATCH)
    a_day_ago = now() - policy.SYNC_INTERVAL
    db.session.execute(first.values(next_look=now(), synced_at=a_day_ago, swept_at=None))
    db.session.commit()
    batch = _timed(clock.ask_for_neglected)
    db.session.execute(delete(Pull).where(Pull.state == pulls.QUEUED))
    db.session.execute(first.values(sync_requested=Item.sync_applied))
    db.session.commit()
    return batch


def _timed(way: Callable[[], object]) -> float:
    """In milliseconds."""
    begun = time.perf_counter()
    way()
    return (time.perf_counter() - begun) * 1e3


class Night(NamedTuple):
    """The nightly deletion: milliseconds for each Item, and rows that it read without an index."""

    ms: float
    read_whole: int


def time_night(size: int, steps: int) -> Night:
    """Let the nightly deletion look through the Items in the middle."""
    walks.due(tuple(prune.DELETES))
    begin_at = size // 2
    db.session.execute(update(Walk).values(position=begin_at, due_at=now()))
    db.session.commit()
    settle()
    before, begun = rows_read_whole(PRUNED), time.perf_counter()
    for _ in range(steps):
        prune.step()
    ms = (time.perf_counter() - begun) * 1e3
    position = select(Walk.position).where(Walk.name == "items")
    looked_at = (db.session.scalar(position) or 0) - begin_at
    settle()
    return Night(ms / max(looked_at, 1), rows_read_whole(PRUNED) - before)


def time_pages(app: Flask, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each of PAGES, for the first person.

    No context of the app may be open: a request would use it, and with it an old snapshot.
    """
    with app.app_context():
        ids = db.session.scalars(select(Account.id).where(Account.user_id == 1)).all()
        derived.rebuild(list(ids))
        db.session.commit()
    client = logged_in(app, 1)
    return {
        name: harness.median([_get(client, path)() for _ in range(rounds)])
        for name, path in PAGES.items()
    }
