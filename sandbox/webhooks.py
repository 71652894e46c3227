"""The contents of Plaid's webhooks (https://plaid.com/docs/api/webhooks/)."""

import json
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox import errors
from sandbox.webhook_queue import WebhookQueue

if TYPE_CHECKING:
    from sandbox.items import Item


def send(
    queue: WebhookQueue,
    db: sqlite3.Connection,
    item: "Item",
    kind: str,
    code: str,
    **fields: Any,
) -> None:
    """Queue a webhook with type `kind` and `code`, if the Item has a webhook URL."""
    if item.webhook is None:
        return
    payload = {
        "webhook_type": kind,
        "webhook_code": code,
        "item_id": item.item_id,
        **fields,
        "environment": "sandbox",
    }
    # Plaid indents by two spaces. The signature covers exactly these bytes.
    queue.post(db, item.number, item.webhook, code, json.dumps(payload, indent=2))


def error_object(code: str) -> dict[str, object]:
    """Return the catalog's error as webhooks contain it: with its status, without a request id."""
    error = errors.documented(code)
    return error.fields() | {"status": error.status}


def permission_revoked() -> dict[str, object]:
    """Return the error of USER_PERMISSION_REVOKED, which has another type in webhooks."""
    return error_object("USER_PERMISSION_REVOKED") | {"error_type": "ITEM_ERROR"}


def announce_error(queue: WebhookQueue, db: sqlite3.Connection, item: "Item", code: str) -> None:
    send(queue, db, item, "ITEM", "ERROR", error=error_object(code))


def announce_update(queue: WebhookQueue, db: sqlite3.Connection, item: "Item", code: str) -> None:
    """Announce INITIAL_UPDATE or HISTORICAL_UPDATE.

    Clients that have called /transactions/sync also get SYNC_UPDATES_AVAILABLE.
    """
    historical = code == "HISTORICAL_UPDATE"
    new = item.historical_head - item.initial_head if historical else item.initial_head
    send(queue, db, item, "TRANSACTIONS", code, error=None, new_transactions=new)
    if item.synced:
        announce_sync(queue, db, item, historical=historical)


def announce_sync(
    queue: WebhookQueue,
    db: sqlite3.Connection,
    item: "Item",
    *,
    initial: bool = True,
    historical: bool,
) -> None:
    send(
        queue,
        db,
        item,
        "TRANSACTIONS",
        "SYNC_UPDATES_AVAILABLE",
        initial_update_complete=initial,
        historical_update_complete=historical,
    )


def announce_changes(
    queue: WebhookQueue,
    db: sqlite3.Connection,
    item: "Item",
    *,
    added: int,
    removed: Sequence[str],
) -> None:
    """Announce a change at the bank with the webhooks that /transactions/refresh documents."""
    if item.synced:
        announce_sync(queue, db, item, historical=True)
    if removed:
        ids = list(removed)
        send(queue, db, item, "TRANSACTIONS", "TRANSACTIONS_REMOVED", error=None,
             removed_transactions=ids)  # fmt: skip
    if added:
        send(
            queue,
            db,
            item,
            "TRANSACTIONS",
            "DEFAULT_UPDATE",
            error=None,
            new_transactions=added,
        )


def announce_streams(
    queue: WebhookQueue, db: sqlite3.Connection, item: "Item", account_ids: Sequence[str]
) -> None:
    """Announce that the recurring streams of these accounts changed."""
    if account_ids:
        send(queue, db, item, "TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE",
             account_ids=list(account_ids))  # fmt: skip
