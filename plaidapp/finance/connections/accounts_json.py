"""accounts.json: the stored accounts in Plaid's field names, amounts as exact decimal strings.

They are in the person's order, hidden ones too. `nickname` and `hidden` are the person's.
`checked_at` is when the account was last compared with the bank, null before the first time, and
`differences` counts what differed then.
Each has the connection that it is of, and what pages say of that.

https://plaid.com/docs/api/accounts/#accounts-get-response-accounts
"""

from datetime import datetime
from typing import Any

from flask import Response, jsonify

from plaidapp.auth.access import person
from plaidapp.store import Account, AccountCheck, Item
from plaidapp.store.base.types import exact
from plaidapp.store.connections import accounts, checks, items

from ..base.blueprint import blueprint
from ..base.standing_lines import line


@blueprint.get("/accounts.json")
def accounts_json() -> Response:
    connections = {item.id: _connection(item) for item in items.of_user(person().id)}
    compared = checks.of_user(person().id)
    return jsonify(
        accounts=[
            {
                **as_plaid(account),
                **_check(account, compared.get(account.id)),
                "item": connections.get(account.item_id),
            }
            for account in accounts.of_user(person().id)
        ]
    )


def as_plaid(account: Account) -> dict[str, Any]:
    """Return what is stored of an account, under Plaid's names."""
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


def _check(account: Account, check: AccountCheck | None) -> dict[str, Any]:
    """Nothing of an account that is closed, or whose bank was disconnected, can be compared."""
    is_open = account.closed_at is None
    return {
        "checked_at": _iso(check.checked_at) if check else None,
        "differences": check.differences if check and is_open else 0,
    }


def _connection(item: Item) -> dict[str, Any]:
    """`state` is the stored one. `standing` is what is true now, in one word; see standing.py."""
    said = line(item)
    return {
        "item_id": item.plaid_item_id,
        "institution_id": item.institution_id,
        "institution_name": item.institution_name,
        "state": item.state,
        "error_code": item.error_code or item.failing_code,
        "standing": said.standing,
        "sentence": said.text,
        "color": said.color or None,
        "button": said.button,
        "last_updated": _iso(item.synced_at),
        "bank_last_updated": _iso(item.bank_updated_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
