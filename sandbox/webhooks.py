"""What Plaid's webhooks say (https://plaid.com/docs/api/webhooks/)."""

import json
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.outbox import Outbox

if TYPE_CHECKING:
    from sandbox.items import Item


def send(
    outbox: Outbox, db: sqlite3.Connection, item: "Item", kind: str, code: str, **fields: Any
) -> None:
    """Posts a webhook of `kind` and `code`, if the Item has a URL to post it to."""
    if item.webhook is None:
        return
    payload = {
        "webhook_type": kind,
        "webhook_code": code,
        "item_id": item.item_id,
        **fields,
        "environment": "sandbox",
    }
    # Plaid indents by two spaces, and the signature is over these bytes.
    outbox.post(db, item.number, item.webhook, code, json.dumps(payload, indent=2))


def announce_update(outbox: Outbox, db: sqlite3.Connection, item: "Item", code: str) -> None:
    """INITIAL_UPDATE or HISTORICAL_UPDATE; to those who sync, SYNC_UPDATES_AVAILABLE too."""
    historical = code == "HISTORICAL_UPDATE"
    new = item.historical_head - item.initial_head if historical else item.initial_head
    send(outbox, db, item, "TRANSACTIONS", code, error=None, new_transactions=new)
    if item.synced:
        announce_sync(outbox, db, item, historical=historical)


def announce_sync(
    outbox: Outbox, db: sqlite3.Connection, item: "Item", *, initial: bool = True, historical: bool
) -> None:
    send(
        outbox,
        db,
        item,
        "TRANSACTIONS",
        "SYNC_UPDATES_AVAILABLE",
        initial_update_complete=initial,
        historical_update_complete=historical,
    )


def announce_changes(
    outbox: Outbox, db: sqlite3.Connection, item: "Item", *, added: int, removed: Sequence[str]
) -> None:
    """What follows a change at the bank, as /transactions/refresh documents it."""
    if item.synced:
        announce_sync(outbox, db, item, historical=True)
    if removed:
        ids = list(removed)
        send(outbox, db, item, "TRANSACTIONS", "TRANSACTIONS_REMOVED", error=None,
             removed_transactions=ids)  # fmt: skip
    if added:
        send(outbox, db, item, "TRANSACTIONS", "DEFAULT_UPDATE", error=None, new_transactions=added)


def announce_streams(
    outbox: Outbox, db: sqlite3.Connection, item: "Item", account_ids: Sequence[str]
) -> None:
    """What recurs on these accounts is not what it was."""
    if account_ids:
        send(outbox, db, item, "TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE",
             account_ids=list(account_ids))  # fmt: skip
