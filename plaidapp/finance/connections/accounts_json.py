"""accounts.json: the stored accounts in Plaid's field names, amounts as exact decimal strings.

They are in the person's order, hidden ones too. `nickname` and `hidden` are the person's.

https://plaid.com/docs/api/accounts/#accounts-get-response-accounts
"""

from typing import Any

from flask import Response, jsonify

from plaidapp.auth.access import person
from plaidapp.store import Account
from plaidapp.store.base.types import exact
from plaidapp.store.connections import accounts

from ..base.blueprint import blueprint


@blueprint.get("/accounts.json")
def accounts_json() -> Response:
    return jsonify(accounts=[_as_plaid(account) for account in accounts.of_user(person().id)])


def _as_plaid(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.public_id,
        "name": account.name,
        "official_name": account.official_name,
        "nickname": account.nickname,
        "hidden": account.is_hidden,
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
