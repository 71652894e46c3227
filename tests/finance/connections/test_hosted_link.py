"""Connecting a bank on the sandbox's own Hosted Link pages, which a program walks through."""

import io
import json
from urllib.parse import urlsplit

import pytest
from werkzeug.wrappers import Request

from plaidapp.extensions import db
from plaidapp.store import Account, Item, LinkSession, Webhook
from tests.link_walker import Person as AtPlaid
from tests.link_walker import walk
from tests.pages import Page

CONNECT = "/finance/connections"
EXCHANGE = "/item/public_token/exchange"
OAUTH_BANK = "ins_127287"


@pytest.fixture
def go(alice, panel, work_due):
    """`go(bank=...)` presses *Connect a bank*, walks through Link and comes back.

    Return the panel when the worker has worked.
    """

    def connect(button=CONNECT, **steps):
        answer = alice.client.post(button)
        assert answer.status_code == 303, answer.text
        returned = walk(answer.location, **steps)
        return come_back(returned) if returned else None

    def come_back(returned):
        assert urlsplit(returned).netloc == "localhost"
        page = Page(alice.client.get(urlsplit(returned).path).text)
        (shown,) = [a["id"] for _, a, _ in page.elements if "data-state" in a]
        work_due()
        return panel(alice.htmx("GET", f"/finance/pulls/{shown.removeprefix('pull-')}"))

    return connect


@pytest.fixture
def banks(app):
    def names():
        with app.app_context():
            query = db.select(Item.institution_name).order_by(Item.id)
            return list(db.session.scalars(query))

    return names


def test_every_way_to_connect_a_bank(go, banks, subtests):
    ways = (
        ("at once", {}),
        ("wrong password, then right", {"bank": "ins_109509", "password": ["bad", "pass_good"]}),
        ("a code", {"bank": "ins_109510", "password": "mfa_device"}),
        ("questions", {"bank": "ins_109511", "password": "mfa_questions_2_1"}),
        ("OAuth", {"bank": OAUTH_BANK}),
    )
    for number, (way, steps) in enumerate(ways, start=1):
        with subtests.test(way):
            shown = go(accounts=["1111"], **steps)  # it has few rows
            assert shown.state == "done", shown.text
            assert f"{banks()[-1]} connected." in shown.text
            assert len(banks()) == number


def test_every_way_to_leave(go, banks, subtests):
    steps = ("institution", "credentials", "accounts", "bank")
    for step in steps:
        with subtests.test(step):
            bank = OAUTH_BANK if step == "bank" else "ins_109508"
            shown = go(bank=bank, cancel_at=step)
            assert shown.state == "failed"
            assert "Nothing has changed." in shown.text or "bank" in shown.text
            assert "Link session ID" in shown.text
    with subtests.test("OAuth denied"):
        shown = go(bank=OAUTH_BANK, oauth="deny")
        assert shown.state == "failed"
    with subtests.test("an error that lasts"):
        shown = go(password="error_ITEM_LOCKED")
        assert shown.state == "failed"
        assert "ITEM_LOCKED" in shown.text
    assert banks() == []


def test_a_tab_that_is_closed(alice, banks, later, work_due):
    url = alice.client.post(CONNECT).location
    assert walk(url, stop_at="credentials") is None
    later(seconds=11)
    work_due()
    assert banks() == []
    walk(url)  # in a second tab, which nobody follows back
    later(seconds=11)
    work_due()
    assert banks() == ["First Platypus Bank"]


def test_a_duplicate_and_a_second_log_in(alice, go, banks, bank_server, panel, work):
    def exchanges():
        return bank_server.faults.rulebook.report()["calls"].get(EXCHANGE, 0)

    assert go(accounts=["0000", "1111"]).state == "done"
    before = exchanges()

    shown = go(accounts=["1111", "2222"])

    assert shown.state == "failed"
    assert "First Platypus Bank. You already have this bank." in shown.text
    assert (exchanges(), len(banks())) == (before, 1)
    repaired = go("/finance/items/1/reconnect")
    assert repaired.state == "done", repaired.text
    assert len(banks()) == 1
    session = shown.html.partition("/separate")[0].rpartition("/")[2]
    assert panel(alice.htmx("POST", f"{CONNECT}/{session}/separate")).state == "queued"
    work()
    assert (exchanges(), len(banks())) == (before + 1, 2)


@pytest.fixture
def several_items(bank_server, monkeypatch):
    """Every link lets the person add several banks, as some of Plaid's contracts have it."""
    honest = bank_server.server.app

    def bank(environ, start_response):
        if environ["PATH_INFO"] == "/link/token/create":
            call = json.loads(Request(environ).get_data())
            body = json.dumps(call | {"enable_multi_item_link": True}).encode()
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return honest(environ, start_response)

    monkeypatch.setattr(bank_server.server, "app", bank)


def test_two_items_in_one_session(alice, go, banks, several_items, bank_server):
    passwords = ["pass_good", "pass_good"]
    shown = go(bank=["ins_109508", "ins_109511"], password=passwords)

    assert shown.state == "done", shown.text
    assert banks() == ["First Platypus Bank", "Tartan Bank"]
    # Of the next two, one is known and the other is new.
    again = go(bank=["ins_109511", "ins_109512"], password=passwords)
    assert again.state == "failed"
    assert "Tartan Bank. You already have this bank." in again.text
    assert "Houndstooth Bank connected." in again.text
    assert banks()[2:] == ["Houndstooth Bank"]
    assert bank_server.faults.rulebook.report()["calls"][EXCHANGE] == 3


def test_what_is_separate_stays_so_even_if_the_bank_names_persistent_ids(
    app, alice, go, banks, work
):
    go(bank=OAUTH_BANK)
    shown = go(bank=OAUTH_BANK)
    session = shown.html.partition("/separate")[0].rpartition("/")[2]
    alice.htmx("POST", f"{CONNECT}/{session}/separate")
    work()
    assert len(banks()) == 2
    with app.app_context():
        found = db.session.scalars(db.select(Account.persistent_account_id)).all()
    ids = [persistent_id for persistent_id in found if persistent_id]
    assert len(ids) == 2 * len(set(ids)) > 0
    assert "Is this the same account?" not in alice.client.get("/finance/items").text


def test_other_accounts_of_the_same_bank_are_no_duplicate(go, banks):
    assert go(accounts=["0000"]).state == "done"
    assert go(accounts=["1111"]).state == "done"
    assert len(banks()) == 2


def test_a_webhook_of_link_only_says_look_now(app, alice, banks, bank_server, work_due):
    """Without the browser's return. Its tokens are stored nowhere."""
    walk(alice.client.post(CONNECT).location)
    with app.app_context():
        session = db.session.scalars(db.select(LinkSession)).one()
        token = app.extensions["cipher"].decrypt(session.token)
    state = bank_server.call("/link/token/get", link_token=token)["link_sessions"][0]
    public_token = state["results"]["item_add_results"][0]["public_token"]
    sign = bank_server.app.extensions["sandbox"].webhook_queue.key.sign
    for code, fields in (
        ("SESSION_FINISHED", {"status": "SUCCESS", "public_tokens": [public_token]}),
        ("ITEM_ADD_RESULT", {"public_token": public_token}),
        ("EVENTS", {"events": []}),
    ):
        event = {"webhook_type": "LINK", "webhook_code": code, "link_token": token} | fields
        body = app.json.dumps(event).encode()
        headers = {"Plaid-Verification": sign(body)}
        answer = app.test_client().post("/webhooks/plaid", data=body, headers=headers)
        assert answer.status_code == 200
        work_due()
        assert banks() == ["First Platypus Bank"]
    with app.app_context():
        stored = db.session.scalars(db.select(Webhook)).all()
        assert all(webhook.handled_at for webhook in stored)
        bodies = "".join(webhook.body for webhook in stored)
    assert "SESSION_FINISHED" in bodies
    assert token not in bodies
    assert public_token not in bodies


def test_the_link_shows_the_persons_own_bank_again(alice, go):
    """Update mode opens on the Item's bank."""
    go()
    person = AtPlaid(alice.client.post("/finance/items/1/reconnect").location)
    assert person.step == "credentials"
