"""Every line about the state of a connection is true, and an empty list says why it is empty."""

from datetime import timedelta

import pytest

from plaidapp import policy
from plaidapp.bank.error_sentences import MEANINGS
from plaidapp.bank.unread import ACCOUNT, STREAM, TRANSACTION, Unread
from plaidapp.extensions import db
from plaidapp.store import Account, Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.transactions import set_aside
from tests.pages import Page

DOWN = "The bank is down right now."
COMPLETE = {"update_status": item_states.COMPLETE}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SYNC, LOG_IN, CHOOSE, CONNECT = "Sync now", "Log in again", "Choose accounts", "Connect again"
CANNOT = "Tartan Bank can’t be updated"
NOT_CURRENT = "Not up to date"


def synced(t, **fields):
    return COMPLETE | {"synced_at": t} | fields


def failing(t, code, message=DOWN, **fields):
    return {"failing_since": t, "failing_code": code, "failing_message": message, **fields}


def wrong(code, **fields):
    """The fields of an Item with this final error."""
    error = {"error_code": code, "error_message": MEANINGS[code].sentence}
    return {"state": item_states.ERROR, **error, **fields}


STATES = {  # the fields of an Item; its sentence, color and button; and the page's line at the top
    "connected just now": (
        lambda t: {},
        "Connected. Your transactions are on their way.",
        ("", SYNC, "Connecting"),
    ),
    "the first sync failed": (
        lambda t: failing(t, "BANK_TIMEOUT"),
        f"{DOWN} Trying again automatically.",
        ("warn", SYNC, CANNOT),
    ),
    "a later sync failed": (
        lambda t: synced(t - HOUR, **failing(t, "BANK_TIMEOUT")),
        f"{DOWN} Trying again automatically. Last updated",
        ("warn", SYNC, CANNOT),
    ),
    "the bank is down": (
        lambda t: synced(t - HOUR, **failing(t, "INSTITUTION_DOWN")),
        f"{DOWN} Trying again automatically. Last updated",
        ("warn", SYNC, CANNOT),
    ),
    "Plaid limits requests until later": (
        lambda t: synced(t, **failing(t, "ITEM_GET_LIMIT", failing_until=t + HOUR)),
        "Plaid is limiting requests until",
        ("warn", None, CANNOT),
    ),
    "Plaid limited requests until a moment ago": (
        lambda t: synced(t, **failing(t, "RATE_LIMIT", failing_until=t - HOUR)),
        "Plaid is limiting requests right now. Trying again automatically. Last updated",
        ("warn", SYNC, CANNOT),
    ),
    "preparing without rows": (
        lambda t: {"update_status": "NOT_READY", "synced_at": t, "preparing_since": t},
        "Importing. Still preparing since ",
        ("", SYNC, "Importing"),
    ),
    "preparing, and never synced": (
        lambda t: {"preparing_since": t},
        "Importing. Still preparing since ",
        ("", SYNC, "Importing"),
    ),
    "unknown status, from before it was recorded since when": (
        lambda t: {"update_status": "TRANSACTIONS_UPDATE_STATUS_UNKNOWN", "synced_at": t},
        "Importing. Still preparing since ",
        ("", SYNC, "Importing"),
    ),
    "current": (synced, "Up to date. Last updated", ("good", SYNC, "Up to date")),
    "current, and the bank has delivered nothing new": (
        lambda t: synced(t, bank_updated_at=t - HOUR, changed_at=t - 40 * DAY),
        "Up to date. Last updated",
        ("good", SYNC, "Up to date"),
    ),
    "the bank is silent": (
        lambda t: synced(t, bank_updated_at=t - policy.SILENT_AFTER - HOUR, status_read_at=t),
        "Tartan Bank has been silent since",
        ("warn", SYNC, "Tartan Bank is silent"),
    ),
    "a request is open": (
        lambda t: synced(t, sync_requested=1),
        "Updating. Last updated",
        ("", SYNC, "Updating"),
    ),
    "nothing has synced it for days": (
        lambda t: synced(t - policy.CURRENT_FOR - HOUR),
        "Not up to date. Last updated",
        ("warn", SYNC, NOT_CURRENT),
    ),
    "without transactions": (
        lambda t: {"sync_refusal": "PRODUCTS_NOT_SUPPORTED"},
        "This bank provides balances, but no transactions.",
        ("", SYNC, "Balances only"),
    ),
    "needs a log-in": (
        lambda t: synced(t - 9 * DAY, **wrong("ITEM_LOGIN_REQUIRED", state="login_required")),
        "Tartan Bank needs you to log in. Nothing new since",
        ("warn", LOG_IN, NOT_CURRENT),
    ),
    "locked": (
        lambda t: wrong("ITEM_LOCKED"),
        "Tartan Bank needs you to log in. The bank has locked your account. Unlock it on the",
        ("warn", LOG_IN, NOT_CURRENT),
    ),
    "shares no accounts": (
        lambda t: wrong("NO_ACCOUNTS"),
        "Tartan Bank needs you to choose accounts. This log-in has no accounts to share.",
        ("warn", CHOOSE, NOT_CURRENT),
    ),
    "access ends on a day": (
        lambda t: synced(t, state=item_states.EXPIRING, consent_expires_at=t + 5 * DAY),
        "Tartan Bank stops sharing data on",
        ("warn", LOG_IN, "Up to date"),
    ),
    "access ends soon": (
        lambda t: synced(t, state=item_states.EXPIRING),
        "Tartan Bank stops sharing data soon. Log in again to keep the connection.",
        ("warn", LOG_IN, "Up to date"),
    ),
    "the bank moves": (
        lambda t: synced(
            t, state="expiring", expiry_reason="INSTITUTION_MIGRATION", consent_expires_at=t + DAY
        ),
        "Tartan Bank is changing how it shares data. Log in again by",
        ("warn", LOG_IN, "Up to date"),
    ),
    "revoked": (
        lambda t: synced(t, state=item_states.REVOKED),
        "Tartan Bank no longer shares data: you revoked access. Your stored data stays here.",
        ("warn", LOG_IN, NOT_CURRENT),
    ),
    "ended at Plaid": (
        lambda t: wrong("ITEM_NOT_FOUND"),
        "Tartan Bank is no longer connected. The bank no longer recognizes this connection.",
        ("bad", CONNECT, NOT_CURRENT),
    ),
    "revoked, and its token is gone": (
        lambda t: synced(t, state=item_states.REVOKED, access_token=b""),
        "Tartan Bank is no longer connected.",
        ("bad", CONNECT, NOT_CURRENT),
    ),
    "new accounts": (
        lambda t: synced(t, state=item_states.NEW_ACCOUNTS),
        "Tartan Bank has new accounts to share. Last updated",
        ("", CHOOSE, "Up to date"),
    ),
    "the operator's error": (
        lambda t: synced(t, **wrong("INVALID_API_KEYS")),
        "Tartan Bank can’t be updated. Plaid does not accept this app’s API keys.",
        ("bad", None, CANNOT),
    ),
    "not supported": (
        lambda t: synced(t, **wrong("INSTITUTION_NO_LONGER_SUPPORTED")),
        "Tartan Bank can’t be updated. Plaid no longer supports this bank. Nothing new since",
        ("bad", None, CANNOT),
    ),
    "an error that the table does not have": (
        lambda t: {"state": "error", "error_code": "NEW", "error_message": "It is new."},
        "Tartan Bank can’t be updated. It is new.",
        ("bad", SYNC, CANNOT),
    ),
    "disconnecting": (
        lambda t: synced(t, state=item_states.DISCONNECTING),
        "Tartan Bank is being disconnected. Plaid has not confirmed it yet.",
        ("", None, "Disconnected"),
    ),
    "disconnected": (
        lambda t: synced(t, state=item_states.DISCONNECTED, disconnected_at=t),
        "Disconnected today. Its history stays here and can’t be changed.",
        ("", CONNECT, "Disconnected"),
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
            made = {"institution_name": "Tartan Bank", "plaid_item_id": "i", "access_token": b"t"}
            item = Item(id=1, user_id=alice.id, **made | fields(now()))
            db.session.add(item)
            db.session.flush()
            account = Account(user_id=alice.id, plaid_account_id="a", type="credit", name="Card")
            account.item_id, account.updated_at = item.id, now()
            db.session.add(account)
            users.ledger_changed(alice.id)
            db.session.commit()

    return change


def test_each_state_has_one_sentence_one_color_and_one_button(alice, become, subtests):
    for name, (fields, line, (color, button, top)) in STATES.items():
        with subtests.test(name):
            become(fields)
            for path in ("/finance/items", "/finance/items/1", "/finance/"):
                page = Page(alice.client.get(path).text)
                if page.has(**{"class": "attention"}):  # nothing else repeats the banner
                    assert page.texts_of("body")[0].count(line.split(".")[0]) == 1, path
                if not (path == "/finance/" and name.startswith("current")):
                    assert line in page.text, path
                if top != "Up to date":
                    assert "Up to date" not in page.text
                if path == "/finance/items":
                    offered = page.texts_of("button", "a")
                    assert [offered.count(each) for each in (SYNC, LOG_IN, CHOOSE, CONNECT)] == [
                        int(each == button) for each in (SYNC, LOG_IN, CHOOSE, CONNECT)
                    ], path
            assert page.find(id="freshness")[1] == top
            (account,) = alice.client.get("/finance/accounts.json").json["accounts"]
            said = account["item"]
            assert line in said["sentence"]
            assert (said["color"] or "") == color
            assert (said["button"] is None) == (button is None)


def test_what_the_bank_delivered_and_what_is_new_are_two_things(alice, become):
    become(STATES["current, and the bank has delivered nothing new"][0])
    for path in ("/finance/items", "/finance/items/1"):
        text = Page(alice.client.get(path).text).text
        assert "The bank last delivered data" in text
        assert "Nothing new since" in text


EMPTY = {
    "connected just now": "Your transactions are on their way",
    "the first sync failed": f"Tartan Bank has sent no transactions {DOWN}",
    "preparing without rows": "Tartan Bank is still preparing them.",
    "current": "Tartan Bank has no transactions in your accounts.",
    "without transactions": "Tartan Bank provides balances, but no transactions.",
    "needs a log-in": "Tartan Bank has sent no transactions What it needs from you is at the top",
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


def test_an_empty_list_says_that_what_came_could_not_be_read(app, alice, become, subtests):
    become(STATES["current"][0])
    with app.app_context():
        db.session.execute(db.delete(Account))
        set_aside.add(1, [Unread(kind, "x", b"", "no") for kind in (TRANSACTION, ACCOUNT, STREAM)])
        db.session.commit()
    for path, place, reason in (
        ("/finance/transactions", "results", "Tartan Bank has sent transactions, but they"),
        ("/finance/", "latest", "Tartan Bank has sent transactions, but they could not be read."),
        ("/finance/", "accounts", "The accounts that the bank has sent could not be read."),
        ("/finance/items", "bank-1", "The accounts that the bank has sent could not be read."),
        ("/finance/items/1", "item", "The accounts that the bank has sent could not be read."),
        ("/finance/recurring", "recurring", "sent recurring payments, but they could not be read"),
    ):
        with subtests.test(path, place=place):
            assert reason in Page(alice.client.get(path).text).find(id=place)[1]
    page = Page(alice.client.get("/finance/transactions").text)
    assert page.find(href="/finance/items/1/unread")[1] == "See what could not be read"


def test_figures_say_so_far_until_the_history_is_complete(app, connected):
    def shown(path, place):
        return Page(connected.client.get(path).text).find(id=place)[1]

    for place in ("net-worth", "summary"):
        assert "so far" not in shown("/finance/", place)
    assert shown("/finance/transactions", "tally").startswith("3 transactions In")
    with app.app_context():
        item = db.session.get(Item, 1)
        item.update_status, item.preparing_since = item_states.RECENT, now()
        db.session.commit()

    assert "3 transactions so far." in shown("/finance/", "summary")
    assert shown("/finance/", "net-worth").startswith("Net worth so far")
    assert "Cash flow so far" in shown("/finance/", "cash-flow")
    assert shown("/finance/transactions", "tally").startswith("3 transactions so far")
    for path, place in (("/finance/items", "bank-1"), ("/finance/items/1", "item")):
        assert "Still preparing since " in shown(path, place)
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
