"""The banks and accounts that a person can choose from."""

import sqlite3
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from sandbox import account_access, linking, users
from sandbox.bank_records import Account
from sandbox.hosted_link.flow import Flow
from sandbox.institution_health import health_of
from sandbox.institutions import INSTITUTIONS, Health, Institution
from sandbox.link_request import LinkRequest

ONE_ACCOUNT, ALL_ACCOUNTS = "single_account", "all_accounts"
"""Names of customizations that choose the behavior of account selection.

With any other name, or none, a person can choose several accounts.
"""
_AUTH_SUBTYPES = ("checking", "savings", "cash management")
_number = msgspec.json.Decoder(float_hook=Decimal)


class BankChoice(NamedTuple):
    institution: Institution
    health: Health


class AccountChoice(NamedTuple):
    """An account at the bank. `body` is Plaid's Account; `shared` is ticked at first."""

    ordinal: int
    body: dict[str, Any]
    shared: bool

    @property
    def account_id(self) -> str:
        account_id: str = self.body["account_id"]
        return account_id

    def result(self) -> dict[str, Any]:
        """Return the account as Link's results have it."""
        body = self.body
        return {
            "class_type": None,
            "id": body["account_id"],
            "mask": body["mask"],
            "name": body["name"],
            "subtype": body["subtype"],
            "type": body["type"],
            "verification_status": None,
        }


def selection(request: LinkRequest) -> Literal["one", "several", "all"]:
    """Return how many accounts a person chooses."""
    if request.link_customization_name == ONE_ACCOUNT:
        return "one"
    return "all" if request.link_customization_name == ALL_ACCOUNTS else "several"


def banks(db: sqlite3.Connection, request: LinkRequest, query: str) -> list[BankChoice]:
    """Return the banks of the countries with all products whose name or id contains `query`.

    The bank with the requested routing number comes first.
    """
    wanted = query.casefold()
    found = [
        BankChoice(bank, health_of(db, bank.institution_id))
        for bank in INSTITUTIONS
        if is_in_countries(bank, request)
        and has_products(bank, request)
        and (wanted in bank.name.casefold() or wanted in bank.institution_id)
    ]
    data = request.institution_data
    first = data.routing_number if data else None
    return sorted(found, key=lambda choice: first not in choice.institution.routing_numbers)


def is_in_countries(bank: Institution, request: LinkRequest) -> bool:
    return bool(set(bank.countries) & set(request.country_codes))


def has_products(bank: Institution, request: LinkRequest) -> bool:
    return set(request.products or ()) <= bank.products


def accounts(flow: Flow) -> list[AccountChoice]:
    """Return the accounts of the person who has logged in that the client's filters show."""
    found = _accounts_of_item(flow) if flow.link.item else _accounts_of_user(flow)
    return [choice for choice in found if _is_wanted(choice.body, flow.request)]


def _accounts_of_user(flow: Flow) -> list[AccountChoice]:
    state, sandbox = flow.state, flow.sandbox
    data = users.log_in(state.username, state.password, sandbox.seed, sandbox.today())
    return [
        AccountChoice(ordinal, _body(flow, ordinal, account), shared=True)
        for ordinal, account in enumerate(data.accounts)
    ]


def _body(flow: Flow, ordinal: int, account: Account) -> dict[str, Any]:
    account_id = linking.account_id(flow.sandbox, flow.state.item_number or 0, ordinal)
    body: dict[str, Any] = _number.decode(account.to_json(account_id, None))
    return body


def _accounts_of_item(flow: Flow) -> list[AccountChoice]:
    with flow.sandbox.store.read() as db:
        rows = account_access.all_rows(db, flow.item())
    return [
        AccountChoice(ordinal, _number.decode(row["body"]), row["access"] == "shared")
        for ordinal, row in enumerate(rows)
        if row["access"] != "closed"
    ]


def _is_wanted(body: dict[str, Any], request: LinkRequest) -> bool:
    """Whether the client's filters and products allow the account."""
    if filters := request.account_filters:
        wanted = filters.get(body["type"])
        return wanted is not None and not {"all", body["subtype"]}.isdisjoint(
            wanted.account_subtypes
        )
    return "auth" not in (request.products or ()) or body["subtype"] in _AUTH_SUBTYPES
