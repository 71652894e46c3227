"""Logging in again and choosing accounts: update mode, from the banner's button to the new rows."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Item, Pull, StateChange
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, state_changes
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds
from tests.link_walker import walk
from tests.pages import Page
from tests.sandbox_control import Control

RECONNECT = "/finance/items/1/reconnect"
ERROR = "ITEM_LOGIN_REQUIRED"


@pytest.fixture
def read(app):
    def one():
        with app.app_context():
            return db.session.get_one(Item, 1, populate_existing=True)

    return one


@pytest.fixture
def control(bank_server):
    return Control(bank_server.url)


@pytest.fixture
def breaks(control, read, alice, work):
    """Something happens at the bank, and a sync meets it."""

    def change(**what):
        control.change(read().plaid_item_id, **what)
        alice.client.post("/finance/items/1/sync")
        work()

    return change


@pytest.fixture
def mended(alice, bank_server, work_due, panel):
    """The person walks through Link and comes back; return the panel then."""

    def walk_through(**walking):
        answer = alice.client.post(RECONNECT)
        assert answer.status_code == 303
        address = walk(answer.location, **walking)
        assert address
        page = Page(alice.client.get(urlsplit(address).path).text)
        work_due()
        (pull,) = [a["id"] for _, a, _ in page.elements if "data-state" in a]
        return panel(alice.htmx("GET", f"/finance/pulls/{pull.removeprefix('pull-')}"))

    return walk_through


@pytest.fixture
def one_bank(alice, connect):
    connect(alice)
    return alice


@pytest.mark.both_databases
def test_logging_in_again_ends_the_error_and_syncs(app, one_bank, breaks, mended, read):
    breaks(error=ERROR)
    assert read().state == item_states.LOGIN_REQUIRED
    assert "needs you to log in." in one_bank.client.get("/finance/").text
    before = read().synced_at

    shown = mended()

    assert shown.state == "done", shown.text
    assert (read().state, read().error_code) == ("good", None)
    assert read().synced_at > before
    assert "needs you to log in." not in one_bank.client.get("/finance/").text
    with app.app_context():
        assert db.session.query(Item).count() == 1
    assert states(app) == ["login_required", "good"]


def test_a_canceled_repair_changes_nothing_and_says_so(one_bank, breaks, mended, read, bank_server):
    breaks(error=ERROR)
    before = bank_server.faults.rulebook.report()["calls"]["/transactions/sync"]

    shown = mended(cancel_at="credentials")

    assert shown.state == "failed"
    assert "You left Plaid before you were done. Nothing has changed." in shown.text
    assert read().state == item_states.LOGIN_REQUIRED
    assert bank_server.faults.rulebook.report()["calls"]["/transactions/sync"] == before
    assert mended().state == "done"
    assert read().state == "good"


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (item_states.EXPIRING, {"expiry_reason": "INSTITUTION_MIGRATION"}),
        (item_states.NEW_ACCOUNTS, {}),
        (item_states.ERROR, {"error_code": "ITEM_LOCKED"}),
        (item_states.REVOKED, {"error_code": "PASSWORD_RESET_REQUIRED"}),
    ],
)
def test_each_state_that_asks_for_it_is_over_afterwards(
    app, one_bank, mended, state, fields, read, control
):
    if "error_code" in fields:
        control.change(read().plaid_item_id, error=fields["error_code"])
    with app.app_context():
        item = db.session.get_one(Item, 1)
        item.state = state
        for name, value in fields.items():
            setattr(item, name, value)
        db.session.commit()

    assert mended(cancel_at="credentials" if state != "new_accounts" else "accounts").state == (
        "failed"
    )
    assert read().state == state
    shown = mended()
    assert shown.state == "done", shown.text
    assert (read().state, read().error_code, read().expiry_reason) == ("good", None, None)


def test_it_has_succeeded_if_plaid_shows_no_error_even_if_the_person_left(
    one_bank, breaks, mended, read, control
):
    breaks(error=ERROR)
    control.change(read().plaid_item_id, error=None)  # repaired elsewhere

    assert mended(cancel_at="credentials").state == "done"
    assert read().state == "good"


def test_an_old_log_in_ends_no_later_error(app, one_bank, breaks, mended, read, work_due):
    """The page of the return is loaded once more."""
    breaks(error=ERROR)
    assert mended().state == "done"
    breaks(error=ERROR)

    one_bank.client.get("/finance/connections/1")
    work_due()

    assert states(app) == ["login_required", "good", "login_required"]


def states(app):
    with app.app_context():
        return db.session.scalars(db.select(StateChange.state).order_by(StateChange.id)).all()


def names(app):
    with app.app_context():
        open_ones = db.select(Account.name).where(Account.closed_at.is_(None))
        return set(db.session.scalars(open_ones))


def test_accounts_are_added_and_removed(app, one_bank, breaks, mended, read, control):
    before = names(app)
    with app.app_context():
        state_changes.set_state(1, item_states.NEW_ACCOUNTS, "NEW_ACCOUNTS_AVAILABLE", None)
        db.session.commit()

    shown = mended(accounts=["0000"])  # the checking account alone

    assert shown.state == "done", shown.text
    assert names(app) == {"Plaid Checking"}

    assert mended(accounts=["0000", "1111"]).state == "done"  # a missing account: may choose again
    assert names(app) == {"Plaid Checking", "Plaid Saving"}
    assert names(app) < before


def test_accounts_can_be_chosen_while_plaid_limits_requests(app, one_bank, mended):
    """The button is offered then, so it must lead to the choice."""
    with app.app_context():
        limited = {
            "failing_since": now(),
            "failing_until": now() + timedelta(hours=1),
            "failing_code": "TRANSACTIONS_SYNC_LIMIT",
            "failing_message": "Plaid is limiting requests right now.",
        }
        db.session.execute(db.update(Item).values(limited))
        db.session.commit()
    page = Page(one_bank.client.get("/finance/items/1").text)
    assert "Choose accounts" in page.texts_of("button")

    mended(accounts=["0000"])

    assert names(app) == {"Plaid Checking"}


def test_an_account_that_the_bank_offers_later_is_added(app, one_bank, mended, read, control):
    control.change(read().plaid_item_id, new_account={})
    with app.app_context():
        state_changes.set_state(1, item_states.NEW_ACCOUNTS, "NEW_ACCOUNTS_AVAILABLE", None)
        users.ledger_changed(one_bank.id)
        db.session.commit()
        before = len(names(app))
    page = Page(one_bank.client.get("/finance/items/1").text)
    assert "Choose accounts" in page.texts_of("button")

    assert mended(accounts=None).state == "done"
    assert read().state == "good"
    assert len(names(app)) >= before


def test_a_permission_that_can_not_be_given_again_needs_a_new_connection(
    app, one_bank, mended, read, control
):
    control.change(read().plaid_item_id, revoke=True)
    with app.app_context():
        state_changes.set_state(1, item_states.REVOKED, "USER_PERMISSION_REVOKED", None)
        db.session.commit()
    assert "Log in again" in Page(one_bank.client.get("/finance/").text).texts_of("button")

    assert "Connect the bank again." in mended().text
    needs_a_new_connection(one_bank)


def needs_a_new_connection(person):
    page = Page(person.client.get("/finance/").text)
    assert "is no longer connected." in page.find(id="attention")[1]
    assert "Connect again" in page.texts_of("a")


def test_plaid_may_refuse_to_begin_a_repair(app, one_bank, bank_server):
    gone = {"status": 400, "error_type": "ITEM_ERROR", "error_code": "ITEM_NOT_FOUND"}
    bank_server.misbehave(kind="error", path="/link/token/create", **gone)
    with app.app_context():
        state_changes.set_state(1, item_states.LOGIN_REQUIRED, ERROR, None)
        db.session.commit()

    answer = one_bank.client.post(RECONNECT)

    assert (answer.status_code, "Connect the bank again." in answer.text) == (502, True)
    needs_a_new_connection(one_bank)


def test_an_ended_connection_can_not_be_repaired(app, one_bank):
    with app.app_context():
        items.forget_token(1)
        state_changes.set_state(1, item_states.REVOKED, None, None)
        db.session.commit()
    answer = one_bank.client.post(RECONNECT)
    assert answer.status_code == 422
    assert "Connect the bank again." in answer.text
    with app.app_context():
        assert not db.session.query(Pull).filter_by(kind=kinds.RECONNECT).count()


def test_plaid_is_asked_once_in_a_while_even_if_a_sync_is_open(
    one_bank, breaks, work_due, later, bank_server, read
):
    breaks(error=ERROR)
    assert read().is_behind
    one_bank.client.post(RECONNECT)
    later(seconds=11)
    work_due()

    assert bank_server.faults.rulebook.report()["calls"]["/link/token/get"] == 1
    assert "Waiting for you at Plaid." in one_bank.client.get("/finance/").text
