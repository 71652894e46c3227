"""The page *Delete everything*, and what it means for those who are logged in."""

import pytest

from plaidapp.extensions import db
from plaidapp.jobs.people import erase
from plaidapp.store import User
from plaidapp.store.people import stored_passwords, users
from tests.auth.test_password_change import copied, is_in, log_in
from tests.conftest import PASSWORD
from tests.logged_in import logged_in
from tests.pages import Page

GOOD = {"password": PASSWORD}
HTMX = {"HX-Request": "true"}


def test_the_page_says_what_will_happen(connected):
    text = Page(connected.client.get("/auth/delete").text).text
    assert "Your bank is disconnected at Plaid." in text
    assert "2 accounts and 3 transactions are deleted" in text
    assert "Download" in text

    text = Page(connected.client.get("/auth/account").text).text
    assert "Disconnects your bank at Plaid, then deletes every row and your log-in" in text
    assert "2 accounts, 3 transactions, your categories and notes" in text


def test_the_page_of_a_person_without_a_bank(alice):
    text = Page(alice.client.get("/auth/delete").text).text
    assert "No bank is connected" in text
    assert "0 accounts" not in text
    assert "Deletes every row and your log-in" in Page(alice.client.get("/auth/account").text).text


@pytest.mark.both_databases
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_everything_goes_and_every_cookie_is_refused(app, connected, charlie, work, dump, headers):
    phone, copy = logged_in(app, connected.id), copied(app, connected.client)

    answer = connected.client.post("/auth/delete", data=GOOD, headers=headers)

    assert (answer.headers.get("HX-Redirect") or answer.location) == "/auth/login"
    assert "everything is being deleted" in connected.client.get("/auth/login").text
    for client in (connected.client, phone, copy, log_in(app, "alice", PASSWORD)):
        assert not is_in(client)
    work()
    left = {name: rows for name, rows in dump().items() if rows}
    of_nobody = {"bank_logo", "institution", "old_text", "webhook_key"}
    assert left.keys() - of_nobody == {"user", "login_session"}
    assert all("charlie" in row for row in left["user"])
    assert is_in(charlie.client)
    for client in (connected.client, phone, copy, log_in(app, "alice", PASSWORD)):
        assert not is_in(client)


def test_a_person_without_a_password_confirms_with_a_passkey(app, alice, later, ask):
    with app.app_context():
        stored_passwords.change(users.by_id(alice.id), users.NO_PASSWORD)
        db.session.commit()
    assert 'type="password"' not in alice.client.get("/auth/delete").text
    later(minutes=11)
    assert alice.client.post("/auth/delete").location == "/auth/confirm?next=/auth/delete"
    assert alice.client.post("/auth/delete", data={"password": ""}).status_code == 303
    assert ask(User)[0].leaving_since is None
    fresh = logged_in(app, alice.id)  # a passkey logs in as it confirms

    assert fresh.post("/auth/delete").location == "/auth/login"

    assert ask(User)[0].leaving_since


@pytest.mark.parametrize(
    ("sent", "says"),
    [({}, "Enter your password."), ({"password": "wrong"}, "This is not your password.")],
)
def test_a_mistake_deletes_nothing(app, alice, dump, sent, says):
    before = dump()["user"]
    for headers in ({}, HTMX):
        answer = alice.client.post("/auth/delete", data=sent, headers=headers)
        assert answer.status_code == 422
        assert says in Page(answer.text).beside("password")
    assert dump()["user"] == before
    assert is_in(alice.client)


def test_guesses_are_throttled_and_a_right_one_is_refused_meanwhile(alice, ask):
    for _ in range(6):
        answer = alice.client.post("/auth/delete", data={"password": "wrong"})
    assert answer.status_code == 429
    assert alice.client.post("/auth/delete", data=GOOD).status_code == 429
    assert ask(User)[0].leaving_since is None


def test_guesses_and_mails_leave_no_key_in_redis(app, alice, work, client, mailbox):
    alice.client.get("/auth/logout")
    known, tablet = app.test_client(), app.test_client()
    for device in (known, tablet):
        device.post("/auth/login", data={"username": "alice", "password": PASSWORD})
    tablet.post("/auth/logout")
    for guesser in (client, tablet):
        guesser.post("/auth/login", data={"username": "alice", "password": "wrong"})
    known.post("/auth/delete", data={"password": "wrong"})
    client.post("/auth/forgot", data={"email": "Alice@example.com"})
    assert len(tries(app)) > 1

    known.post("/auth/delete", data=GOOD)

    assert len(tries(app)) == 2  # the guesses and resets of an address, which count for everybody
    assert not known.get_cookie("known-device").value.count("alice")


def tries(app):
    return app.extensions["redis"].keys("plaidapp:tries:*")


def test_a_second_tab_finds_the_person_logged_out(app, alice, monkeypatch):
    """Both tabs have checked the password before one of them deletes."""
    tab = logged_in(app, alice.id)
    begin, answers = erase.begin, []

    def other_first(user_id):
        monkeypatch.setattr(erase, "begin", begin)
        with app.app_context():
            assert begin(user_id)
            db.session.commit()
        return begin(user_id)

    monkeypatch.setattr(erase, "begin", other_first)
    answers.append(alice.client.post("/auth/delete", data=GOOD))
    answers.append(tab.post("/auth/delete", data=GOOD))
    assert [answer.status_code for answer in answers] == [303, 302]
    assert answers[1].location.startswith("/auth/login")


def test_the_name_and_address_can_be_taken_again_at_once(app, alice, client, bank_server):
    alice.client.post("/auth/delete", data=GOOD)

    data = {"username": "alice", "email": "alice@example.com", "password": PASSWORD + " again"}
    assert client.post("/auth/signup", data=data).location == "/finance/"
    assert is_in(client)
    assert not is_in(alice.client)
