"""What a person reads when something happens at their bank: the sandbox makes it happen."""

from datetime import UTC, datetime, timedelta

import pytest

from plaidapp import policy
from plaidapp.bank.error_sentences import MEANINGS, Remedy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Institution, Item
from plaidapp.store.connections import bank_status
from sandbox import error_catalog
from tests.pages import Page
from tests.sandbox_control import Control

NO_ROWS = "This bank provides balances, but no transactions."
SAID = {  # where a page says something else than the sentence of the code
    "ITEM_LOGIN_REQUIRED": "First Platypus Bank needs you to log in.",
    "PRODUCT_NOT_ENABLED": NO_ROWS,
    "PRODUCTS_NOT_SUPPORTED": NO_ROWS,
    "PRODUCT_NOT_READY": "Importing",
}
OFFERED = {
    Remedy.WAIT: "sync",
    Remedy.LOG_IN: "log_in",
    Remedy.CHOOSE_ACCOUNTS: "choose_accounts",
    Remedy.CONNECT: "connect",
    Remedy.OPERATOR: None,
    Remedy.NONE: None,
}


@pytest.fixture
def control(bank_server):
    return Control(bank_server.url)


@pytest.fixture
def item_id(app, connected):
    with app.app_context():
        return db.session.get_one(Item, 1).plaid_item_id


@pytest.fixture
def sync(connected, work_due):
    def once():
        connected.client.post("/finance/items/1/sync")
        work_due()

    return once


@pytest.fixture
def said(connected):
    """What accounts.json says of the connection."""
    return lambda: connected.client.get("/finance/accounts.json").json["accounts"][0]["item"]


def test_each_error_of_an_item_or_a_bank_has_its_sentence_on_the_page(
    connected, control, item_id, sync, said, subtests
):
    for code in (*error_catalog.ITEM, *error_catalog.INSTITUTION):
        with subtests.test(code):
            control.change(item_id, error=code)
            sync()
            sentence = SAID.get(code, MEANINGS[code].sentence)
            page = Page(connected.client.get("/finance/items/1").text)
            assert sentence in page.texts_of("body")[0]
            told = said()
            assert sentence in told["sentence"]
            if code not in SAID:
                assert told["button"] == OFFERED[MEANINGS[code].remedy]
            control.change(item_id, error=None)
            sync()
            assert said()["color"] != "bad", said()


@pytest.fixture
def arrived(control, item_id, tell, app):
    """Deliver the webhook that the sandbox would send: it has no address of this app."""

    def deliver(code, **fields):
        with app.app_context():
            item = db.session.get_one(Item, 1)
        tell(item, "ITEM", code, **fields)

    return deliver


def test_each_announcement_is_a_state(connected, control, item_id, arrived, said, work_due):
    soon = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    arrived("PENDING_EXPIRATION", consent_expiration_time=soon)
    assert (said()["state"], said()["button"]) == ("expiring", "log_in")
    assert "stops sharing data on" in said()["sentence"]
    arrived("PENDING_DISCONNECT", disconnect_time=soon, reason="INSTITUTION_MIGRATION")
    assert "is changing how it shares data" in said()["sentence"]
    arrived("LOGIN_REPAIRED")
    work_due()
    assert (said()["state"], said()["standing"]) == ("good", "current")

    arrived("NEW_ACCOUNTS_AVAILABLE")
    assert (said()["state"], said()["button"]) == ("new_accounts", "choose_accounts")
    arrived("USER_PERMISSION_REVOKED")
    assert (said()["state"], said()["button"]) == ("revoked", "log_in")


@pytest.fixture
def change(app):
    def write(**values):
        with app.app_context():
            db.session.execute(db.update(Item).values(**values))
            db.session.commit()

    return write


@pytest.fixture
def asks_plaid(change):
    """It is time to ask Plaid about the connection."""
    long_ago = datetime.now(UTC) - 2 * policy.STATUS_INTERVAL
    return lambda: change(status_read_at=None, created_at=long_ago)


def test_a_silent_bank_is_not_one_that_has_nothing_new(
    connected, control, item_id, sync, said, asks_plaid, change
):
    sync()
    asks_plaid()
    sync()
    assert "The bank last delivered data today" in said()["sentence"]
    assert said()["bank_last_updated"]

    since = datetime.now(UTC) - policy.SILENT_AFTER - timedelta(hours=1)
    control.change(item_id, silent_since=since.isoformat())
    asks_plaid()
    sync()
    assert said()["standing"] == "current"  # a sync has brought rows since

    change(changed_at=since - timedelta(days=1))
    assert said()["standing"] == "silent"
    assert "First Platypus Bank has been silent since" in said()["sentence"]


def test_consent_that_ends_is_found_without_a_webhook(
    connected, control, item_id, sync, said, asks_plaid
):
    soon = datetime.now(UTC) + timedelta(days=5)
    control.change(item_id, consent_expires=soon.isoformat())
    asks_plaid()
    sync()
    assert said()["state"] == "expiring"
    assert "stops sharing data on" in said()["sentence"]

    control.change(item_id, consent_expires=(soon + timedelta(days=90)).isoformat())
    asks_plaid()
    sync()
    assert said()["state"] == "good"


def test_an_error_and_its_end_are_found_without_a_webhook(
    app, connected, control, item_id, said, work_due
):
    for error, state in (("ITEM_LOCKED", "error"), (None, "good")):
        control.change(item_id, error=error)
        with app.app_context():
            item_requests.status(db.session.get_one(Item, 1))
            db.session.commit()
        work_due()
        assert said()["state"] == state


def test_a_question_that_plaid_refuses_does_not_mark_a_connection_that_works(
    app, connected, bank_server, said, work_due, change, subtests
):
    refusal = {"kind": "error", "status": 400, "error_type": "INVALID_REQUEST"}
    for path, code in (
        ("/item/get", "A_NEW_CODE"),
        ("/institutions/get_by_id", "UNAUTHORIZED_INSTITUTION"),
    ):
        with subtests.test(path):
            change(failing_since=datetime.now(UTC))
            bank_server.misbehave(**refusal, path=path, error_code=code)
            with app.app_context():
                item_requests.status(db.session.get_one(Item, 1))
                db.session.commit()
            work_due()
            assert bank_server.faults.rulebook.report()["calls"][path]
            assert said()["state"] == "good"


def test_an_error_that_passes_is_not_one_that_lasts(
    app, connected, control, item_id, sync, said, work_due
):
    control.change(item_id, error="INSTITUTION_DOWN")
    with app.app_context():
        item_requests.status(db.session.get_one(Item, 1))
        db.session.commit()
    work_due()
    assert (said()["state"], said()["standing"]) == ("good", "bank_down")

    control.change(item_id, error=None)
    sync()
    assert said()["standing"] == "current"


def test_the_operators_error_ends_without_a_click(
    app, connected, bank_server, said, sync, work_due, change
):
    refusal = {"kind": "error", "status": 400, "error_type": "INVALID_INPUT"}
    bank_server.misbehave(**refusal, path="/transactions/sync", error_code="INVALID_API_KEYS")
    sync()
    assert (said()["standing"], said()["button"]) == ("operator", None)
    assert "Trying again automatically." in said()["sentence"]

    bank_server.faults.rulebook.clear()
    change(next_look=datetime.now(UTC), swept_at=datetime.now(UTC) - timedelta(hours=1))
    with app.app_context():
        clock.ask_for_neglected()
    work_due()
    assert said()["standing"] == "current"


def test_whether_a_bank_works_is_asked_rarely(
    app, connected, control, item_id, bank_server, sync, said, change
):
    def calls():
        return bank_server.faults.rulebook.report()["calls"].get("/institutions/get_by_id", 0)

    before = calls()
    bank_server.misbehave(kind="error", path="/transactions/sync", status=500, **BROKEN)
    with control.bank("ins_109508", "DOWN"):
        sync()
        assert said()["standing"] == "failing"
        long_ago = datetime.now(UTC) - 2 * policy.STATUS_INTERVAL
        change(failing_since=long_ago, created_at=long_ago)
        for _ in range(3):
            sync()
    assert calls() == before + 1
    assert said()["standing"] == "bank_down"
    with app.app_context():
        bank = db.session.get_one(Institution, "ins_109508")
        assert bank.status == "DOWN"
        assert not bank_status.claim_bank("ins_109508", None)


BROKEN = {"error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR"}


def test_a_limit_says_until_when(connected, bank_server, sync, said):
    limit = {"error_type": "RATE_LIMIT_EXCEEDED", "error_code": "TRANSACTIONS_SYNC_LIMIT"}
    bank_server.misbehave(kind="error", path="/transactions/sync", status=429, **limit)
    sync()
    assert said()["standing"] == "rate_limited"
    assert "Plaid is limiting requests until" in said()["sentence"]
    assert said()["button"] is None
