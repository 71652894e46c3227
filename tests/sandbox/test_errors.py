"""Each family of Plaid's errors, as the bytes of an answer."""

import pytest

PLAID_ERROR = {
    "display_message",
    "documentation_url",
    "error_code",
    "error_code_reason",
    "error_message",
    "error_type",
    "request_id",
    "suggested_action",
}


@pytest.fixture
def refused(live):
    """Calls that must be refused: (error_type, error_code, error_message)."""

    def call(path, status=400, **fields):
        error = live.call(path, _status=status, **fields)
        assert set(error) == PLAID_ERROR
        assert len(error["request_id"]) == 15
        return error["error_type"], error["error_code"], error["error_message"]

    return call


def refusal_of(answer):
    error = answer.json()
    assert set(error) == PLAID_ERROR
    return answer.status_code, error["error_type"], error["error_code"]


def test_no_such_endpoint(live, refused):
    assert refused("/no/such", 404)[:2] == ("INVALID_REQUEST", "NOT_FOUND")
    got = live.session.get(live.url + "/item/get", timeout=10)
    assert refusal_of(got) == (404, "INVALID_REQUEST", "NOT_FOUND")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 200_000, b'{"a":NaN}'])
def test_body_is_not_a_json_object(live, body):
    answer = live.session.post(live.url + "/item/get", data=body, timeout=10)
    assert refusal_of(answer) == (400, "INVALID_REQUEST", "INVALID_BODY")


def test_keys(live):
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
    ("path", "fields", "code", "named"),
    [
        ("/item/get", {}, "MISSING_FIELDS", "access_token"),
        ("/transactions/get", {"access_token": "x"}, "MISSING_FIELDS", "start_date, end_date"),
        ("/item/get", {"access_token": 5}, "INVALID_FIELD", "access_token"),
        ("/item/get", {"access_token": "x", "colour": 1}, "UNKNOWN_FIELDS", "colour"),
        (
            "/transactions/sync",
            {"access_token": "x", "options": {"colour": 1}},
            "UNKNOWN_FIELDS",
            "options.colour",
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
def test_invalid_requests_name_the_field(refused, path, fields, code, named):
    error_type, error_code, message = refused(path, **fields)
    assert (error_type, error_code) == ("INVALID_REQUEST", code)
    assert named in message


def test_unknown_tokens(refused):
    token = "access-sandbox-00000000-0000-4000-8000-000000000000"
    paths = ("/item/get", "/item/remove", "/accounts/get", "/transactions/sync",
             "/transactions/refresh", "/sandbox/item/reset_login")  # fmt: skip
    for path in paths:
        assert refused(path, access_token=token)[:2] == ("INVALID_INPUT", "INVALID_ACCESS_TOKEN")
    link_token = "link-sandbox-0"
    assert refused("/link/token/get", link_token=link_token)[1] == "INVALID_LINK_TOKEN"
    key = refused("/webhook_verification_key/get", key_id="0")
    assert key[:2] == ("INVALID_INPUT", "INVALID_WEBHOOK_VERIFICATION_KEY_ID")


def test_public_tokens_work_once_and_for_thirty_minutes(live, refused):
    exchange = "/item/public_token/exchange"
    invalid = ("INVALID_INPUT", "INVALID_PUBLIC_TOKEN")
    assert refused(exchange, public_token="public-sandbox-0")[:2] == invalid
    used, expired = live.public_token(), live.public_token()
    live.call(exchange, public_token=used)
    assert refused(exchange, public_token=used)[:2] == invalid
    live.clock.advance(30 * 60 + 1)
    error = refused(exchange, public_token=expired)
    assert error[:2] == invalid
    assert "expired" in error[2]


def test_institutions(refused):
    wanted = {"institution_id": "ins_0", "country_codes": ["US"]}
    unknown = ("INVALID_INPUT", "INVALID_INSTITUTION")
    assert refused("/institutions/get_by_id", **wanted)[:2] == unknown
    wanted = {"institution_id": "ins_109508", "country_codes": ["FR"]}
    assert refused("/institutions/get_by_id", **wanted)[:2] == unknown
    create = "/sandbox/public_token/create"
    wanted = {"institution_id": "ins_0", "initial_products": ["transactions"]}
    assert refused(create, **wanted)[:2] == unknown
    wanted = {"institution_id": "ins_10", "initial_products": ["auth"]}
    assert refused(create, **wanted)[:2] == ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED")


@pytest.mark.parametrize(
    ("username", "password"),
    [("user_good", "pass_bad"), ("user_bad", "pass_good"), ("", ""),
     ("user_transactions_dynamic", "")],
)  # fmt: skip
def test_wrong_credentials(refused, username, password):
    error = refused(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={"override_username": username, "override_password": password},
    )
    assert error[:2] == ("ITEM_ERROR", "INVALID_CREDENTIALS")


def test_accounts_of_another_item(live, refused):
    mine, other = live.link_ready(), live.link_ready()
    theirs = live.call("/accounts/get", access_token=other)["accounts"][0]["account_id"]
    invalid = ("INVALID_INPUT", "INVALID_ACCOUNT_ID")
    options = {"account_ids": [theirs]}
    assert refused("/accounts/get", access_token=mine, options=options)[:2] == invalid
    assert refused("/accounts/balance/get", access_token=mine, options=options)[:2] == invalid
    dates = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert refused("/transactions/get", access_token=mine, options=options, **dates)[:2] == invalid
    options = {"account_id": theirs}
    assert refused("/transactions/sync", access_token=mine, options=options)[:2] == invalid


def test_not_ready(live, refused):
    token = live.link(override_username="user_transactions_dynamic")
    not_ready = ("ITEM_ERROR", "PRODUCT_NOT_READY")
    dates = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert refused("/transactions/get", access_token=token, **dates)[:2] == not_ready
    assert refused("/transactions/refresh", access_token=token)[:2] == not_ready


def test_webhooks_that_cannot_be_fired(live, refused):
    fire = "/sandbox/item/fire_webhook"
    token = live.link()
    error = refused(fire, access_token=token, webhook_code="DEFAULT_UPDATE")
    assert error[:2] == ("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID")
    token = live.link(webhook="http://127.0.0.1:9/")
    for code in ("PRODUCT_READY", "ERROR"):
        error = refused(fire, access_token=token, webhook_code=code, webhook_type="ASSETS")
        assert error[:2] == ("SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED")
    error = refused("/item/webhook/update", access_token=token, webhook="not a url")
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")


@pytest.mark.parametrize(
    ("transacted", "posted"),
    [
        ("2026-02-28", "2026-03-15"),  # 15 days ago
        ("2026-03-15", "2026-03-16"),  # tomorrow
        ("2026-03-15", "2026-03-14"),  # posted first
    ],
)
def test_created_transactions_lie_in_the_last_14_days(live, refused, transacted, posted):
    token = live.link_ready(override_username="user_transactions_dynamic")
    wanted = {
        "date_transacted": transacted,
        "date_posted": posted,
        "amount": 1,
        "description": "x",
    }
    create = "/sandbox/transactions/create"
    error = refused(create, access_token=token, transactions=[wanted])
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")
    assert "14 days" in error[2]


@pytest.mark.parametrize("amount", ["12", True, None, [], 10**15, 10**400])
def test_created_amounts_are_numbers(live, refused, amount):
    token = live.link_ready(override_username="user_transactions_dynamic")
    wanted = {
        "date_transacted": "2026-03-15",
        "date_posted": "2026-03-15",
        "amount": amount,
        "description": "x",
    }
    error = refused("/sandbox/transactions/create", access_token=token, transactions=[wanted])
    assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")
    assert "amount" in error[2]


def test_created_transactions_are_ten_at_most_and_need_the_dynamic_user(live, refused):
    create = "/sandbox/transactions/create"
    wanted = {
        "date_transacted": "2026-03-15",
        "date_posted": "2026-03-15",
        "amount": 1,
        "description": "x",
    }
    token = live.link_ready(override_username="user_transactions_dynamic")
    live.call(create, access_token=token, transactions=[wanted] * 10)
    error = refused(create, access_token=token, transactions=[wanted] * 11)
    assert error[1] == "INVALID_FIELD"
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    (loan,) = [a["account_id"] for a in accounts if a["subtype"] == "student"]
    error = refused(create, access_token=token, transactions=[wanted | {"account_id": loan}])
    assert error[1] == "INVALID_ACCOUNT_ID"
    error = refused(create, access_token=live.link_ready(), transactions=[wanted])
    assert error[1] == "INVALID_FIELD"
    assert "user_transactions_dynamic" in error[2]


def test_an_unexpected_failure_is_plaids_500(live, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("sandbox.api.items.items.find", fail)
    error = live.call("/item/get", _status=500, access_token="x")
    assert (error["error_type"], error["error_code"]) == ("API_ERROR", "INTERNAL_SERVER_ERROR")
    assert len(error["request_id"]) == 15
    assert "ZeroDivisionError" in caplog.text
