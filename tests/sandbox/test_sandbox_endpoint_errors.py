"""Errors of the /sandbox endpoints that fire webhooks and create transactions."""

import pytest


def test_fire_webhook_errors(live, error_of):
    fire = "/sandbox/item/fire_webhook"
    token = live.link()
    error = error_of(fire, access_token=token, webhook_code="DEFAULT_UPDATE")
    assert error[:2] == ("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID")
    token = live.link(webhook="http://127.0.0.1:9/")
    for code in ("PRODUCT_READY", "ERROR"):
        error = error_of(fire, access_token=token, webhook_code=code, webhook_type="ASSETS")
        assert error[:2] == ("SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED")
    error = error_of("/item/webhook/update", access_token=token, webhook="not a url")
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")


@pytest.mark.parametrize(
    ("transacted", "posted"),
    [
        ("2026-02-28", "2026-03-15"),  # 15 days ago
        ("2026-03-15", "2026-03-16"),  # tomorrow
        ("2026-03-15", "2026-03-14"),  # posted before the purchase
    ],
)
def test_created_transactions_must_be_within_14_days(live, error_of, transacted, posted):
    token = live.link_ready(override_username="user_transactions_dynamic")
    wanted = {
        "date_transacted": transacted,
        "date_posted": posted,
        "amount": 1,
        "description": "x",
    }
    create = "/sandbox/transactions/create"
    error = error_of(create, access_token=token, transactions=[wanted])
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")
    assert "14 days" in error[2]


@pytest.mark.parametrize("amount", ["12", True, None, [], 10**15, 10**400])
def test_created_amounts_must_be_numbers(live, error_of, amount):
    token = live.link_ready(override_username="user_transactions_dynamic")
    wanted = {
        "date_transacted": "2026-03-15",
        "date_posted": "2026-03-15",
        "amount": amount,
        "description": "x",
    }
    error = error_of("/sandbox/transactions/create", access_token=token, transactions=[wanted])
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")
    assert "amount" in error[2]


def test_limits_on_created_transactions(live, error_of):
    create = "/sandbox/transactions/create"
    wanted = {
        "date_transacted": "2026-03-15",
        "date_posted": "2026-03-15",
        "amount": 1,
        "description": "x",
    }
    token = live.link_ready(override_username="user_transactions_dynamic")
    live.call(create, access_token=token, transactions=[wanted] * 10)
    error = error_of(create, access_token=token, transactions=[wanted] * 11)
    assert error[1] == "INVALID_FIELD"
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    (loan,) = [a["account_id"] for a in accounts if a["subtype"] == "student"]
    error = error_of(create, access_token=token, transactions=[wanted | {"account_id": loan}])
    assert error[1] == "INVALID_ACCOUNT_ID"
    error = error_of(create, access_token=live.link_ready(), transactions=[wanted])
    assert error[1] == "INVALID_FIELD"
    assert "user_transactions_dynamic" in error[2]
