"""Recurring transactions.

https://plaid.com/docs/api/products/transactions/#transactionsrecurringget
"""

import sqlite3
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from flask import Blueprint, Response

from sandbox import errors, items, recurring
from sandbox.api.accounts import select_accounts
from sandbox.category_versions import Version
from sandbox.context import Sandbox, current_sandbox
from sandbox.http_json import ItemCall, Options, read, reply
from sandbox.store import Store

bp = Blueprint("recurring", __name__)

# What was found at an Item's last position, because finding streams takes 30 ms.
_Found = dict[tuple[object, ...], tuple[int, list[recurring.Stream]]]
_found: WeakKeyDictionary[Store, _Found] = WeakKeyDictionary()


class RecurringOptions(Options):
    include_personal_finance_category: bool = True
    personal_finance_category_version: Version = "v1"


class RecurringCall(ItemCall, kw_only=True):
    account_ids: list[str] | None = None
    options: RecurringOptions = msgspec.field(default_factory=RecurringOptions)


@bp.post("/transactions/recurring/get")
def recurring_streams() -> Response:
    """Return the recurring streams.

    Raises PlaidError if the Item has no Transactions product or its history is incomplete.
    """
    call = read(RecurringCall)
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
        if item.started is None:
            raise errors.product_not_enabled("transactions")
        if not item.historical_complete(sandbox):
            raise errors.documented("PRODUCT_NOT_READY")
        accounts = select_accounts(items.account_rows(db, item), call.account_ids)
        version = call.options.personal_finance_category_version
        streams = _find_streams(sandbox, db, item, accounts, version)
    inflow: list[dict[str, Any]] = []
    outflow: list[dict[str, Any]] = []
    for stream in streams:
        fields = stream.to_dict(sandbox.ids, item.number, sandbox.today())
        (outflow if stream.is_outflow else inflow).append(fields)
    return reply(
        inflow_streams=inflow,
        outflow_streams=outflow,
        personal_finance_category_version=version,
        updated_datetime=items.last_update(sandbox, item),
    )


def _find_streams(
    sandbox: Sandbox,
    db: sqlite3.Connection,
    item: items.Item,
    accounts: Sequence[sqlite3.Row],
    version: Version,
) -> list[recurring.Stream]:
    found = _found.setdefault(sandbox.store, {})
    key = (item.number, version, *(row["account_id"] for row in accounts))
    if found.get(key, (None,))[0] != item.head:
        found[key] = item.head, recurring.find_streams(db, item.number, accounts, version)
    return found[key][1]
