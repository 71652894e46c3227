"""What happens at the bank after an Item's first update, and the webhooks that announce it."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from sandbox import changes, errors, merchants, recurring, user_good, users
from sandbox.bank_records import Transaction
from sandbox.context import Sandbox
from sandbox.items import Item, account_rows, find_healthy
from sandbox.webhooks import announce_changes, announce_streams, announce_update


def add_transactions(
    sandbox: Sandbox, access_token: str, wanted: Sequence[tuple[str | None, Transaction]]
) -> None:
    """Add (account id, transaction) pairs; without an id, to the first depository account.

    Raises PlaidError if an account isn't the Item's, isn't shared or accepts no transactions.
    """
    with sandbox.store.write() as db:
        item = _find_complete(sandbox, db, access_token)
        accounts = [msgspec.json.decode(row["body"]) for row in account_rows(db, item)]
        depository = (a["account_id"] for a in accounts if a["type"] == "depository")
        default = next(depository, "")
        open_ids = {a["account_id"] for a in accounts if a["subtype"] != "student"}
        new = [(account or default, transaction) for account, transaction in wanted]
        if not {account for account, _ in new} <= open_ids:
            raise errors.invalid_account_id()
        with _announcing_changed_streams(sandbox, db, item):
            head = changes.append(db, sandbox.ids, item.number, item.head, new)
            _update_head(sandbox, db, item, head)
            announce_changes(sandbox.webhook_queue, db, item, added=len(new), removed=[])
    sandbox.webhook_queue.wake()


def refresh(sandbox: Sandbox, access_token: str) -> None:
    """Simulate activity at the bank of an Item whose history is complete."""
    with sandbox.store.write() as db:
        simulate(sandbox, db, _find_complete(sandbox, db, access_token))
    sandbox.webhook_queue.wake()


def look_again(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> None:
    """Update the Item from its bank. Only some users have been active since last time."""
    if item.username in users.ACTIVE:
        simulate(sandbox, db, item)
    else:
        _update_head(sandbox, db, item, item.head)


def simulate(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> None:
    """Simulate activity: post pending rows, add 1 to the last posted ones, add new ones.

    The result depends only on the seed, the Item, its current position and the day.
    """
    with _announcing_changed_streams(sandbox, db, item):
        today = sandbox.today()
        head = changes.revise(db, item.number, item.head)
        head, removed = changes.post_pending(db, sandbox.ids, item.number, head, today)
        rng = random.Random(f"refresh:{sandbox.seed}:{item.number}:{item.head}")
        # Checking or, if it isn't shared, the first account that is.
        account = account_rows(db, item)[0]["account_id"]
        new = [
            (account, user_good.purchase(rng, rng.choice(places), 0, day, today))
            for places, day in (
                (merchants.CAFES, today),
                (merchants.RESTAURANTS, today),
                (merchants.SHOPS, today - timedelta(days=user_good.PENDING_DAYS)),
            )
        ]
        head = changes.append(db, sandbox.ids, item.number, head, new)
        _update_head(sandbox, db, item, head)
        added = len(new) + len(removed)
        announce_changes(sandbox.webhook_queue, db, item, added=added, removed=removed)


def announce_due_update(sandbox: Sandbox, db: sqlite3.Connection, item: Item, code: str) -> None:
    """Send the webhooks for INITIAL_UPDATE or HISTORICAL_UPDATE, which is due now."""
    announce_update(sandbox.webhook_queue, db, item, code)
    if code == "HISTORICAL_UPDATE" and item.webhook:
        announce_streams(sandbox.webhook_queue, db, item, list(_streams(sandbox, db, item)))


def _streams(
    sandbox: Sandbox, db: sqlite3.Connection, item: Item
) -> dict[str, list[dict[str, Any]]]:
    accounts = account_rows(db, item)
    return recurring.streams_by_account(db, sandbox.ids, item.number, sandbox.today(), accounts)


@contextlib.contextmanager
def _announcing_changed_streams(
    sandbox: Sandbox, db: sqlite3.Connection, item: Item
) -> Iterator[None]:
    """Announce the accounts whose recurring streams changed inside the block."""
    before = _streams(sandbox, db, item)
    yield
    after = _streams(sandbox, db, item)
    changed = [account for account in before | after if before.get(account) != after.get(account)]
    announce_streams(sandbox.webhook_queue, db, item, changed)


def _find_complete(sandbox: Sandbox, db: sqlite3.Connection, access_token: str) -> Item:
    """Find the Item. Raises PlaidError if its history is incomplete.

    Before that, part of the history is not visible yet. A change would take a position after it, so
    clients could not see the change either.
    """
    item = find_healthy(db, access_token)
    if not item.historical_complete(sandbox):
        raise errors.documented("PRODUCT_NOT_READY")
    return item


def _update_head(sandbox: Sandbox, db: sqlite3.Connection, item: Item, head: int) -> None:
    db.execute(
        "UPDATE item SET head = ?, updated = ? WHERE number = ?", (head, sandbox.now(), item.number)
    )
