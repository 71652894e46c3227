"""user_custom: test users described in JSON."""

import json
from decimal import Decimal

import pytest

from tests.link_walker import walk

ODD_AMOUNTS = ["42", "7.5", "7.50", "-23631.9805", "0.1234567", "0.10", "-0.01", "1000000.00000001"]

USER = {
    "override_accounts": [
        {
            "type": "depository",
            "subtype": "savings",
            "currency": "EUR",
            "starting_balance": 1520.5,
            "force_available_balance": 1500,
            "meta": {"name": "Rainy day", "official_name": "Rainy Day Saver"},
            "numbers": {"account": "5550001234", "ach_routing": "021000021"},
            "identity": {"names": ["Ada"]},
            "transactions": [
                {
                    "date_transacted": "2026-03-01",
                    "date_posted": "2026-03-03",
                    "amount": 8.4,
                    "description": "Scissors",
                },
                {
                    "date_transacted": "2026-03-14",
                    "date_posted": "2026-03-17",
                    "amount": 3,
                    "description": "STARBUCKS STORE 12",
                    "currency": "USD",
                },
                {
                    "date_transacted": "2025-01-01",
                    "date_posted": "2025-01-01",
                    "amount": -10,
                    "description": "Gift",
                },
            ],
        },
        {
            "type": "credit",
            "subtype": "credit card",
            "starting_balance": 12.25,
            "meta": {"limit": 500},
            "liability": {"type": "credit"},
        },
        {"type": "loan", "subtype": "student"},
    ],
    "mfa": None,
    "recaptcha": None,
}


def one_account(**fields):
    return {"override_accounts": [{"type": "depository", "subtype": "checking", **fields}]}


def one_transaction(**fields):
    transaction = {
        "date_transacted": "2026-03-01",
        "date_posted": "2026-03-02",
        "amount": 1,
        "description": "x",
    }
    return one_account(transactions=[transaction | fields])


def test_accounts(live):
    token = live.link_custom(USER)
    saver, card, loan = live.call("/accounts/get", access_token=token)["accounts"]
    assert (saver["name"], saver["official_name"], saver["mask"], saver["subtype"]) == (
        "Rainy day",
        "Rainy Day Saver",
        "1234",
        "savings",
    )
    assert saver["balances"] == {
        "available": 1500,
        "current": Decimal("1520.5"),
        "iso_currency_code": "EUR",
        "limit": None,
        "unofficial_currency_code": None,
    }
    assert card["name"] == "Plaid Credit Card"
    assert card["balances"]["limit"] == 500
    assert card["balances"]["available"] == Decimal("487.75")
    assert loan["balances"]["current"] > 0
    assert loan["balances"]["available"] is None


def test_transactions(live):
    token = live.link_custom(USER, days=90)
    options = {"include_original_description": True}
    coffee, scissors = live.sync_all(token, options=options)[0]["added"]
    assert (scissors["date"], scissors["authorized_date"]) == ("2026-03-03", "2026-03-01")
    assert scissors["name"] == scissors["original_description"] == "Scissors"
    assert (scissors["amount"], scissors["iso_currency_code"]) == (Decimal("8.4"), "EUR")
    assert scissors["pending"] is False
    assert scissors["merchant_name"] is None
    # This one posts the day after tomorrow, so it is pending and has the day of the purchase.
    assert coffee["pending"] is True
    assert (coffee["date"], coffee["iso_currency_code"]) == ("2026-03-14", "USD")
    assert coffee["merchant_name"] == "Starbucks"
    assert len(live.sync_all(live.link_custom(USER, days=730))[0]["added"]) == 3


def test_plaid_python_accepts_a_custom_user(live):
    from plaid.model.accounts_get_request import AccountsGetRequest
    from plaid.model.transactions_sync_request import TransactionsSyncRequest

    token = live.link_custom(USER)
    accounts = live.api.accounts_get(AccountsGetRequest(access_token=token))["accounts"]
    assert [str(a["subtype"]) for a in accounts] == ["savings", "credit card", "student"]
    added = live.api.transactions_sync(TransactionsSyncRequest(access_token=token))["added"]
    assert [row["amount"] for row in added] == [3, 8.4, -10]


def test_amounts_keep_their_digits(live):
    rows = ",".join(
        '{"date_transacted":"2026-03-01","date_posted":"2026-03-01",'
        f'"amount":{amount},"description":"{amount}"}}'
        for amount in ODD_AMOUNTS
    )
    user = (
        '{"override_accounts":[{"type":"depository","subtype":"checking",'
        f'"starting_balance":23631.9805000,"transactions":[{rows}]}}]}}'
    )
    token = live.link_custom(user)
    body = {"client_id": "me", "secret": "mine", "access_token": token}
    text = live.session.post(live.url + "/transactions/sync", json=body, timeout=10).text
    # Compare as text, so that trailing zeros count.
    found = json.loads(text, parse_float=str, parse_int=str)
    assert {row["description"]: row["amount"] for row in map(_named, found["added"])} == {
        amount: amount for amount in ODD_AMOUNTS
    }
    text = live.session.post(live.url + "/accounts/get", json=body, timeout=10).text
    assert '"current":23631.9805000,' in text


def _named(row):
    return {"description": row["name"], "amount": row["amount"]}


def test_a_revision_changes_only_the_amount(live):
    token = live.link_ready(override_username="user_transactions_dynamic")
    before = {row["transaction_id"]: row for row in live.sync_all(token)[0]["added"]}
    cursor = live.sync_all(token)[1]["next_cursor"]
    live.call("/transactions/refresh", access_token=token)
    for row in live.sync_all(token, cursor)[0]["modified"]:
        old = before[row["transaction_id"]]
        assert row["amount"] == old["amount"] + 1
        assert {**row, "amount": 0} == {**old, "amount": 0}


def test_nulls_count_as_missing(live):
    blank = dict.fromkeys(("date_transacted", "date_posted", "amount", "description", "currency"))
    user = one_account(
        starting_balance=None,
        force_available_balance=None,
        currency=None,
        meta={"name": None, "official_name": None, "limit": None},
        numbers={"account": None},
        transactions=[blank],
        identity={"names": [None]},
    ) | {"version": None, "seed": None, "force_error": None}
    token = live.link_custom(user)
    (account,) = live.call("/accounts/get", access_token=token)["accounts"]
    assert account["name"] == "Plaid Checking"
    assert account["balances"]["iso_currency_code"] == "USD"
    assert account["balances"]["available"] == account["balances"]["current"] > 0
    assert live.sync_all(token)[0]["added"] == []


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("not json", "not valid JSON"),
        ("", "not valid JSON"),
        ("[" * 100_000, ""),
        ("[]", "object"),
        ({}, "override_accounts"),
        ({"override_accounts": []}, "override_accounts"),
        ({"override_accounts": {}}, "override_accounts"),
        ({"override_accounts": [one_account()["override_accounts"][0]] * 11}, "1 to 10"),
        ({"override_accounts": [5]}, "override_accounts[0]"),
        (one_account(type=None), "override_accounts[0].type"),
        (one_account(type="piggy bank"), "override_accounts[0].type"),
        (one_account(subtype=None), "override_accounts[0].subtype"),
        (one_account(subtype="mortgage"), "override_accounts[0].subtype"),
        (one_account(starting_balance="5"), "override_accounts[0].starting_balance"),
        (one_account(force_available_balance=[]), "override_accounts[0].force_available_balance"),
        (one_account(meta={"limit": True}), "override_accounts[0].meta.limit"),
        (one_account(meta={"name": 5}), "override_accounts[0].meta.name"),
        (one_account(currency="dollars"), "override_accounts[0].currency"),
        (one_account(transactions={}), "override_accounts[0].transactions"),
        (one_transaction(date_posted="2026-02-30"), "transactions[0].date_posted"),
        (one_transaction(date_transacted="yesterday"), "transactions[0].date_transacted"),
        (one_transaction(date_transacted=None), "transactions[0].date_transacted"),
        (one_transaction(amount="12"), "transactions[0].amount"),
        (one_transaction(amount=None), "transactions[0].amount"),
        (one_transaction(description=5), "transactions[0].description"),
        (one_transaction(description="x" * 1001), "transactions[0].description"),
        (one_transaction(currency="usd"), "transactions[0].currency"),
        (one_transaction(amount=10**30), "transactions[0].amount"),
    ],
)
def test_error_names_the_path_of_an_invalid_field(live, user, expected):
    error = live.call(
        "/sandbox/public_token/create",
        _status=400,
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={
            "override_username": "user_custom",
            "override_password": user if isinstance(user, str) else json.dumps(user),
        },
    )
    assert (error["error_type"], error["error_code"]) == ("INVALID_REQUEST", "INVALID_FIELD")
    assert expected in error["error_message"]


@pytest.mark.parametrize("amount", ["1e400", "1e99999999999999999999", "1e-50", "9" * 5000])
def test_amounts_out_of_range_are_rejected(live, amount):
    user = json.dumps(one_transaction(amount="AMOUNT")).replace('"AMOUNT"', amount)
    error = live.call(
        "/sandbox/public_token/create",
        _status=400,
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={"override_username": "user_custom", "override_password": user},
    )
    assert error["error_code"] == "INVALID_FIELD"


CHECKING = {"override_accounts": [{"type": "depository", "subtype": "checking"}]}


@pytest.mark.parametrize(
    ("fields", "pages"),
    [
        ({"mfa": {"type": "device"}}, ["device", "code"]),
        ({"mfa": {"type": "questions", "question_rounds": 2, "questions_per_round": 1}},
         ["questions", "questions"]),
        ({"mfa": {"type": "selections", "selection_rounds": 2}}, ["selections", "selections"]),
        ({"mfa": {"type": None, "question_rounds": None}, "recaptcha": "", "force_error": ""}, []),
    ],
)  # fmt: skip
def test_a_second_step_in_link(hosted_link, sessions_of, fields, pages):
    link = hosted_link()
    walk(link["hosted_link_url"], username="user_custom", password=json.dumps(CHECKING | fields))
    (session,) = sessions_of(link)
    assert session["results"]
    sent = [e for e in reversed(session["events"]) if e["event_name"] == "SUBMIT_MFA"]
    assert [event["event_metadata"]["mfa_type"] for event in sent] == pages


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"force_error": "ITEM_LOCKED"}, "ITEM_LOCKED"),
        ({"force_error": "INVALID_LINK_TOKEN"}, "INVALID_LINK_TOKEN"),
        ({"force_error": "NO_SUCH"}, "INVALID_FIELD"),
        ({"recaptcha": "bad"}, "RECAPTCHA_BAD"),
        ({"mfa": {"type": "magic"}}, "INVALID_FIELD"),
    ],
)
def test_an_error_at_the_log_in(error_of, hosted_link, sessions_of, fields, code):
    password = json.dumps(CHECKING | fields)
    error = error_of(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={"override_username": "user_custom", "override_password": password},
    )
    assert error[1] == code
    link = hosted_link()
    walk(link["hosted_link_url"], username="user_custom", password=password)
    assert sessions_of(link)[0]["exit"]["error"]["error_code"] == code
