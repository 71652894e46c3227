"""What can happen to an Item at its bank, and the webhooks that Plaid sends then."""

import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sandbox import account_access, bank_activity, changes, items
from sandbox.bank_records import Account, from_description
from sandbox.context import Sandbox, timestamp
from sandbox.control.guard import Refused
from sandbox.error_catalog import INSTITUTION, ITEM
from sandbox.items import Item
from sandbox.linking import persistent_id
from sandbox.transaction_store import HIDDEN, insert_rows, new_row
from sandbox.webhooks import announce_error, permission_revoked, send

REVOKED = "USER_PERMISSION_REVOKED"
CODES = frozenset({*ITEM, *INSTITUTION, REVOKED})

Time = Annotated[datetime, Meta(tz=True)]
Reason = Literal["INSTITUTION_MIGRATION", "INSTITUTION_TOKEN_EXPIRATION"]


class NewAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A savings account in US dollars, with one transaction on each of the last days."""

    name: str = "Plaid Vacation Fund"
    mask: Annotated[str, Meta(pattern="^[0-9]{2,4}$")] = "9999"
    balance: Decimal = Decimal(500)
    transactions: Annotated[int, Meta(ge=0, le=100)] = 3


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens, in this order. docs/sandbox.md describes each field."""

    login_repaired: bool = False
    error: str | UnsetType | None = UNSET
    revoke: bool = False
    consent_expires: Time | UnsetType | None = UNSET
    reason: Reason | None = None
    new_account: NewAccount | None = None
    close_account: str | None = None
    revoke_account: str | None = None
    silent_since: Time | None = None
    failed_update: Time | None = None
    activity: bool = False
    silent_change: bool = False


def apply(sandbox: Sandbox, db: sqlite3.Connection, item: Item, change: Change) -> None:
    """Make the change. Raises Refused if a part of it is impossible."""
    _change_state(sandbox, db, item, change)
    if change.consent_expires is not UNSET:
        _set_consent(sandbox, db, item, change.consent_expires, change.reason)
    _change_accounts(sandbox, db, item, change)
    if change.silent_since:
        _set_time(db, item, "updated", change.silent_since)
    if change.failed_update:
        _set_time(db, item, "failed", change.failed_update)
    if change.activity:
        _be_active(sandbox, db, items.by_number(db, item.number))
    if change.silent_change:
        changes.revise_silently(db, item.number)


def end_consent(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> None:
    """Require a new log-in if the Item's consent has ended. It may have been renewed before that.

    https://plaid.com/docs/api/items/#pending_expiration
    """
    if item.consent_expires is not None and item.consent_expires <= sandbox.now():
        _set_error(sandbox, db, item, "ITEM_LOGIN_REQUIRED")


def _change_state(sandbox: Sandbox, db: sqlite3.Connection, item: Item, change: Change) -> None:
    if change.login_repaired:
        items.repair(db, item, sandbox.now())
        send(sandbox.webhook_queue, db, item, "ITEM", "LOGIN_REPAIRED")
    if change.error is not UNSET:
        _set_error(sandbox, db, item, change.error)
    if change.revoke:
        items.set_error(db, item, REVOKED)
        send(sandbox.webhook_queue, db, item, "ITEM", REVOKED, error=permission_revoked())


def _change_accounts(sandbox: Sandbox, db: sqlite3.Connection, item: Item, change: Change) -> None:
    if change.new_account:
        _open_account(sandbox, db, item, change.new_account)
        send(sandbox.webhook_queue, db, item, "ITEM", "NEW_ACCOUNTS_AVAILABLE", error=None)
    if change.close_account:
        account_access.withhold(db, item, _shared(db, item, change.close_account), "closed")
    if change.revoke_account:
        account_access.withhold(db, item, _shared(db, item, change.revoke_account))
        send(sandbox.webhook_queue, db, item, "ITEM", "USER_ACCOUNT_REVOKED",
             account_id=change.revoke_account)  # fmt: skip


def _set_error(sandbox: Sandbox, db: sqlite3.Connection, item: Item, code: str | None) -> None:
    """Plaid sends no webhook for an Item that it no longer knows."""
    if code is not None and code not in CODES:
        raise Refused(f"{code} is no error code of an Item or of an institution")
    items.set_error(db, item, code)
    if code:
        _set_time(db, item, "failed", sandbox.clock())
        if code != items.GONE:
            announce_error(sandbox.webhook_queue, db, item, code)


def _set_consent(
    sandbox: Sandbox,
    db: sqlite3.Connection,
    item: Item,
    ends: datetime | None,
    reason: Reason | None,
) -> None:
    if ends is None:
        db.execute("UPDATE item SET consent_expires = NULL WHERE number = ?", (item.number,))
        return
    _set_time(db, item, "consent_expires", ends)
    sandbox.webhook_queue.schedule(db, item.number, items.CONSENT_ENDS, ends.timestamp())
    when = timestamp(ends.timestamp())
    if reason:
        send(sandbox.webhook_queue, db, item, "ITEM", "PENDING_DISCONNECT", reason=reason,
             disconnect_time=when)  # fmt: skip
    else:
        send(sandbox.webhook_queue, db, item, "ITEM", "PENDING_EXPIRATION",
             consent_expiration_time=when)  # fmt: skip


def _open_account(sandbox: Sandbox, db: sqlite3.Connection, item: Item, wanted: NewAccount) -> None:
    """Add an account that the user hasn't shared. Its transactions come with it when they do."""
    ordinal = len(account_access.all_rows(db, item))
    account_id = sandbox.ids.opaque("account", item.number, ordinal)
    account = Account(wanted.name, None, "depository", "savings", wanted.mask, wanted.balance,
                      wanted.balance)  # fmt: skip
    persistent = persistent_id(sandbox, item.institution_id, item.username, account)
    db.execute(
        "INSERT INTO account (item, ordinal, account_id, body, access)"
        " VALUES (?, ?, ?, ?, 'available')",
        (item.number, ordinal, account_id, account.to_json(account_id, persistent)),
    )
    if item.started is None:
        return
    first = HIDDEN + ordinal * 10**12  # beyond the rows of every other account
    today = sandbox.today()
    rows = []
    for number in range(1, wanted.transactions + 1):
        day = today - timedelta(days=number)
        saved = from_description(
            ordinal, day, day, Decimal(-number), f"DEPOSIT {number}", "USD", today
        )
        rows.append(new_row(sandbox.ids, item.number, first + number, account_id, saved))
    insert_rows(db, item.number, rows)


def _shared(db: sqlite3.Connection, item: Item, account_id: str) -> list[str]:
    if account_id not in [row["account_id"] for row in items.account_rows(db, item)]:
        raise Refused(f"The Item shares no account {account_id}")
    return [account_id]


def _set_time(db: sqlite3.Connection, item: Item, column: str, time: datetime) -> None:
    db.execute(
        f"UPDATE item SET {column} = ? WHERE number = ?",  # noqa: S608 (fixed names)
        (time.timestamp(), item.number),
    )


def _be_active(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> None:
    ready = item.historical_complete(sandbox) and items.account_rows(db, item)
    if item.error or not ready:
        raise Refused(
            "An Item has activity once it has its whole history, while it has accounts and no error"
        )
    bank_activity.simulate(sandbox, db, item)
