"""Webhooks: their content, signature and retries."""

import contextlib
import hashlib
import itertools
import json
import threading
import time

import jwt
import pytest
import requests
import requests_mock
from plaid.model.default_update_webhook import DefaultUpdateWebhook
from plaid.model.holdings_default_update_webhook import HoldingsDefaultUpdateWebhook
from plaid.model.investments_default_update_webhook import InvestmentsDefaultUpdateWebhook
from plaid.model.liabilities_default_update_webhook import LiabilitiesDefaultUpdateWebhook
from plaid.model_utils import validate_and_convert_types
from werkzeug.serving import make_server

from tests.sandbox_control import Control

INITIAL_DELAY, HISTORICAL_DELAY = 10, 60  # conftest's delays
HOOK = "https://receiver.test/hook"
DYNAMIC = {"override_username": "user_transactions_dynamic"}


@pytest.fixture
def receiver():
    """Receive requests to HOOK; all others go to the network."""
    with requests_mock.Mocker(real_http=True) as mock:
        mock.post(HOOK, status_code=200)
        yield mock


@pytest.fixture
def received(receiver):
    """Return the webhooks received so far, in order of arrival."""

    def read():
        return [r for r in receiver.request_history if r.url == HOOK]

    return read


@pytest.fixture
def codes(received):
    return lambda: sorted(json.loads(request.body)["webhook_code"] for request in received())


@pytest.fixture
def wait_for_codes(codes, eventually):
    """Wait until exactly these codes have arrived, in any order."""

    def wait(*expected):
        eventually(lambda: len(codes()) >= len(expected))
        assert codes() == sorted(expected)

    return wait


def webhook_with_code(received, code):
    (found,) = [r for r in received() if json.loads(r.body)["webhook_code"] == code]
    return json.loads(found.body)


def test_signatures_verify_with_the_served_key(live, received, wait_for_codes):
    token = live.link(webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    wait_for_codes("LOGIN_REPAIRED")
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


def test_updates_are_announced(live, received, wait_for_codes):
    token = live.link(webhook=HOOK)
    live.clock.advance(INITIAL_DELAY)
    wait_for_codes("INITIAL_UPDATE")
    live.clock.advance(HISTORICAL_DELAY)
    wait_for_codes("INITIAL_UPDATE", "HISTORICAL_UPDATE", "RECURRING_TRANSACTIONS_UPDATE")
    new = sum(
        webhook_with_code(received, c)["new_transactions"]
        for c in ("INITIAL_UPDATE", "HISTORICAL_UPDATE")
    )
    assert new == len(live.sync_all(token)[0]["added"])
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    assert webhook_with_code(received, "INITIAL_UPDATE") == {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "INITIAL_UPDATE",
        "item_id": item_id,
        "error": None,
        "new_transactions": webhook_with_code(received, "INITIAL_UPDATE")["new_transactions"],
        "environment": "sandbox",
    }
    status = live.call("/item/get", access_token=token)["status"]
    assert status["last_webhook"]["code_sent"] == "RECURRING_TRANSACTIONS_UPDATE"


def test_sync_updates_go_only_to_clients_that_sync(live, received, wait_for_codes):
    token = live.link(webhook=HOOK)
    live.call("/transactions/sync", access_token=token)
    live.clock.advance(INITIAL_DELAY)
    wait_for_codes("INITIAL_UPDATE", "SYNC_UPDATES_AVAILABLE")
    available = webhook_with_code(received, "SYNC_UPDATES_AVAILABLE")
    assert available["initial_update_complete"] is True
    assert available["historical_update_complete"] is False
    live.clock.advance(HISTORICAL_DELAY)
    wait_for_codes("INITIAL_UPDATE", "HISTORICAL_UPDATE", "RECURRING_TRANSACTIONS_UPDATE",
           *["SYNC_UPDATES_AVAILABLE"] * 2)  # fmt: skip


def test_a_refresh_announces_its_changes(live, received, wait_for_codes, eventually):
    token = live.link(**DYNAMIC)
    live.clock.advance(HISTORICAL_DELAY)
    eventually(lambda: not rows_of(live, "moment"))
    cursor = live.sync_all(token)[1]["next_cursor"]
    live.call("/item/webhook/update", access_token=token, webhook=HOOK)
    wait_for_codes("WEBHOOK_UPDATE_ACKNOWLEDGED")
    assert webhook_with_code(received, "WEBHOOK_UPDATE_ACKNOWLEDGED")["new_webhook_url"] == HOOK
    live.call("/transactions/refresh", access_token=token)
    wait_for_codes("WEBHOOK_UPDATE_ACKNOWLEDGED", "SYNC_UPDATES_AVAILABLE", "TRANSACTIONS_REMOVED",
           "DEFAULT_UPDATE")  # fmt: skip
    changes, _ = live.sync_all(token, cursor)
    removed = [row["transaction_id"] for row in changes["removed"]]
    assert webhook_with_code(received, "TRANSACTIONS_REMOVED")["removed_transactions"] == removed
    assert webhook_with_code(received, "DEFAULT_UPDATE")["new_transactions"] == len(
        changes["added"]
    )


@pytest.mark.parametrize(
    ("change", "code", "fields"),
    [
        ({"login_repaired": True}, "LOGIN_REPAIRED", {}),
        ({"new_account": {}}, "NEW_ACCOUNTS_AVAILABLE", {"error": None}),
        (
            {"consent_expires": "2026-03-22T12:00:00Z"},
            "PENDING_EXPIRATION",
            {"consent_expiration_time": "2026-03-22T12:00:00Z"},
        ),
        (
            {"consent_expires": "2026-03-22T12:00:00Z", "reason": "INSTITUTION_MIGRATION"},
            "PENDING_DISCONNECT",
            {"disconnect_time": "2026-03-22T12:00:00Z", "reason": "INSTITUTION_MIGRATION"},
        ),
    ],
)
def test_what_happens_at_the_bank_is_announced(
    live, received, wait_for_codes, change, code, fields
):
    token = live.link(("auth",), webhook=HOOK)
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    Control(live.url).change(item_id, **change)
    wait_for_codes(code)
    assert webhook_with_code(received, code) == {
        "webhook_type": "ITEM",
        "webhook_code": code,
        "item_id": item_id,
        "environment": "sandbox",
        **fields,
    }


def test_errors_and_revocations_are_announced(live, received, wait_for_codes):
    token = live.link(("auth",), webhook=HOOK)
    control = Control(live.url)
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    account = live.call("/accounts/get", access_token=token)["accounts"][0]["account_id"]
    control.change(item_id, revoke_account=account)
    control.change(item_id, error="ITEM_LOCKED")
    control.change(item_id, error="ITEM_NOT_FOUND")  # Plaid sends nothing about an unknown Item
    control.change(item_id, revoke=True)
    wait_for_codes("ERROR", "USER_ACCOUNT_REVOKED", "USER_PERMISSION_REVOKED")
    error = webhook_with_code(received, "ERROR")["error"]
    assert (error["error_code"], error["status"]) == ("ITEM_LOCKED", 400)
    assert webhook_with_code(received, "USER_ACCOUNT_REVOKED")["account_id"] == account
    error = webhook_with_code(received, "USER_PERMISSION_REVOKED")["error"]
    assert (error["error_type"], error["error_code"]) == ("ITEM_ERROR", "USER_PERMISSION_REVOKED")


def test_reset_login_sends_an_error(live, received, wait_for_codes):
    token = live.link(webhook=HOOK)
    live.call("/sandbox/item/reset_login", access_token=token)
    wait_for_codes("ERROR")
    webhook = webhook_with_code(received, "ERROR")
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
def test_fields_of_every_code(live, received, wait_for_codes, code, kind, fields):
    token = live.link(("transactions", "assets"), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code=code)
    wait_for_codes(code)
    webhook = webhook_with_code(received, code)
    assert webhook["webhook_type"] == kind
    common = {"webhook_type", "webhook_code", "item_id", "environment"}
    assert set(webhook) - common == fields


@pytest.mark.parametrize(
    ("kind", "product", "model"),
    [
        ("TRANSACTIONS", "transactions", DefaultUpdateWebhook),
        ("HOLDINGS", "investments", HoldingsDefaultUpdateWebhook),
        ("INVESTMENTS_TRANSACTIONS", "investments", InvestmentsDefaultUpdateWebhook),
        ("LIABILITIES", "liabilities", LiabilitiesDefaultUpdateWebhook),
    ],
)
def test_default_updates_have_the_fields_of_their_kind(
    live, received, wait_for_codes, kind, product, model
):
    token = live.link(("auth", product), webhook=HOOK)
    fired = {"webhook_code": "DEFAULT_UPDATE", "webhook_type": kind}
    live.call("/sandbox/item/fire_webhook", access_token=token, **fired)
    wait_for_codes("DEFAULT_UPDATE")
    webhook = webhook_with_code(received, "DEFAULT_UPDATE")
    validate_and_convert_types(webhook, (model,), [], True, True, live.api_client.configuration)
    assert ("new_transactions" in webhook) == (kind == "TRANSACTIONS")


def test_a_webhook_is_retried_until_it_is_accepted(serve, receiver, received, eventually):
    live = serve(webhook_retry=(30, 120))
    answers = [{"status_code": 500}, {"exc": requests.ConnectTimeout}, {"status_code": 200}]
    receiver.post(HOOK, answers)
    token = live.link(("auth",), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    eventually(lambda: len(received()) == 1)
    wait_for_failed_attempts(live, eventually, attempts=1)
    for wait, count in ((30, 2), (120, 3)):
        live.clock.advance(wait - 1)
        assert seconds_until_retry(live) == 1
        live.clock.advance(1)
        eventually(lambda count=count: len(received()) == count)
        if count < 3:
            wait_for_failed_attempts(live, eventually, attempts=count)
    eventually(lambda: seconds_until_retry(live) is None)
    assert len({request.body for request in received()}) == 1


ALL_CODES = ["INITIAL_UPDATE", "SYNC_UPDATES_AVAILABLE", "HISTORICAL_UPDATE",
             "SYNC_UPDATES_AVAILABLE", "RECURRING_TRANSACTIONS_UPDATE"]  # fmt: skip


def link_and_collect(live, received, eventually, count):
    """Link Items and return the codes of their webhooks, in order of arrival, for each Item."""
    for _ in range(count):
        live.call("/transactions/sync", access_token=live.link(webhook=HOOK))
    live.clock.advance(HISTORICAL_DELAY)
    eventually(lambda: len(received()) == count * len(ALL_CODES))
    by_item = {}
    for request in received():
        body = json.loads(request.body)
        by_item.setdefault(body["item_id"], []).append(body["webhook_code"])
    return list(by_item.values())


def test_webhooks_of_an_item_arrive_in_order(live, receiver, received, eventually):
    receiver.post(HOOK, text=slow_answer())
    assert link_and_collect(live, received, eventually, 6) == [ALL_CODES] * 6


def test_webhooks_arrive_in_any_order_on_request(serve, received, eventually):
    live = serve(shuffle_webhooks=True)
    arrived = link_and_collect(live, received, eventually, 6)
    assert any(codes != ALL_CODES for codes in arrived)
    assert [sorted(codes) for codes in arrived] == [sorted(ALL_CODES)] * 6


def test_a_webhook_that_failed_does_not_hold_up_the_next(live, receiver, received, eventually):
    receiver.post(HOOK, [{"status_code": 500}, {"status_code": 200}])
    token = live.link(("auth",), webhook=HOOK)
    for code in ("LOGIN_REPAIRED", "NEW_ACCOUNTS_AVAILABLE"):
        live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code=code)
    eventually(lambda: len(received()) == 2)
    codes = [json.loads(request.body)["webhook_code"] for request in received()]
    assert codes == ["LOGIN_REPAIRED", "NEW_ACCOUNTS_AVAILABLE"]


class SlowReceiver:
    """A server that answers no webhook until `release` is called."""

    def __init__(self):
        self.bodies, self._released = [], threading.Event()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def _answer(self, environ, start_response):
        self.bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self._released.wait(30)
        start_response("200 OK", [])
        return []

    def release(self):
        self._released.set()

    def close(self):
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_webhook_is_sent_once_however_far_the_clock_moves_meanwhile(live, eventually):
    with contextlib.closing(SlowReceiver()) as receiver:

        def fire():
            token = live.link(("auth",), webhook=receiver.url)
            path = "/sandbox/item/fire_webhook"
            live.call(path, access_token=token, webhook_code="LOGIN_REPAIRED")

        fire()
        eventually(lambda: len(receiver.bodies) == 1)
        live.clock.advance(3600)
        fire()
        eventually(lambda: len(receiver.bodies) > 1)
        receiver.release()
        eventually(lambda: not rows_of(live, "delivery"))
        assert len(receiver.bodies) == len(set(receiver.bodies)) == 2


def slow_answer():
    """Answer each webhook more slowly than the next is sent, so that order does not come free."""
    waits = itertools.cycle((0.02, 0.0, 0.01))

    def answer(request, context):
        time.sleep(next(waits))
        return ""

    return answer


def test_a_webhook_is_dropped_after_the_last_retry(serve, receiver, received, eventually):
    live = serve(webhook_retry=(30,))
    receiver.post(HOOK, status_code=302, headers={"Location": HOOK})
    token = live.link(("auth",), webhook=HOOK)
    live.call("/sandbox/item/fire_webhook", access_token=token, webhook_code="LOGIN_REPAIRED")
    wait_for_failed_attempts(live, eventually, attempts=1)
    live.clock.advance(30)
    eventually(lambda: seconds_until_retry(live) is None)
    assert len(received()) == 2


def test_a_removed_item_sends_no_webhooks(live, received, eventually):
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


def seconds_until_retry(live):
    """Return the seconds until the only delivery is retried, or None if there is none."""
    rows = rows_of(live, "delivery")
    return round(rows[0]["due"] - live.app.extensions["sandbox"].now()) if rows else None


def wait_for_failed_attempts(live, eventually, attempts):
    """Wait until the sandbox has recorded this many failed attempts."""
    eventually(lambda: [row["attempts"] for row in rows_of(live, "delivery")] == [attempts])
