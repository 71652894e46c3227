"""Each type of Plaid's errors, as sent over HTTP."""

import pytest

from tests.sandbox.conftest import PLAID_ERROR


def error_in(answer):
    error = answer.json()
    assert set(error) == PLAID_ERROR
    return answer.status_code, error["error_type"], error["error_code"]


def test_unknown_endpoint(live, error_of):
    assert error_of("/no/such", 404) == ("INVALID_REQUEST", "NOT_FOUND", "not found")
    got = live.session.get(live.url + "/item/get", timeout=10)
    assert error_in(got) == (404, "INVALID_REQUEST", "NOT_FOUND")
    assert "every endpoint is a POST" in got.json()["error_message"]


def test_only_the_latest_version_of_the_api_is_served(live):
    token = live.link_ready()
    body = {"client_id": "me", "secret": "mine", "access_token": token}
    for version, status in (("2020-09-14", 200), ("2019-05-29", 400), ("tomorrow", 400)):
        headers = {"Plaid-Version": version}
        answer = live.session.post(live.url + "/item/get", json=body, headers=headers, timeout=10)
        assert answer.status_code == status
    assert error_in(answer) == (400, "INVALID_REQUEST", "INVALID_HEADERS")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 200_000, b'{"a":NaN}'])
def test_a_body_must_be_a_json_object(live, body):
    answer = live.session.post(live.url + "/item/get", data=body, timeout=10)
    assert error_in(answer) == (400, "INVALID_REQUEST", "INVALID_BODY")


def test_api_keys(live):
    def post(json, headers=None):
        answer = live.session.post(live.url + "/item/get", json=json, headers=headers, timeout=10)
        return answer.json()["error_code"], answer.json()["error_message"]

    code, message = post({"access_token": "x"})
    assert code == "MISSING_FIELDS"
    assert message.endswith(": client_id, secret")
    code, message = post({"access_token": "x", "client_id": "me"})
    assert code == "MISSING_FIELDS"
    assert message.endswith(": secret")
    headers = {"PLAID-CLIENT-ID": "me", "PLAID-SECRET": "mine"}
    assert post({"access_token": "x"}, headers)[0] == "INVALID_ACCESS_TOKEN"
    headers["PLAID-SECRET"] = "wrong"
    assert post({"access_token": "x"}, headers)[0] == "INVALID_API_KEYS"
    assert post({"access_token": "x", "client_id": "wrong", "secret": "s"})[0] == "INVALID_API_KEYS"
    assert post({"access_token": "x", "client_id": 5, "secret": "s"})[0] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("path", "fields", "code", "expected"),
    [
        ("/item/get", {}, "MISSING_FIELDS", "access_token"),
        ("/transactions/get", {"access_token": "x"}, "MISSING_FIELDS", "start_date, end_date"),
        ("/item/get", {"access_token": 5}, "INVALID_FIELD", "access_token"),
        ("/item/get", {"access_token": "x", "color": 1}, "UNKNOWN_FIELDS", "color"),
        (
            "/transactions/sync",
            {"access_token": "x", "options": {"color": 1}},
            "UNKNOWN_FIELDS",
            "options.color",
        ),
        ("/transactions/sync", {"access_token": "x", "options": None}, "INVALID_FIELD", "options"),
        ("/transactions/sync", {"access_token": "x", "count": 0}, "INVALID_FIELD", "count"),
        ("/transactions/sync", {"access_token": "x", "count": 501}, "INVALID_FIELD", "count"),
        ("/transactions/sync", {"access_token": "x", "count": "9"}, "INVALID_FIELD", "count"),
        (
            "/transactions/sync",
            {"access_token": "x", "options": {"days_requested": 731}},
            "INVALID_FIELD",
            "options.days_requested",
        ),
        (
            "/transactions/get",
            {"access_token": "x", "start_date": "2026-01-32", "end_date": "2026-01-31"},
            "INVALID_FIELD",
            "start_date",
        ),
        (
            "/transactions/get",
            {"access_token": "x", "start_date": "2026-02-01", "end_date": "2026-01-31"},
            "INVALID_FIELD",
            "start_date",
        ),
        (
            "/transactions/get",
            {
                "access_token": "x",
                "start_date": "2026-01-01",
                "end_date": "2026-01-31",
                "options": {"offset": 10**30},
            },
            "INVALID_FIELD",
            "options.offset",
        ),
        (
            "/institutions/get",
            {"count": 501, "offset": 0, "country_codes": ["US"]},
            "INVALID_FIELD",
            "count",
        ),
        (
            "/institutions/get",
            {"count": 1, "offset": 0, "country_codes": []},
            "INVALID_FIELD",
            "country_codes",
        ),
        (
            "/institutions/get",
            {"count": 1, "offset": 0, "country_codes": ["US", "ZZ"]},
            "INVALID_FIELD",
            "country_codes[1]",
        ),
        (
            "/institutions/search",
            {"query": "bank", "country_codes": ["US"], "products": ["magic"]},
            "INVALID_FIELD",
            "products[0]",
        ),
        (
            "/sandbox/public_token/create",
            {"institution_id": "ins_1", "initial_products": ["magic"]},
            "INVALID_FIELD",
            "initial_products[0]",
        ),
        (
            "/sandbox/public_token/create",
            {"institution_id": "ins_1", "initial_products": []},
            "INVALID_FIELD",
            "initial_products",
        ),
        (
            "/sandbox/item/fire_webhook",
            {"access_token": "x", "webhook_code": "HELLO"},
            "INVALID_FIELD",
            "webhook_code",
        ),
        (
            "/sandbox/transactions/create",
            {"access_token": "x", "transactions": [{"amount": 1}]},
            "MISSING_FIELDS",
            "date_transacted",
        ),
        (
            "/link/token/create",
            {"client_name": "x", "language": "en", "country_codes": ["US"]},
            "MISSING_FIELDS",
            "user",
        ),
    ],
)
def test_errors_name_the_invalid_field(error_of, path, fields, code, expected):
    error_type, error_code, message = error_of(path, **fields)
    assert (error_type, error_code) == ("INVALID_REQUEST", code)
    assert expected in message


def test_unknown_tokens(error_of):
    token = "access-sandbox-00000000-0000-4000-8000-000000000000"
    paths = ("/item/get", "/item/remove", "/accounts/get", "/transactions/sync",
             "/transactions/refresh", "/sandbox/item/reset_login")  # fmt: skip
    for path in paths:
        assert error_of(path, access_token=token)[:2] == ("INVALID_INPUT", "INVALID_ACCESS_TOKEN")
    link_token = "link-sandbox-0"
    assert error_of("/link/token/get", link_token=link_token)[1] == "INVALID_LINK_TOKEN"
    key = error_of("/webhook_verification_key/get", key_id="0")
    assert key[:2] == ("INVALID_INPUT", "INVALID_WEBHOOK_VERIFICATION_KEY_ID")


def test_public_tokens_work_for_thirty_minutes(live, error_of):
    exchange = "/item/public_token/exchange"
    invalid = ("INVALID_INPUT", "INVALID_PUBLIC_TOKEN")
    assert error_of(exchange, public_token="public-sandbox-0")[:2] == invalid
    used, unused = live.public_token(), live.public_token()
    live.call(exchange, public_token=used)
    live.clock.advance(30 * 60 + 1)
    for expired in (used, unused):
        error = error_of(exchange, public_token=expired)
        assert error[:2] == invalid
        assert "expired" in error[2]


def test_institution_errors(error_of):
    wanted = {"institution_id": "ins_0", "country_codes": ["US"]}
    unknown = ("INVALID_INPUT", "INVALID_INSTITUTION")
    assert error_of("/institutions/get_by_id", **wanted)[:2] == unknown
    wanted = {"institution_id": "ins_109508", "country_codes": ["FR"]}
    assert error_of("/institutions/get_by_id", **wanted)[:2] == unknown
    create = "/sandbox/public_token/create"
    wanted = {"institution_id": "ins_0", "initial_products": ["transactions"]}
    assert error_of(create, **wanted)[:2] == unknown
    wanted = {"institution_id": "ins_10", "initial_products": ["auth"]}
    assert error_of(create, **wanted)[:2] == ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED")


@pytest.mark.parametrize(
    ("username", "password"),
    [("user_good", "pass_bad"), ("user_bad", "pass_good"), ("", ""),
     ("user_transactions_dynamic", "")],
)  # fmt: skip
def test_wrong_credentials(error_of, username, password):
    error = error_of(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={"override_username": username, "override_password": password},
    )
    assert error[:2] == ("ITEM_ERROR", "INVALID_CREDENTIALS")


def test_account_ids_of_another_item(live, error_of):
    mine, other = live.link_ready(), live.link_ready()
    theirs = live.call("/accounts/get", access_token=other)["accounts"][0]["account_id"]
    invalid = ("INVALID_INPUT", "INVALID_ACCOUNT_ID")
    options = {"account_ids": [theirs]}
    assert error_of("/accounts/get", access_token=mine, options=options)[:2] == invalid
    assert error_of("/accounts/balance/get", access_token=mine, options=options)[:2] == invalid
    dates = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert error_of("/transactions/get", access_token=mine, options=options, **dates)[:2] == invalid
    options = {"account_id": theirs}
    assert error_of("/transactions/sync", access_token=mine, options=options)[:2] == invalid


def test_transactions_that_are_not_ready(live, error_of):
    token = live.link(override_username="user_transactions_dynamic")
    not_ready = ("ITEM_ERROR", "PRODUCT_NOT_READY")
    dates = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert error_of("/transactions/get", access_token=token, **dates)[:2] == not_ready


def test_an_unexpected_exception_becomes_plaids_500(live, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("sandbox.api.items.items.find", fail)
    error = live.call("/item/get", _status=500, access_token="x")
    assert (error["error_type"], error["error_code"]) == ("API_ERROR", "INTERNAL_SERVER_ERROR")
    assert len(error["request_id"]) == 15
    assert "ZeroDivisionError" in caplog.text
