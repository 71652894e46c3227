"""Transactions (https://plaid.com/docs/api/products/transactions/)."""

import sqlite3
from datetime import date
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import (
    bank_activity,
    cursors,
    errors,
    items,
    legacy_categories,
    linking,
    transaction_store,
)
from sandbox.api.accounts import select_accounts
from sandbox.category_versions import Version
from sandbox.context import Sandbox, current_sandbox
from sandbox.http_json import ItemCall, Options, json_array, read, reply
from sandbox.refresh_limit import count_refresh
from sandbox.transaction_store import Shown, Window

bp = Blueprint("transactions", __name__)

Count = Annotated[int, Meta(ge=1, le=500)]
# SQLite's largest integer.
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Days = Annotated[int, Meta(ge=1, le=730)]
# Starts at the present and skips the history, for clients that have used /transactions/get.
NOW = "now"


class TransactionsOptions(Options):
    """The options that /transactions/get and /transactions/sync share."""

    include_original_description: bool | None = False
    include_personal_finance_category: bool = True
    include_logo_and_counterparty_beta: bool = True
    personal_finance_category_version: Version = "v1"
    days_requested: Days | None = None

    @property
    def shown(self) -> Shown:
        original = bool(self.include_original_description)
        return Shown(original, self.personal_finance_category_version)


class GetOptions(TransactionsOptions):
    account_ids: list[str] | None = None
    count: Count = 100
    offset: Offset = 0
    include_personal_finance_category_beta: bool = True


class SyncOptions(TransactionsOptions):
    account_id: str | None = None


class GetCall(ItemCall, kw_only=True):
    start_date: date
    end_date: date
    options: GetOptions = msgspec.field(default_factory=GetOptions)


class SyncCall(ItemCall, kw_only=True):
    cursor: str | None = None
    count: Count = 100
    options: SyncOptions = msgspec.field(default_factory=SyncOptions)


@bp.post("/transactions/get")
def get() -> Response:
    call = read(GetCall)
    sandbox = current_sandbox()
    options = call.options
    if call.start_date > call.end_date:
        raise errors.invalid_field("start_date must not be later than end_date")
    linking.ensure_transactions(sandbox, call.access_token, options.days_requested)
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        head = item.visible_head(sandbox)
        if head is None:
            raise errors.documented("PRODUCT_NOT_READY")
        accounts = select_accounts(items.account_rows(db, item), options.account_ids)
        rows, total = transaction_store.in_window(
            db,
            item.number,
            head,
            Window(call.start_date, call.end_date),
            options.account_ids or (),
            (options.offset, options.count),
            options.shown,
        )
    return reply(
        accounts=json_array([row["body"] for row in accounts]),
        item=item.to_dict(),
        total_transactions=total,
        transactions=json_array(rows),
    )


@bp.post("/transactions/sync")
def sync() -> Response:
    call = read(SyncCall)
    sandbox = current_sandbox()
    linking.ensure_transactions(sandbox, call.access_token, call.options.days_requested, sync=True)
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        accounts = items.account_rows(db, item)
        account_id = call.options.account_id
        if account_id is not None:
            accounts = select_accounts(accounts, [account_id])
        head = item.visible_head(sandbox)
        if head is None:
            return _reply_sync(([], [], []), "", "NOT_READY", [], has_more=False)
        cursor = _cursor(item, call.cursor or "", account_id or "", head)
        page = transaction_store.updates_page(
            db,
            item.number,
            cursor,
            call.count,
            call.options.shown,
        )
    next_cursor = (
        page.cursor if page.has_more else cursors.start(item.item_id, account_id or "", head)
    )
    return _reply_sync(
        page.lists,
        next_cursor.encode(),
        _update_status(item, sandbox),
        [row for row in accounts if row["has_transactions"]],
        has_more=page.has_more,
    )


def _cursor(item: items.Item, text: str, account_id: str, head: int) -> cursors.Cursor:
    """Decode a client's cursor for an Item that is now at `head`.

    Raises PlaidError for another Item's or account's cursor, and if the Item has changed since the
    previous page of the same update.
    """
    if text == NOW:
        return cursors.start(item.item_id, account_id, head)
    if not text:
        return cursors.Cursor(item.item_id, account_id, 0, head, 0, 0)
    try:
        cursor = cursors.decode(text)
    except ValueError:
        raise errors.invalid_field("cursor not associated with access_token") from None
    if cursor.item_id != item.item_id or cursor.head > item.head:
        raise errors.invalid_field("cursor not associated with access_token")
    if cursor.account_id != account_id:
        raise errors.invalid_field("cursor not associated with account_id")
    if not cursor.mid_update:
        return cursors.Cursor(item.item_id, account_id, cursor.base, head, 0, cursor.base)
    if cursor.head != head:
        raise errors.sync_mutation()
    return cursor


def _update_status(item: items.Item, sandbox: Sandbox) -> str:
    complete = "HISTORICAL" if item.historical_complete(sandbox) else "INITIAL"
    return f"{complete}_UPDATE_COMPLETE"


def _reply_sync(
    lists: tuple[list[str], list[str], list[str]],
    next_cursor: str,
    status: str,
    accounts: list[sqlite3.Row],
    *,
    has_more: bool,
) -> Response:
    added, modified, removed = map(json_array, lists)
    fields: dict[str, Any] = {
        "accounts": json_array([row["body"] for row in accounts]),
        "added": added,
        "has_more": has_more,
        "modified": modified,
        "next_cursor": next_cursor,
        "removed": removed,
        "transactions_update_status": status,
    }
    return reply(**fields)


@bp.post("/transactions/refresh")
def refresh() -> Response:
    """Look for new transactions. Only the bank of user_transactions_dynamic ever has any.

    Before the history is complete, an update is under way, so another would bring nothing.
    """
    call = read(ItemCall)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = items.find_healthy(db, call.access_token)
        if item.started is None:
            raise errors.product_not_enabled("transactions")
        count_refresh(db, item, sandbox.now())
        if item.historical_complete(sandbox):
            bank_activity.look_again(sandbox, db, item)
    sandbox.webhook_queue.wake()
    return reply()


@bp.post("/categories/get")
def get_categories() -> Response:
    """Return the legacy categories. Only this endpoint needs no API keys."""
    return reply(categories=legacy_categories.CATEGORIES)
