"""/sandbox/item/fire_webhook: every code in the specification, and the fields of its webhook."""

import sqlite3
from datetime import timedelta
from typing import Any, Literal

from sandbox import errors
from sandbox.context import Sandbox, timestamp
from sandbox.items import Item, account_rows, set_error
from sandbox.webhooks import error_object, permission_revoked, send

Code = Literal[
    "DEFAULT_UPDATE",
    "NEW_ACCOUNTS_AVAILABLE",
    "SMS_MICRODEPOSITS_VERIFICATION",
    "AUTHORIZATION_GRANTED",
    "USER_PERMISSION_REVOKED",
    "USER_ACCOUNT_REVOKED",
    "PENDING_DISCONNECT",
    "RECURRING_TRANSACTIONS_UPDATE",
    "LOGIN_REPAIRED",
    "SYNC_UPDATES_AVAILABLE",
    "PRODUCT_READY",
    "ERROR",
]
Kind = Literal[
    "AUTH",
    "HOLDINGS",
    "IDENTITY",
    "INVESTMENTS_TRANSACTIONS",
    "ITEM",
    "LIABILITIES",
    "TRANSACTIONS",
    "ASSETS",
]
_PRODUCT_OF_KIND = {
    "AUTH": "auth",
    "HOLDINGS": "investments",
    "IDENTITY": "identity",
    "INVESTMENTS_TRANSACTIONS": "investments",
    "LIABILITIES": "liabilities",
    "TRANSACTIONS": "transactions",
    "ASSETS": "assets",
}
_KIND_OF_CODE = {
    "DEFAULT_UPDATE": "TRANSACTIONS",
    "RECURRING_TRANSACTIONS_UPDATE": "TRANSACTIONS",
    "SYNC_UPDATES_AVAILABLE": "TRANSACTIONS",
    "SMS_MICRODEPOSITS_VERIFICATION": "AUTH",
    "PRODUCT_READY": "ASSETS",
}
# The new data of a DEFAULT_UPDATE about other data than transactions: there is none here.
_NEWS_OF_KIND: dict[str, dict[str, Any]] = {
    "HOLDINGS": {"new_holdings": 0, "updated_holdings": 0},
    "INVESTMENTS_TRANSACTIONS": {
        "new_investments_transactions": 0,
        "cancelled_investments_transactions": 0,
    },
    "LIABILITIES": {
        "account_ids_with_new_liabilities": [],
        "account_ids_with_updated_liabilities": {},
    },
}
_DISCONNECT_IN = timedelta(days=7)


def fire(
    sandbox: Sandbox, db: sqlite3.Connection, item: Item, code: Code, kind: Kind | None, new: int
) -> None:
    """Send a webhook with `code`. `new` is its number of new transactions, if it has that field.

    Raises PlaidError if the Item has no webhook URL or lacks the product that the code is about.
    """
    if item.webhook is None:
        raise errors.sandbox_webhook_invalid()
    actual_kind: str = _KIND_OF_CODE.get(code, "ITEM")
    if kind and code in ("DEFAULT_UPDATE", "ERROR"):
        actual_kind = kind
    product = _PRODUCT_OF_KIND.get(actual_kind)
    # Micro-deposits verify accounts of banks without Auth, so this code doesn't need that product.
    by_micro_deposit = code == "SMS_MICRODEPOSITS_VERIFICATION"
    if product and product not in item.product_list and not by_micro_deposit:
        raise errors.sandbox_product_not_enabled(product)
    if code == "LOGIN_REPAIRED":
        set_error(db, item, None)
    send(
        sandbox.webhook_queue,
        db,
        item,
        actual_kind,
        code,
        **_fields(sandbox, db, item, code, actual_kind, new),
    )


def _fields(
    sandbox: Sandbox, db: sqlite3.Connection, item: Item, code: Code, kind: str, new: int
) -> dict[str, Any]:
    """Return the webhook's fields other than its type, code, Item and environment."""
    accounts = [row["account_id"] for row in account_rows(db, item)]
    if not accounts:
        raise errors.documented("NO_ACCOUNTS")
    report = {"asset_report_id": sandbox.ids.opaque("asset_report", item.number)}
    login_required = {"error": error_object("ITEM_LOGIN_REQUIRED")}
    fields: dict[str, dict[str, Any]] = {
        "DEFAULT_UPDATE": {"error": None} | _NEWS_OF_KIND.get(kind, {"new_transactions": new}),
        "ERROR": login_required | (report if kind == "ASSETS" else {}),
        "NEW_ACCOUNTS_AVAILABLE": {"error": None},
        "PENDING_DISCONNECT": {
            "disconnect_time": timestamp((sandbox.clock() + _DISCONNECT_IN).timestamp()),
            "reason": "INSTITUTION_TOKEN_EXPIRATION",
        },
        "PRODUCT_READY": report | {"report_type": "FULL"},
        "RECURRING_TRANSACTIONS_UPDATE": {"account_ids": accounts},
        "SMS_MICRODEPOSITS_VERIFICATION": {
            "account_id": accounts[0],
            "status": "MANUALLY_VERIFIED",
        },
        "SYNC_UPDATES_AVAILABLE": {
            "initial_update_complete": item.initial_complete(sandbox),
            "historical_update_complete": item.historical_complete(sandbox),
        },
        "USER_ACCOUNT_REVOKED": {"account_id": accounts[0]},
        "USER_PERMISSION_REVOKED": {"error": permission_revoked()},
    }
    return fields.get(code, {})
