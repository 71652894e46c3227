"""Items, accounts and transactions, stored directly."""

from datetime import date
from decimal import Decimal

import pytest

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store.connections import accounts, items
from tests import stored


@pytest.fixture
def item(owner):
    return new_item(owner, "item-1")


@pytest.fixture
def another_item(owner):
    return new_item(owner, "item-2")


def new_item(owner, plaid_item_id):
    item = items.add(user_id=owner, plaid_item_id=plaid_item_id, access_token=b"sealed")
    accounts.save(owner, item.id, [account()])
    db.session.commit()
    return item


def account(account_id="a", **changes):
    balances = {"current": Decimal("1"), "iso_currency_code": "USD"} | changes.pop("balances", {})
    fields = {"account_id": account_id, "name": "Checking", "type": "depository"} | changes
    return payloads.PlaidAccount(**fields, balances=payloads.Balances(**balances))


def transaction(transaction_id, day=date(2026, 1, 31), amount="1", **changes):
    fields = {
        "transaction_id": transaction_id,
        "account_id": "a",
        "amount": Decimal(amount),
        "date": day,
        "pending": False,
        "name": "Coffee",
    }
    return payloads.PlaidTransaction(**fields | changes)


@pytest.fixture(name="account")
def _account():
    return account


@pytest.fixture(name="transaction")
def _transaction():
    return transaction


@pytest.fixture
def save(owner):
    """Save transactions of an Item and commit."""

    def store(item, *rows):
        stored.save(owner, item.id, accounts.ids_of_item(item.id), rows)
        db.session.commit()

    return store
