"""Every line about the state of a connection is true, and an empty list says why it is empty."""

from datetime import timedelta

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.pages import Page

DOWN = "The bank is down right now."
COMPLETE = {"update_status": item_states.COMPLETE}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STATES = {  # the fields of an Item, its line, and the page's line at the top
    "connected just now": (
        lambda t: {},
        "Connected. Your transactions are on their way.",
        "Connecting",
    ),
    "the first sync failed": (
        lambda t: {"failing_since": t, "failing_message": DOWN},
        f"{DOWN} Trying again automatically.",
        "Tartan Bank can't be updated",
    ),
    "a later sync failed": (
        lambda t: COMPLETE | {"synced_at": t - HOUR, "failing_since": t, "failing_message": DOWN},
        f"{DOWN} Trying again automatically. Last updated",
        "Tartan Bank can't be updated",
    ),
    "preparing without rows": (
        lambda t: {"update_status": "NOT_READY", "synced_at": t, "preparing_since": t},
        "Still preparing since today at",
        "Importing",
    ),
    "preparing, and never synced": (
        lambda t: {"preparing_since": t},
        "Still preparing since today at",
        "Importing",
    ),
    "unknown status, from before it was recorded since when": (
        lambda t: {"update_status": "TRANSACTIONS_UPDATE_STATUS_UNKNOWN", "synced_at": t},
        "Still preparing since today at",
        "Importing",
    ),
    "current": (lambda t: COMPLETE | {"synced_at": t}, "Up to date. Last updated", "Up to date"),
    "a request is open": (
        lambda t: COMPLETE | {"synced_at": t, "sync_requested": 1},
        "Updating. Last updated",
        "Updating",
    ),
    "nothing has synced it for days": (
        lambda t: COMPLETE | {"synced_at": t - policy.CURRENT_FOR - HOUR},
        "Last updated",
        "Not up to date",
    ),
    "without transactions": (
        lambda t: {"sync_refusal": "PRODUCTS_NOT_SUPPORTED"},
        "This bank provides balances, but no transactions.",
        "Balances only",
    ),
    "needs a log-in": (
        lambda t: {"state": item_states.LOGIN_REQUIRED, "error_message": "The bank needs you."},
        "The bank needs you.",
        "Tartan Bank needs you to log in",
    ),
}


@pytest.fixture
def become(app, alice):
    """Make Alice's only connection be as `fields` say."""

    def change(fields):
        with app.app_context():
            item = db.session.get(Item, 1)
            if item:
                db.session.delete(item)
                db.session.flush()
            made = {"institution_name": "Tartan Bank", "plaid_item_id": "i", "access_token": b""}
            item = Item(id=1, user_id=alice.id, **made | fields(now()))
            db.session.add(item)
            users.ledger_changed(alice.id)
            db.session.commit()

    return change


def test_the_line_of_a_connection_and_of_the_page_are_true(alice, become, subtests):
    for name, (fields, line, top) in STATES.items():
        with subtests.test(name):
            become(fields)
            for path in ("/finance/items", "/finance/items/1", "/finance/"):
                page = Page(alice.client.get(path).text)
                assert line in page.text, path
                if name != "current":
                    assert "Up to date" not in page.text
            assert page.find(id="freshness")[1] == top


EMPTY = {
    "connected just now": "Your transactions are on their way",
    "the first sync failed": f"Tartan Bank has sent no transactions yet {DOWN}",
    "preparing without rows": "Tartan Bank is still preparing them.",
    "current": "Tartan Bank has no transactions in your accounts.",
    "without transactions": "Tartan Bank provides balances, but no transactions.",
    "needs a log-in": "Tartan Bank has sent no transactions The bank needs you.",
}


def test_an_empty_list_says_why(alice, become, subtests):
    assert (
        "Connect a bank to see your transactions." in alice.client.get("/finance/transactions").text
    )
    for name, reason in EMPTY.items():
        become(STATES[name][0])
        for path, place in (("/finance/transactions", "results"), ("/finance/", "latest")):
            with subtests.test(name, path=path):
                assert reason in Page(alice.client.get(path).text).find(id=place)[1]


def test_figures_say_so_far_until_the_history_is_complete(app, connected):
    def shown(path, place):
        return Page(connected.client.get(path).text).find(id=place)[1]

    assert "so far" not in shown("/finance/", "main")
    assert shown("/finance/transactions", "tally").startswith("3 transactions In")
    with app.app_context():
        item = db.session.get(Item, 1)
        item.update_status, item.preparing_since = item_states.RECENT, now()
        db.session.commit()

    assert shown("/finance/", "summary").endswith("3 transactions so far.")
    assert shown("/finance/", "net-worth").startswith("Net worth so far")
    assert "Cash flow so far" in shown("/finance/", "cash-flow")
    assert shown("/finance/transactions", "tally").startswith("3 transactions so far")
    for path, place in (("/finance/items", "bank-1"), ("/finance/items/1", "item")):
        assert "Still preparing since today at" in shown(path, place)
        assert "3 transactions so far." in shown(path, place)


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        (
            kinds.TRANSACTIONS,
            {"started_over": True, "added": 1},
            "1 new. Everything was read again, because the bank no longer knew where the last sync"
            " had ended",
        ),
        (
            kinds.ACCOUNTS,
            {"accounts": 2, "refusal": "INVALID_FIELD"},
            "2 accounts, with the balances that Plaid had stored",
        ),
        (
            kinds.RECURRING,
            {"refusal": "PRODUCT_NOT_ENABLED"},
            "This bank does not provide recurring payments",
        ),
        (
            kinds.TRANSACTIONS,
            {"refusal": "PRODUCT_NOT_ENABLED"},
            "This bank provides no transactions",
        ),
        (
            kinds.TRANSACTIONS,
            {"phase": pulls.PREPARING},
            "Nothing new. The bank is still preparing",
        ),
    ],
)
def test_the_sync_history_and_the_panel_say_what_happened(app, alice, pull, kind, fields, text):
    pull_id = pull(pulls.DONE, kind, phase=pulls.DONE)
    with app.app_context():
        part = db.session.scalars(db.select(PullItem)).one()
        for name, value in fields.items():
            setattr(part, name, value)
        db.session.commit()
    page = Page(alice.client.get("/finance/items/1").text)
    assert text in page.find(**{"class": "rows history"})[1]
    if kind == kinds.ACCOUNTS:
        assert text in alice.client.get(f"/finance/pulls/{pull_id}").text
    if "refusal" in fields:
        assert fields["refusal"] in page.text
