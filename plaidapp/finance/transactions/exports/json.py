"""What is stored, for programs: Plaid's field names, amounts as exact decimal strings."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, jsonify, request
from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.store import Account, Transaction
from plaidapp.store.base.types import exact
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import reader

from ...blueprint import blueprint
from .. import keyset
from ..filter_form import ExplorerForm
from .export import Export

PAGE_SIZE = 500


@blueprint.get("/accounts.json")
def accounts_json() -> Response:
    return jsonify(accounts=[_account(account) for account in accounts.of_user(person().id)])


@blueprint.get("/transactions.json")
def transactions_json() -> Response | tuple[Response, int]:
    """In the order asked for, 500 a page; `next` is the address of the following page or null."""
    form = ExplorerForm(request.args)
    if not form.validate():
        return jsonify(error=gettext("The filter is not valid."), fields=form.errors), 422
    wanted = form.filter_of(person().id)
    rows = reader.page(wanted, PAGE_SIZE + 1, keyset.asked(wanted.sort))
    return jsonify(
        transactions=[as_stored(row) for row in rows[:PAGE_SIZE]],
        total_transactions=reader.count(wanted),
        next=keyset.next_url(rows, PAGE_SIZE, wanted.sort),
    )


def write(export: Export) -> Iterator[str]:
    """The pages of transactions.json as one, with what the person made of each row."""
    yield '{"transactions": ['
    total = 0
    for total, row in enumerate(export.rows(), start=1):
        own = {"category": row.category, "note": row.note, "hidden": row.hidden}
        yield (",\n" if total > 1 else "\n") + json.dumps(as_stored(row) | own)
    yield f'\n], "total_transactions": {total}, "next": null}}\n'


def _account(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.plaid_account_id,
        "name": account.name,
        "official_name": account.official_name,
        "mask": account.mask,
        "type": account.type,
        "subtype": account.subtype,
        "closed": account.closed_at is not None,
        "balances": {
            "available": exact(account.available),
            "current": exact(account.current),
            "limit": exact(account.limit),
            "iso_currency_code": account.iso_currency_code,
            "unofficial_currency_code": account.unofficial_currency_code,
        },
    }


def as_stored(row: Transaction) -> dict[str, Any]:
    """A transaction in Plaid's words, as far as it is kept."""
    category = {"primary": row.category_primary, "detailed": row.category_detailed}
    return {
        "transaction_id": row.plaid_transaction_id,
        "account_id": row.account.plaid_account_id,
        "amount": exact(row.amount),
        "iso_currency_code": row.iso_currency_code,
        "unofficial_currency_code": row.unofficial_currency_code,
        "date": row.date.isoformat(),
        "authorized_date": row.authorized_date and row.authorized_date.isoformat(),
        "name": row.name,
        "merchant_name": row.merchant_name,
        "personal_finance_category": category if row.category_primary else None,
        "payment_channel": row.payment_channel,
        "pending": row.pending,
        "pending_transaction_id": row.pending_transaction_id,
    }
