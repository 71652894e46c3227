"""The banner: on every page, the one connection that most needs the person, and how to help it."""

import pytest

from plaidapp.bank.error_sentences import MEANINGS
from plaidapp.extensions import db
from plaidapp.store import Item, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, state_changes
from plaidapp.store.people import users
from tests.pages import Page

PATHS = (
    *("/finance/", "/finance/items", "/finance/transactions", "/finance/recurring"),
    "/finance/spending",
    *("/finance/items/2/unread", "/finance/transactions/{row}", "/finance/items/{item}"),
)


@pytest.fixture
def set_state(app):
    def change(item_id, state, code=None):
        message = MEANINGS[code].sentence if code else None
        with app.app_context():
            state_changes.set_state(item_id, state, code, message)
            users.ledger_changed(db.session.get_one(Item, item_id).user_id)
            db.session.commit()

    return change


@pytest.fixture
def another(app, connected):
    """A second connection of the same person, at Chase."""
    with app.app_context():
        item = items.add(
            user_id=connected.id,
            plaid_item_id="another",
            institution_name="Chase",
            access_token=b"t",
            update_status=item_states.COMPLETE,
            synced_at=now(),
        )
        db.session.commit()
        return item.id


def banners(person, path):
    page = Page(person.client.get(path).text)
    return [text for _, text in page.find_all(**{"class": "attention"})]


def test_it_is_on_every_page_until_the_connection_works(app, connected, another, set_state):
    with app.app_context():
        row = db.session.scalars(db.select(Transaction.id)).first()
    paths = [path.format(row=row, item=another) for path in PATHS]
    assert [banners(connected, path) for path in paths] == [[]] * len(paths)

    set_state(another, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
    for path in paths:
        (text,) = banners(connected, path)
        assert text.startswith("Chase needs you to log in. Nothing new since "), path
        assert text.endswith("UTC. Log in again"), path

    set_state(another, item_states.GOOD)
    assert [banners(connected, path) for path in paths] == [[]] * len(paths)


def test_it_names_the_most_urgent_and_counts_the_others(connected, another, set_state):
    set_state(1, item_states.NEW_ACCOUNTS)
    (text,) = banners(connected, "/finance/")
    assert text.startswith("First Platypus Bank has new accounts to share.")
    assert text.endswith("Choose accounts")

    set_state(another, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
    (text,) = banners(connected, "/finance/")
    assert text.startswith("Chase needs you to log in.")
    assert "1 more needs you" in text

    (text,) = banners(connected, "/finance/items/1")  # on its own page, a connection comes first
    assert text.startswith("First Platypus Bank has new accounts to share.")


def test_what_the_person_cannot_help_is_not_in_it(connected, set_state):
    set_state(1, item_states.ERROR, "INVALID_API_KEYS")
    assert banners(connected, "/finance/") == []
    set_state(1, item_states.DISCONNECTED)
    assert banners(connected, "/finance/") == []


def test_it_updates_itself(connected, another, set_state):
    path = Page(connected.client.get("/finance/items/1/unread").text).find(id="attention")[0][
        "hx-get"
    ]
    assert connected.htmx("GET", path).status_code == 204

    set_state(another, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
    changed = connected.htmx("GET", path)
    assert "Chase needs you to log in." in changed.text
    assert "<html" not in changed.text

    for page in ("/finance/", "/finance/items", "/finance/items/1", "/finance/spending"):
        shown = Page(connected.client.get(page).text)
        assert "hx-get" not in shown.find(id="attention")[0]  # the page's own poll brings it
        (poll,) = {
            element["hx-get"]
            for _, element, _ in shown.elements
            if "hx-get" in element and "every 2s" in (element["hx-trigger"] or "")
        }
        set_state(another, item_states.GOOD)
        assert 'class="attention"' not in connected.htmx("GET", poll).text
        set_state(another, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
        assert 'class="attention"' in connected.htmx("GET", poll).text


def test_it_costs_one_query_and_none_on_the_overview(connected, set_state, statements):
    """The overview reads all connections anyway."""
    set_state(1, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
    for path, queries in (("/finance/", 0), ("/finance/items", 1), ("/finance/transactions", 1)):
        statements.clear()
        assert 'class="attention"' in connected.client.get(path).text
        assert len([each for each in statements if "item.state IN" in each]) == queries


def test_another_persons_connection_is_not_in_it(connected, charlie, set_state):
    set_state(1, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
    assert banners(charlie, "/finance/") == []
    assert charlie.htmx("GET", "/finance/attention?item=1").text.count("needs you") == 0
