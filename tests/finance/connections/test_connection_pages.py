"""The pages of connections: every bank, its state in a sentence, and its accounts."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.connections import item_states, items, state_changes
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.pages import Page

PATH = "/finance/items"


@pytest.fixture
def set_state(app):
    def change(state, sentence=None):
        with app.app_context():
            item = db.session.get(Item, 1)
            state_changes.set_state(
                item.id, state, "ITEM_LOGIN_REQUIRED" if sentence else None, sentence
            )
            users.ledger_changed(item.user_id)
            db.session.commit()

    return change


def poll_of(html):
    return Page(html).find(id="banks")[0]["hx-get"]


def test_without_a_connection_the_page_explains_itself(alice):
    page = Page(alice.client.get(PATH).text)

    assert "No connections yet" in page.text
    assert page.has(id="connect-form")


def test_a_connection_has_its_accounts_and_its_last_update(connected):
    page = Page(connected.client.get(PATH).text)

    attributes, text = page.find(id="bank-1")
    assert attributes["data-item-state"] == "good"
    assert "First Platypus Bank" in text
    assert "Up to date. Last updated today" in text
    assert "320.76" in text
    assert page.has(action="/finance/items/1/sync")
    assert page.has(href="/finance/items/1")


def test_an_error_is_a_sentence_and_its_code_is_on_another_page(connected, set_state):
    set_state(item_states.LOGIN_REQUIRED, "The bank needs you to log in again.")

    page = Page(connected.client.get(PATH).text)

    assert "First Platypus Bank needs you to log in." in page.find(id="attention")[1]
    assert page.find(id="bank-1")[1].startswith("First Platypus Bank Last updated today")
    assert "ITEM_LOGIN_REQUIRED" not in page.text
    assert "ITEM_LOGIN_REQUIRED" in connected.client.get("/finance/items/1").text


def test_a_revoked_connection_is_repaired_unless_its_token_is_gone(app, connected, set_state):
    set_state(item_states.REVOKED, "You revoked access to this bank.")

    page = Page(connected.client.get(PATH).text)

    assert not page.has(action="/finance/items/1/sync")
    assert page.has(action="/finance/items/1/reconnect")

    with app.app_context():
        items.forget_token(1)
        db.session.commit()
    page = Page(connected.client.get(PATH).text)
    assert page.find(href="/finance/items#connect")[1] == "Connect again"


def test_a_closed_account_is_not_listed(app, connected):
    with app.app_context():
        account = db.session.scalars(db.select(Account).order_by(Account.id.desc())).first()
        account.closed_at = account.updated_at
        db.session.commit()

    assert "320.76" not in Page(connected.client.get(PATH).text).find(id="bank-1")[1]


def test_the_connections_are_sent_only_after_a_change(connected, set_state):
    poll = poll_of(connected.client.get(PATH).text)
    unchanged = connected.htmx("GET", poll)
    assert (unchanged.status_code, unchanged.data) == (204, b"")

    set_state(item_states.LOGIN_REQUIRED, "The bank needs you to log in again.")
    changed = connected.htmx("GET", poll)

    assert "needs you to log in." in changed.text
    assert "<html" not in changed.text
    assert Page(changed.text).find(id="activity")[1]  # a pull that was begun in another tab
    assert connected.htmx("GET", poll_of(changed.text)).status_code == 204


def test_the_page_of_a_connection_is_sent_again_after_a_change(connected, set_state):
    page = connected.client.get("/finance/items/1").text
    poll = Page(page).find(id="item")[0]["hx-get"]
    unchanged = connected.htmx("GET", poll)
    assert (unchanged.status_code, unchanged.data) == (204, b"")

    set_state(item_states.LOGIN_REQUIRED, "The bank needs you to log in again.")
    changed = connected.htmx("GET", poll)

    assert "needs you to log in." in changed.text
    assert "<html" not in changed.text
    assert connected.htmx("GET", Page(changed.text).find(id="item")[0]["hx-get"]).status_code == 204


def test_other_peoples_connections_are_not_listed(connected, charlie):
    for answer in (charlie.client.get(PATH), charlie.htmx("GET", f"{PATH}?revision=x")):
        assert answer.status_code == 200
        assert not Page(answer.text).has(id="bank-1")


def test_the_navigation_marks_the_section_of_the_page(connected):
    for path, current in ((PATH, "page"), ("/finance/items/1", "true")):
        page = Page(connected.client.get(path).text)
        assert page.find(**{"aria-current": current})[1] == "Connections"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (kinds.RECURRING, "Recurring payments checked"),
        (kinds.REMOVE, "Closed at the bank because you connected it again"),
        (kinds.TRANSACTIONS, "Nothing new"),
    ],
)
def test_the_sync_history_says_what_each_kind_of_pull_did(alice, pull, kind, text):
    pull(pulls.DONE, kind, phase=pulls.DONE, asked_by=pulls.CLOCK)
    assert text in alice.client.get("/finance/items/1").text
