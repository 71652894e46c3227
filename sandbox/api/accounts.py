"""Accounts and balances (https://plaid.com/docs/api/accounts/)."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec
from flask import Blueprint, Response

from sandbox import errors, items
from sandbox.context import current_sandbox
from sandbox.http_json import ItemCall, Options, json_array, read, reply

bp = Blueprint("accounts", __name__)


class AccountsOptions(Options):
    account_ids: list[str] | None = None


class BalanceOptions(AccountsOptions):
    min_last_updated_datetime: datetime | None = None


class AccountsCall(ItemCall, kw_only=True):
    options: AccountsOptions = msgspec.field(default_factory=AccountsOptions)


class BalanceCall(ItemCall, kw_only=True):
    options: BalanceOptions = msgspec.field(default_factory=BalanceOptions)


@bp.post("/accounts/get")
def get() -> Response:
    call = read(AccountsCall)
    return _reply_accounts(call.access_token, call.options)


@bp.post("/accounts/balance/get")
def get_balance() -> Response:
    call = read(BalanceCall)
    return _reply_accounts(call.access_token, call.options)


def _reply_accounts(access_token: str, options: AccountsOptions) -> Response:
    with current_sandbox().store.read() as db:
        item = items.find_healthy(db, access_token)
        rows = select_accounts(items.account_rows(db, item), options.account_ids)
    return reply(accounts=json_array([row["body"] for row in rows]), item=item.to_dict())


def select_accounts(
    rows: list[sqlite3.Row], account_ids: Sequence[str] | None
) -> list[sqlite3.Row]:
    """Return the rows with these ids, or all rows. Raises PlaidError for an unknown id."""
    if not account_ids:
        return rows
    wanted = set(account_ids)
    if not wanted <= {row["account_id"] for row in rows}:
        raise errors.invalid_account_id()
    return [row for row in rows if row["account_id"] in wanted]
