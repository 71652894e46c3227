"""What a person can read about what happened in their account."""

from datetime import timedelta

import pytest

from plaidapp import policy
from plaidapp.auth import activity_page, activity_sentences
from plaidapp.extensions import db
from plaidapp.store import Activity
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, state_changes
from plaidapp.store.people import activity
from plaidapp.store.people.activity import Kind
from tests.conftest import PASSWORD
from tests.pages import Page, plain

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) Version/18.5 Safari/604.1"}


def happened(person, path="/auth/activity"):
    """Return what happened and from where, the latest first."""
    page = Page(person.client.get(path).text)
    texts = [plain(text) for _, text in page.find_all(**{"class": "what"})]
    sources = [text for _, text in page.find_all(**{"class": "from"})]
    return list(zip(texts, sources, strict=True))


def test_every_kind_has_a_sentence():
    assert activity_sentences.SENTENCES.keys() == set(Kind)


def test_log_ins_and_log_outs_are_listed_with_the_device(app, alice, charlie):
    phone = app.test_client()
    form = {"username": "alice", "password": PASSWORD}
    for wrong in ("x", "y"):
        phone.post("/auth/login", data=form | {"password": wrong}, headers=PHONE)
    phone.post("/auth/login", data=form, headers=PHONE)
    phone.post("/auth/logout", headers=PHONE)

    assert happened(alice) == [
        ("Logged out", "Safari on iPhone"),
        ("Logged in", "Safari on iPhone"),
        ("Wrong password 2 times", "Safari on iPhone"),
    ]
    assert happened(charlie) == []


@pytest.mark.both_databases
def test_wrong_passwords_of_a_day_share_a_row(app, alice, ask, later):
    def guess(name):
        app.test_client().post("/auth/login", data={"username": name, "password": "x"})

    for name in ("alice", "alice", "nobody"):
        guess(name)
    later(hours=25)
    guess("alice@example.com")

    assert [(row.kind, row.count) for row in ask(Activity)] == [
        (Kind.WRONG_PASSWORD, 2),
        (Kind.WRONG_PASSWORD, 1),
    ]


def test_changes_devices_and_exports_are_listed(app, alice, client):
    client.post("/auth/login", data={"username": "alice", "password": PASSWORD}, headers=PHONE)
    alice.client.post("/auth/sessions/2/revoke")
    alice.client.post("/auth/sessions/revoke")
    alice.client.post("/auth/name", data={"username": "alicia"})
    alice.client.post("/finance/time-zone", data={"time_zone": "America/New_York"})
    for _ in range(2):
        assert alice.client.get("/finance/export/transactions.csv").status_code == 200

    assert [sentence for sentence, _ in happened(alice)] == [
        "Transactions exported as CSV 2 times",
        "Time zone changed to America/New York",
        "Username changed to alicia",
        "Logged out everywhere else",
        "Safari on iPhone logged out",
        "Logged in",
    ]


def test_banks_are_listed_as_they_come_fail_and_go(app, alice):
    with app.app_context():
        item = items.add(
            user_id=alice.id,
            plaid_item_id="x",
            institution_name="Tartan <Bank>",
            access_token=b"t",
            sync_requested=1,
        )
        for code in ("ITEM_LOGIN_REQUIRED", "ITEM_LOGIN_REQUIRED"):
            state_changes.set_state(item.id, item_states.LOGIN_REQUIRED, code, "Log in.")
        db.session.commit()
        address = f"/finance/items/{item.id}/disconnect"
    alice.client.post(address, data={"history": "keep"})

    assert [sentence for sentence, _ in happened(alice)] == [
        "Tartan <Bank> disconnected",
        "Tartan <Bank> asked for a new log-in",
        "Tartan <Bank> connected",
    ]
    assert happened(alice)[1][1] == "bank notification"


def test_the_account_page_has_the_latest_and_a_page_has_all(app, alice):
    with app.app_context():
        for number in range(activity_page.PAGE + 3):
            activity.note(alice.id, Kind.NAME_CHANGED, str(number))
        db.session.commit()

    assert len(happened(alice, "/auth/account")) == activity_page.LATEST
    first = happened(alice)
    assert len(first) == activity_page.PAGE
    page = Page(alice.client.get("/auth/activity").text)
    (older,) = [link for _, link, _ in page.elements if "before=" in (link.get("href") or "")]
    assert [text for text, _ in happened(alice, older["href"])] == [
        f"Username changed to {number}" for number in (2, 1, 0)
    ]
    assert "Show older" not in alice.client.get(older["href"]).text


@pytest.mark.parametrize("before", ["0", "-1", "x", "1", str(10**30)])
def test_any_place_to_go_on_from_shows_a_page(alice, before):
    assert alice.client.get(f"/auth/activity?before={before}").status_code == 200


@pytest.mark.both_databases
def test_it_is_kept_for_a_year(app, alice, ask, later):
    with app.app_context():
        activity.note(alice.id, Kind.LOGGED_IN)
        db.session.commit()
        db.session.remove()
    later(days=364)
    with app.app_context():
        activity.note(alice.id, Kind.LOGGED_OUT)
        activity.delete_old(policy.ACTIVITY_BATCH)
        db.session.commit()
        db.session.remove()
    assert len(ask(Activity)) == 2
    later(days=2)
    with app.app_context():
        activity.delete_old(policy.ACTIVITY_BATCH)
        db.session.commit()
        db.session.remove()

    assert [row.kind for row in ask(Activity)] == [Kind.LOGGED_OUT]


def test_details_that_are_too_long_are_cut(app, alice, ask):
    with app.app_context():
        activity.note(alice.id, Kind.CONNECTED, "x" * 1000)
        db.session.commit()
    assert [len(row.detail) for row in ask(Activity)] == [activity.LONGEST_DETAIL]
    assert now() - ask(Activity)[0].created_at < timedelta(hours=1)
