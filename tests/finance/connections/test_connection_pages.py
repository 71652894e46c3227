"""The page of the connections: every bank, its state in a sentence, what it holds."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.connections import items
from plaidapp.store.people import users
from tests.pages import Page

PATH = "/finance/items"


@pytest.fixture
def set_state(app):
    def change(state, sentence=None):
        with app.app_context():
            item = db.session.get(Item, 1)
            items.set_state(item.id, state, "ITEM_LOGIN_REQUIRED" if sentence else None, sentence)
            users.ledger_changed(item.user_id)
            db.session.commit()

    return change


def poll_of(html):
    return Page(html).find(id="banks")[0]["hx-get"]


def test_without_a_bank_it_says_what_will_be_here(alice):
    page = Page(alice.client.get(PATH).text)

    assert "No connections yet" in page.text
    assert page.has(id="connect-form")


def test_a_bank_stands_there_with_its_accounts_and_its_last_news(connected):
    page = Page(connected.client.get(PATH).text)

    attributes, said = page.find(id="bank-1")
    assert attributes["data-item-state"] == "good"
    assert "First Platypus Bank" in said
    assert "Up to date. Last updated today" in said
    assert "320.76" in said
    assert page.has(action="/finance/items/1/sync")
    assert page.has(href="/finance/items/1")


def test_trouble_is_a_sentence_and_the_code_is_elsewhere(connected, set_state):
    set_state(items.LOGIN_REQUIRED, "The bank needs you to log in again.")

    _, said = Page(connected.client.get(PATH).text).find(id="bank-1")

    assert "The bank needs you to log in again. Last updated today" in said
    assert "ITEM_LOGIN_REQUIRED" not in said
    assert "ITEM_LOGIN_REQUIRED" in connected.client.get("/finance/items/1").text


def test_a_permission_that_was_taken_back_offers_to_connect_again(connected, set_state):
    set_state(items.REVOKED, "You revoked access to this bank.")

    page = Page(connected.client.get(PATH).text)

    assert not page.has(action="/finance/items/1/sync")
    assert page.find(href="/finance/items#connect")[1] == "Connect again"


def test_a_closed_account_is_left_out(app, connected):
    with app.app_context():
        account = db.session.scalars(db.select(Account).order_by(Account.id.desc())).first()
        account.closed_at = account.updated_at
        db.session.commit()

    assert "320.76" not in Page(connected.client.get(PATH).text).find(id="bank-1")[1]


def test_the_banks_are_sent_when_they_changed_and_only_then(connected, set_state):
    poll = poll_of(connected.client.get(PATH).text)
    unchanged = connected.htmx("GET", poll)
    assert (unchanged.status_code, unchanged.data) == (204, b"")

    set_state(items.LOGIN_REQUIRED, "The bank needs you to log in again.")
    changed = connected.htmx("GET", poll)

    assert "needs you to log in again" in changed.text
    assert "<html" not in changed.text
    assert Page(changed.text).find(id="activity")[1]  # what was asked in another tab
    assert connected.htmx("GET", poll_of(changed.text)).status_code == 204


def test_an_open_connection_hears_of_changes(connected, set_state):
    page = connected.client.get("/finance/items/1").text
    poll = Page(page).find(id="item")[0]["hx-get"]
    unchanged = connected.htmx("GET", poll)
    assert (unchanged.status_code, unchanged.data) == (204, b"")

    set_state(items.LOGIN_REQUIRED, "The bank needs you to log in again.")
    changed = connected.htmx("GET", poll)

    assert "needs you to log in again" in changed.text
    assert "<html" not in changed.text
    assert connected.htmx("GET", Page(changed.text).find(id="item")[0]["hx-get"]).status_code == 204


def test_a_strangers_banks_are_not_among_them(connected, charlie):
    for answer in (charlie.client.get(PATH), charlie.htmx("GET", f"{PATH}?revision=x")):
        assert answer.status_code == 200
        assert not Page(answer.text).has(id="bank-1")


def test_the_bar_marks_the_page_and_what_is_below_it(connected):
    for path, current in ((PATH, "page"), ("/finance/items/1", "true")):
        page = Page(connected.client.get(path).text)
        assert page.find(**{"aria-current": current})[1] == "Connections"
