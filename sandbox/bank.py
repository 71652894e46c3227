"""What happens at the bank after the first pull, and who is told."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from sandbox import changes, errors, household, merchants, recurring
from sandbox.entries import Entry
from sandbox.items import Item, account_rows, find_healthy
from sandbox.webhooks import announce_changes, announce_streams, announce_update
from sandbox.world import Sandbox


def add_entries(
    sandbox: Sandbox, access_token: str, wanted: Sequence[tuple[str | None, Entry]]
) -> None:
    """Posts (account id, entry) pairs at the bank; without an id, on the first depository account.

    Raises PlaidError for an account that is not the Item's or takes no entries.
    """
    with sandbox.store.write() as db:
        item = _settled(sandbox, db, access_token)
        accounts = [msgspec.json.decode(row["body"]) for row in account_rows(db, item)]
        default = next(a["account_id"] for a in accounts if a["type"] == "depository")
        open_ids = {a["account_id"] for a in accounts if a["subtype"] != "student"}
        new = [(account or default, entry) for account, entry in wanted]
        if not {account for account, _ in new} <= open_ids:
            raise errors.invalid_account_id()
        with _telling_of_streams(sandbox, db, item):
            head = changes.append(db, sandbox.ids, item.number, item.head, new)
            _update_head(sandbox, db, item, head)
            announce_changes(sandbox.outbox, db, item, added=len(new), removed=[])
    sandbox.outbox.wake()


def refresh(sandbox: Sandbox, access_token: str) -> None:
    """What the bank has since: pending rows post, the last posted grow by 1, new ones arrive.

    Follows from the Item and its position alone. Only user_transactions_dynamic lives like this by
    itself, at each /transactions/refresh.
    """
    with sandbox.store.write() as db:
        item = _settled(sandbox, db, access_token)
        with _telling_of_streams(sandbox, db, item):
            today = sandbox.today()
            head = changes.revise(db, item.number, item.head)
            head, removed = changes.post_pending(db, sandbox.ids, item.number, head, today)
            dice = random.Random(f"refresh:{sandbox.seed}:{item.number}:{item.head}")
            account = account_rows(db, item)[household.CHECKING]["account_id"]
            new = [
                (account, household.purchase(dice, dice.choice(places), 0, day, today))
                for places, day in (
                    (merchants.CAFES, today),
                    (merchants.KITCHENS, today),
                    (merchants.SHOPS, today - timedelta(days=household.PENDING_DAYS)),
                )
            ]
            head = changes.append(db, sandbox.ids, item.number, head, new)
            _update_head(sandbox, db, item, head)
            announce_changes(
                sandbox.outbox, db, item, added=len(new) + len(removed), removed=removed
            )
    sandbox.outbox.wake()


def bring(sandbox: Sandbox, db: sqlite3.Connection, item: Item, code: str) -> None:
    """The moment of INITIAL_UPDATE or HISTORICAL_UPDATE has come."""
    announce_update(sandbox.outbox, db, item, code)
    if code == "HISTORICAL_UPDATE" and item.webhook:
        announce_streams(sandbox.outbox, db, item, list(_streams(sandbox, db, item)))


def _streams(
    sandbox: Sandbox, db: sqlite3.Connection, item: Item
) -> dict[str, list[dict[str, Any]]]:
    accounts = account_rows(db, item)
    return recurring.by_account(db, sandbox.ids, item.number, sandbox.today(), accounts)


@contextlib.contextmanager
def _telling_of_streams(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> Iterator[None]:
    """Announces, at the end, the accounts on which something else recurs than at the beginning."""
    before = _streams(sandbox, db, item)
    yield
    after = _streams(sandbox, db, item)
    changed = [account for account in before | after if before.get(account) != after.get(account)]
    announce_streams(sandbox.outbox, db, item, changed)


def _settled(sandbox: Sandbox, db: sqlite3.Connection, access_token: str) -> Item:
    """Changes come after the historical update: positions are visible in their order."""
    item = find_healthy(db, access_token)
    if not item.historical_complete(sandbox):
        raise errors.product_not_ready()
    return item


def _update_head(sandbox: Sandbox, db: sqlite3.Connection, item: Item, head: int) -> None:
    db.execute(
        "UPDATE item SET head = ?, updated = ? WHERE number = ?", (head, sandbox.now(), item.number)
    )
