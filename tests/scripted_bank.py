"""A bank that lists exactly the accounts and transactions that a test writes down.

A log-in is known by its user name. What it lists can change at any time.
"""

from decimal import Decimal
from itertools import count

import msgspec
import pytest
from flask import Flask, Response, request

LOGIN_REQUIRED = {
    "error_type": "ITEM_ERROR",
    "error_code": "ITEM_LOGIN_REQUIRED",
    "error_message": "the login details of this item have changed",
    "display_message": None,
}


class Login:
    """One log-in. Each connection to it is another Item with ids of its own."""

    def __init__(self):
        self.accounts = []
        self.log = []  # ("added", row), ("removed", key)

    def account(self, mask="7777", name="Checking", balance="1000", key=None, **fields):
        """Add an account and return its key, by which rows name it."""
        key = key or f"{name}-{mask}-{len(self.accounts)}"
        balances = {"current": Decimal(balance), "iso_currency_code": "USD"}
        usual = {"type": "depository", "subtype": "checking", "mask": mask, "name": name}
        self.accounts.append({"key": key, **usual, "balances": balances, **fields})
        return key

    def row(self, account, day, amount="10", name="Coffee", pending=False):
        row = {"account": account, "date": str(day), "amount": Decimal(amount), "name": name}
        key = f"{len(self.log)}-{name}"
        self.log.append(("added", {"key": key, **row, "pending": pending}))
        return key

    def remove(self, key):
        self.log.append(("removed", key))

    def drop(self, account):
        self.accounts = [each for each in self.accounts if each["key"] != account]


class ScriptedBank:
    def __init__(self):
        self.logins, self.items, self.removed = {}, {}, []
        self.numbers = count(1)
        self.refusing = set()  # tokens of Items that need a log-in
        self.app = Flask(__name__)
        for path, answer in {
            "/sandbox/public_token/create": self._public_token,
            "/item/public_token/exchange": self._exchange,
            "/accounts/get": self._accounts,
            "/accounts/balance/get": self._accounts,
            "/transactions/sync": self._sync,
            "/transactions/get": self._get,
            "/transactions/recurring/get": self._recurring,
            "/item/remove": self._remove,
        }.items():
            self.app.add_url_rule(path, path, self._view(answer), methods=["POST"])

    def _view(self, answer):
        def view():
            body = request.get_json()
            if body.get("access_token") in self.refusing:
                return _reply(LOGIN_REQUIRED, 400)
            return _reply(answer(body))

        return view

    def login(self, name):
        return self.logins.setdefault(name, Login())

    def _public_token(self, body):
        username = body["options"]["override_username"]
        return {"public_token": f"public-{username}@{body['institution_id']}"}

    def _exchange(self, body):
        username, bank = body["public_token"].removeprefix("public-").split("@")
        number = next(self.numbers)
        self.items[f"token-{number}"] = number, bank, self.logins[username]
        return {"access_token": f"token-{number}", "item_id": f"item-{number}"}

    def _item(self, body):
        number, bank, login = self.items[body["access_token"]]
        item = {"item_id": f"item-{number}", "institution_id": bank, "institution_name": bank}
        return number, login, item

    def _accounts(self, body):
        number, login, item = self._item(body)
        return {"accounts": _accounts_of(number, login), "item": item}

    def _sync(self, body):
        number, login, _ = self._item(body)
        start = int(body.get("cursor") or 0)
        entries = login.log[start:]
        if not start:  # from the beginning, what was removed is not told
            gone = {key for kind, key in login.log if kind == "removed"}
            entries = [
                each for each in entries if each[0] == "added" and each[1]["key"] not in gone
            ]
        return {
            "added": [_row(number, row) for kind, row in entries if kind == "added"],
            "modified": [],
            "removed": [
                {"transaction_id": f"{number}-{key}"} for kind, key in entries if kind == "removed"
            ],
            "next_cursor": str(len(login.log)) if login.log else "0",
            "has_more": False,
            "accounts": _accounts_of(number, login),
            "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
        }

    def _get(self, body):
        rows = self._sync(body | {"cursor": ""})["added"]
        offset = body.get("options", {}).get("offset", 0)
        return {"transactions": rows[offset:], "total_transactions": len(rows)}

    def _recurring(self, _body):
        return {"inflow_streams": [], "outflow_streams": []}

    def _remove(self, body):
        self.removed.append(body["access_token"])
        return {}


def _accounts_of(number, login):
    return [
        {"account_id": f"{number}-{account['key']}"}
        | {name: value for name, value in account.items() if name != "key"}
        for account in login.accounts
    ]


def _row(number, row):
    return {
        "transaction_id": f"{number}-{row['key']}",
        "account_id": f"{number}-{row['account']}",
        "date": row["date"],
        "amount": row["amount"],
        "name": row["name"],
        "pending": row["pending"],
        "iso_currency_code": "USD",
    }


def _reply(body, status=200):
    text = _ENCODER.encode(body | {"request_id": "scripted"})
    return Response(text, status, mimetype="application/json")


_ENCODER = msgspec.json.Encoder(decimal_format="number")


@pytest.fixture
def scripted_bank(bank_server, monkeypatch):
    """Webhooks are still signed by the sandbox."""
    scripted, sandbox = ScriptedBank(), bank_server.server.app

    def answer(environ, start_response):
        is_key = environ["PATH_INFO"] == "/webhook_verification_key/get"
        return (sandbox if is_key else scripted.app)(environ, start_response)

    monkeypatch.setattr(bank_server.server, "app", answer)
    return scripted
