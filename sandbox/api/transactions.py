"""Transactions (https://plaid.com/docs/api/products/transactions/)."""

import sqlite3
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import bank, categories, cursors, errors, items, ledger, linking, people, recurring
from sandbox.api.accounts import chosen
from sandbox.ledger import Window
from sandbox.wire import ItemCall, Options, json_array, read, reply
from sandbox.world import Sandbox, here

bp = Blueprint("transactions", __name__)

Count = Annotated[int, Meta(ge=1, le=500)]
# Beyond it SQLite cannot count.
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Days = Annotated[int, Meta(ge=1, le=730)]
# Takes a client that used /transactions/get to the present, without the history.
NOW = "now"


class TransactionsOptions(Options):
    """What /transactions/get and /transactions/sync share."""

    include_original_description: bool | None = False
    include_personal_finance_category: bool = True
    include_logo_and_counterparty_beta: bool = True
    personal_finance_category_version: Literal["v1", "v2"] = "v1"
    days_requested: Days | None = None


class GetOptions(TransactionsOptions):
    account_ids: list[str] | None = None
    count: Count = 100
    offset: Offset = 0
    include_personal_finance_category_beta: bool = True


class SyncOptions(TransactionsOptions):
    account_id: str | None = None


class RecurringOptions(Options):
    include_personal_finance_category: bool = True
    personal_finance_category_version: Literal["v1", "v2"] = "v1"


class GetCall(ItemCall, kw_only=True):
    start_date: date
    end_date: date
    options: GetOptions = msgspec.field(default_factory=GetOptions)


class SyncCall(ItemCall, kw_only=True):
    cursor: str | None = None
    count: Count = 100
    options: SyncOptions = msgspec.field(default_factory=SyncOptions)


class RecurringCall(ItemCall, kw_only=True):
    account_ids: list[str] | None = None
    options: RecurringOptions = msgspec.field(default_factory=RecurringOptions)


@bp.post("/transactions/get")
def get() -> Response:
    call = read(GetCall)
    sandbox = here()
    options = call.options
    if call.start_date > call.end_date:
        raise errors.invalid_field("start_date must not be later than end_date")
    linking.with_transactions(sandbox, call.access_token, options.days_requested)
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        head = item.visible_head(sandbox)
        if head is None:
            raise errors.product_not_ready()
        accounts = chosen(items.account_rows(db, item), options.account_ids)
        texts, total = ledger.between(
            db,
            item.number,
            head,
            Window(call.start_date, call.end_date),
            options.account_ids or (),
            (options.offset, options.count),
            with_original=bool(options.include_original_description),
        )
    return reply(
        accounts=json_array([row["body"] for row in accounts]),
        item=item.to_dict(),
        total_transactions=total,
        transactions=json_array(texts),
    )


@bp.post("/transactions/sync")
def sync() -> Response:
    call = read(SyncCall)
    sandbox = here()
    linking.with_transactions(sandbox, call.access_token, call.options.days_requested, sync=True)
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        accounts = items.account_rows(db, item)
        only = call.options.account_id
        if only is not None:
            accounts = chosen(accounts, [only])
        head = item.visible_head(sandbox)
        if head is None:
            return _sync_answer(([], [], []), "", "NOT_READY", [], has_more=False)
        cursor = _cursor(item, call.cursor or "", only or "", head)
        page = ledger.updates(
            db,
            item.number,
            cursor,
            call.count,
            with_original=bool(call.options.include_original_description),
        )
    following = page.cursor if page.has_more else cursors.start(item.item_id, only or "", head)
    return _sync_answer(
        page.lists,
        following.encode(),
        _update_status(item, sandbox),
        [row for row in accounts if row["has_transactions"]],
        has_more=page.has_more,
    )


def _cursor(item: items.Item, text: str, account_id: str, head: int) -> cursors.Cursor:
    """Where the update of `text` stands in the Item as it is now, at `head`."""
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


def _sync_answer(
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


@bp.post("/transactions/recurring/get")
def recurring_streams() -> Response:
    """What recurs; only of an Item whose transactions were asked for, and once all are there."""
    call = read(RecurringCall)
    sandbox = here()
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        if item.started is None:
            raise errors.product_not_enabled("transactions")
        if not item.historical_complete(sandbox):
            raise errors.product_not_ready()
        accounts = chosen(items.account_rows(db, item), call.account_ids)
        streams = recurring.streams(db, item.number, accounts)
    said: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for stream in streams:
        said[stream.is_outflow].append(stream.to_dict(sandbox.ids, item.number, sandbox.today()))
    return reply(
        inflow_streams=said[False],
        outflow_streams=said[True],
        personal_finance_category_version=call.options.personal_finance_category_version,
        updated_datetime=items.last_update(sandbox, item),
    )


@bp.post("/transactions/refresh")
def refresh() -> Response:
    """Only user_transactions_dynamic's bank ever has anything new."""
    call = read(ItemCall)
    sandbox = here()
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
    if not item.historical_complete(sandbox):
        raise errors.product_not_ready()
    if item.username == people.DYNAMIC:
        bank.refresh(sandbox, call.access_token)
    return reply()


@bp.post("/categories/get")
def get_categories() -> Response:
    """The one endpoint that needs no keys."""
    return reply(categories=categories.CATEGORIES)
