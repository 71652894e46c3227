"""Webhooks: what is sent, that its signature verifies, and that it is sent again."""

import hashlib
import json
import time

import jwt
import pytest
import requests
import requests_mock

INITIAL_DELAY, HISTORICAL_DELAY = 10, 60  # conftest's delays
HOOK = "https://receiver.test/hook"
DYNAMIC = {"override_username": "user_transactions_dynamic"}


@pytest.fixture
def receiver():
    """Takes what is posted to HOOK; everything else goes to the network."""
    with requests_mock.Mocker(real_http=True) as mock:
        mock.post(HOOK, status_code=200)
        yield mock


@pytest.fixture
def received(receiver):
    """The webhooks so far, in the order of arrival."""

    def read():
        return [r for r in receiver.request_history if r.url == HOOK]

    return read


@pytest.fixture
def codes(received):
    return lambda: sorted(json.loads(request.body)["webhook_code"] for request in received())


@pytest.fixture
def arrive(codes, eventually):
    """Waits until exactly these codes have arrived."""

    def wait(*expected):
        eventually(lambda: len(codes()) >= len(expected))
        assert codes() == sorted(expected)

    return wait


def of_code(received, code):
    (found,) = [r for r in received() if json.loads(r.body)["webhook_code"] == code]
    return json.loads(found.body)


def test_signatures_verify_with_the_key_that_is_served(live, received, arrive):
    token = live.link(webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    arrive("LOGIN_REPAIRED")
    (request,) = received()
    signature = request.headers["Plaid-Verification"]
    header = jwt.get_unverified_header(signature)
    assert header["alg"] == "ES256"
    jwk = live.call("/webhook_verification_key/get", key_id=header["kid"])["key"]
    claims = jwt.decode(signature, jwt.PyJWK(jwk), algorithms=["ES256"])
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["request_body_sha256"] == hashlib.sha256(request.body).hexdigest()
    assert request.headers["Content-Type"] == "application/json"
    payload = json.loads(request.body)
    assert request.body.decode() == json.dumps(payload, indent=2)
    assert payload["environment"] == "sandbox"


def test_updates_announce_themselves(live, received, arrive):
    token = live.link(webhook=HOOK)
    live.clock.advance(INITIAL_DELAY)
    arrive("INITIAL_UPDATE")
    live.clock.advance(HISTORICAL_DELAY)
    arrive("INITIAL_UPDATE", "HISTORICAL_UPDATE", "RECURRING_TRANSACTIONS_UPDATE")
    new = sum(
        of_code(received, c)["new_transactions"] for c in ("INITIAL_UPDATE", "HISTORICAL_UPDATE")
    )
    assert new == len(live.drain(token)[0]["added"])
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    assert of_code(received, "INITIAL_UPDATE") == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "INITIAL_UPDATE",
        "item_id": item_id,
        "error": None,
        "new_transactions": of_code(received, "INITIAL_UPDATE")["new_transactions"],
        "environment": "sandbox",
    }
    status = live.call("/item/get", access_token=token)["status"]
    assert status["last_webhook"]["code_sent"] == "RECURRING_TRANSACTIONS_UPDATE"


def test_sync_updates_are_for_those_who_sync(live, received, arrive):
    token = live.link(webhook=HOOK)
    live.call("/transactions/sync", access_token=token)
    live.clock.advance(INITIAL_DELAY)
    arrive("INITIAL_UPDATE", "SYNC_UPDATES_AVAILABLE")
    available = of_code(received, "SYNC_UPDATES_AVAILABLE")
    assert available["initial_update_complete"] is True
    assert available["historical_update_complete"] is False
    live.clock.advance(HISTORICAL_DELAY)
    arrive("INITIAL_UPDATE", "HISTORICAL_UPDATE", "RECURRING_TRANSACTIONS_UPDATE",
           *["SYNC_UPDATES_AVAILABLE"] * 2)  # fmt: skip


def test_a_refresh_announces_what_it_found(live, received, arrive, eventually):
    token = live.link(**DYNAMIC)
    live.clock.advance(HISTORICAL_DELAY)
    eventually(lambda: not rows_of(live, "moment"))
    cursor = live.drain(token)[1]["next_cursor"]
    live.call("/item/webhook/update", access_token=token, webhook=HOOK)
    arrive("WEBHOOK_UPDATE_ACKNOWLEDGED")
    assert of_code(received, "WEBHOOK_UPDATE_ACKNOWLEDGED")["new_webhook_url"] == HOOK
    live.call("/transactions/refresh", access_token=token)
    arrive("WEBHOOK_UPDATE_ACKNOWLEDGED", "SYNC_UPDATES_AVAILABLE", "TRANSACTIONS_REMOVED",
           "DEFAULT_UPDATE")  # fmt: skip
    changes, _ = live.drain(token, cursor)
    gone = [row["transaction_id"] for row in changes["removed"]]
    assert of_code(received, "TRANSACTIONS_REMOVED")["removed_transactions"] == gone
    assert of_code(received, "DEFAULT_UPDATE")["new_transactions"] == len(changes["added"])


def test_reset_login_tells_of_the_error(live, received, arrive):
    token = live.link(webhook=HOOK)
    live.call("/sandbox/item/reset_login", access_token=token)
    arrive("ERROR")
    webhook = of_code(received, "ERROR")
    assert webhook["webhook_type"] == "ITEM"
    assert webhook["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
    assert webhook["error"]["status"] == 400
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    assert live.call("/item/get", access_token=token)["item"]["error"] is None


@pytest.mark.parametrize(
    ("code", "kind", "fields"),
    [
        ("DEFAULT_UPDATE", "TRANSACTIONS", {"error", "new_transactions"}),
        ("NEW_ACCOUNTS_AVAILABLE", "ITEM", {"error"}),
        ("SMS_MICRODEPOSITS_VERIFICATION", "AUTH", {"account_id", "status"}),
        ("AUTHORIZATION_GRANTED", "ITEM", set()),
        ("USER_PERMISSION_REVOKED", "ITEM", {"error"}),
        ("USER_ACCOUNT_REVOKED", "ITEM", {"account_id"}),
        ("PENDING_DISCONNECT", "ITEM", {"disconnect_time", "reason"}),
        ("RECURRING_TRANSACTIONS_UPDATE", "TRANSACTIONS", {"account_ids"}),
        ("LOGIN_REPAIRED", "ITEM", set()),
        (
            "SYNC_UPDATES_AVAILABLE",
            "TRANSACTIONS",
            {"historical_update_complete", "initial_update_complete"},
        ),
        ("PRODUCT_READY", "ASSETS", {"asset_report_id", "report_type"}),
        ("ERROR", "ITEM", {"error"}),
    ],
)
def test_every_code_that_can_be_fired(live, received, arrive, code, kind, fields):
    token = live.link(("transactions", "assets"), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code=code)
    arrive(code)
    webhook = of_code(received, code)
    assert webhook["webhook_type"] == kind
    common = {"webhook_type", "webhook_code", "item_id", "environment"}
    assert set(webhook) - common == fields


def test_a_webhook_is_sent_again_until_it_is_taken(serve, receiver, received, eventually):
    live = serve(webhook_retry=(30, 120))
    answers = [{"status_code": 500}, {"exc": requests.ConnectTimeout}, {"status_code": 200}]
    receiver.post(HOOK, answers)
    token = live.link(("auth",), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    eventually(lambda: len(received()) == 1)
    wait_until_settled(live, eventually, attempts=1)
    for wait, count in ((30, 2), (120, 3)):
        live.clock.advance(wait - 1)
        assert due_in(live) == 1
        live.clock.advance(1)
        eventually(lambda count=count: len(received()) == count)
        if count < 3:
            wait_until_settled(live, eventually, attempts=count)
    eventually(lambda: due_in(live) is None)
    assert len({request.body for request in received()}) == 1


def test_a_webhook_that_nobody_takes_is_given_up(serve, receiver, received, eventually):
    live = serve(webhook_retry=(30,))
    receiver.post(HOOK, status_code=302, headers={"Location": HOOK})
    token = live.link(("auth",), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    wait_until_settled(live, eventually, attempts=1)
    live.clock.advance(30)
    eventually(lambda: due_in(live) is None)
    assert len(received()) == 2


def test_a_removed_item_is_silent(live, received, eventually):
    token = live.link(webhook=HOOK)
    live.call("/item/remove", access_token=token)
    other = live.link(webhook=HOOK)
    live.clock.advance(HISTORICAL_DELAY)
    eventually(lambda: len(received()) == 3)
    item_id = live.call("/item/get", access_token=other)["item"]["item_id"]
    assert {json.loads(request.body)["item_id"] for request in received()} == {item_id}


def rows_of(live, table):
    with live.app.extensions["sandbox"].store.read() as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def due_in(live):
    """Seconds until the one delivery is made again, or None if there is none."""
    rows = rows_of(live, "delivery")
    return round(rows[0]["due"] - live.app.extensions["sandbox"].now()) if rows else None


def wait_until_settled(live, eventually, attempts):
    """An attempt that failed is over once it is counted."""
    eventually(lambda: [row["attempts"] for row in rows_of(live, "delivery")] == [attempts])
