"""Changing the password, and the name."""

import threading

import pytest

from plaidapp import policy
from plaidapp.auth import password_change, passwords
from plaidapp.extensions import db
from plaidapp.store import LoginSession, User
from plaidapp.store.people import login_sessions, stored_passwords, users
from tests.conftest import PASSWORD
from tests.factors import add_passkey
from tests.logged_in import logged_in
from tests.pages import Page

NEW = "a new horse with another battery"
GOOD = {"current_password": PASSWORD, "password": NEW}
HTMX = {"HX-Request": "true"}


def log_in(app, name, password):
    client = app.test_client()
    client.post("/auth/login", data={"username": name, "password": password})
    return client


def is_in(client):
    return client.get("/finance/accounts.json").status_code == 200


def copied(app, client):
    """Another browser with the same cookies."""
    copy = app.test_client()
    for cookie in client._cookies.values():
        copy.set_cookie(cookie.key, cookie.value)
    return copy


@pytest.mark.both_databases
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_every_other_session_ends_and_copies_of_this_one_too(app, alice, charlie, headers):
    phone, copy = logged_in(app, alice.id), copied(app, alice.client)
    assert is_in(phone)
    assert is_in(copy)

    answer = alice.client.post("/auth/password", data=GOOD, headers=headers)

    assert (answer.headers.get("HX-Redirect") or answer.location) == "/auth/account"
    assert "Your password is changed." in alice.client.get("/auth/account").text
    assert is_in(alice.client)
    assert is_in(charlie.client)
    assert not is_in(phone)
    assert not is_in(copy)
    assert not is_in(log_in(app, "alice", PASSWORD))
    assert is_in(log_in(app, "alice", NEW))


@pytest.mark.parametrize(
    ("sent", "field", "says"),
    [
        ({}, "current_password", "Enter your current password."),
        (GOOD | {"current_password": "wrong"}, "current_password", "not your password"),
        (GOOD | {"current_password": PASSWORD + "x" * 200}, "current_password", "not your"),
        (GOOD | {"password": ""}, "password", "Choose a new password."),
        (GOOD | {"password": "short"}, "password", "at least 15 characters"),
        (GOOD | {"password": "alice@example.com alice"}, "password", "easy to guess"),
        (GOOD | {"password": PASSWORD}, "password", "the same password"),
        (GOOD | {"password": "x" * 129}, "password", "at most 128"),
    ],
)
def test_a_mistake_changes_nothing(app, alice, ask, sent, field, says):
    phone, before = logged_in(app, alice.id), [user.password_hash for user in ask(User)]

    for headers in ({}, HTMX):
        answer = alice.client.post("/auth/password", data=sent, headers=headers)
        page = Page(answer.text)
        assert answer.status_code == 422
        assert field in page.complaints()
        assert says in page.beside(field)

    assert [user.password_hash for user in ask(User)] == before
    assert is_in(phone)
    assert is_in(alice.client)


def test_guesses_are_slowed_like_those_at_the_log_in(app, alice):
    wrong = GOOD | {"current_password": "wrong"}
    for _ in range(policy.FREE_GUESSES):
        assert alice.client.post("/auth/password", data=wrong).status_code == 422

    for sent in (wrong, GOOD):
        answer = alice.client.post("/auth/password", data=sent)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"]
    assert not is_in(log_in(app, "alice", NEW))


def test_the_page_says_when_the_password_was_changed(alice):
    assert "Set today at" in Page(alice.client.get("/auth/account").text).find(id="password")[1]

    alice.client.post("/auth/password", data=GOOD)

    page = Page(alice.client.get("/auth/account").text)
    assert "Changed today at" in page.find(id="password")[1]


def test_a_new_name_logs_in_and_the_old_one_does_not(app, alice):
    answer = alice.client.post("/auth/name", data={"username": " Zoë "}, follow_redirects=True)

    assert answer.request.path == "/auth/account"
    assert "Your username is now Zoë." in answer.text
    assert is_in(log_in(app, "zoë", PASSWORD))
    assert not is_in(log_in(app, "alice", PASSWORD))
    assert alice.htmx("POST", "/auth/name", data={"username": "ZOË"}).headers["HX-Redirect"]


@pytest.mark.parametrize("name", ["", "Charlie", "charlie@example.com", "\u200b", "x" * 65])
def test_a_name_that_cannot_be_had_changes_nothing(alice, charlie, dump, name):
    before = dump()

    for answer in (
        alice.client.post("/auth/name", data={"username": name}),
        alice.htmx("POST", "/auth/name", data={"username": name}),
    ):
        assert answer.status_code == 422
        assert Page(answer.text).complaints() == {"username"}
    assert dump() == before


def test_names_cannot_be_tried_one_after_the_other(alice, charlie, monkeypatch):
    monkeypatch.setattr(policy, "ADDRESS_SIGN_UPS", 2)

    tries = [alice.client.post("/auth/name", data={"username": "charlie"}) for _ in range(3)]

    assert [answer.status_code for answer in tries] == [422, 422, 429]
    assert tries[-1].headers["Retry-After"]


@pytest.mark.both_databases
def test_a_log_in_under_way_with_the_old_password_is_refused(app, alice, monkeypatch):
    """The change comes between the check of the password and the start of the session."""
    check = passwords.matches

    def late(stored_hash, given):
        matched = check(stored_hash, given)
        monkeypatch.setattr(passwords, "matches", check)
        change = threading.Thread(target=change_in_a_thread, args=(app, alice.id))
        change.start()
        change.join()
        return matched

    monkeypatch.setattr(passwords, "matches", late)

    assert not is_in(log_in(app, "alice", PASSWORD))


@pytest.mark.both_databases
def test_a_log_in_and_a_change_at_the_same_time_leave_no_session(app, alice):
    """Whichever is stored first: the lock has the other see it."""
    with app.app_context():
        user = users.by_id(alice.id)
        stored_passwords.lock(user.id)
        login_sessions.add(user.id, "Firefox", "Linux", "", kept=False)
        db.session.flush()
        change = threading.Thread(target=change_in_a_thread, args=(app, alice.id))
        change.start()
        db.session.commit()
        db.session.remove()
        change.join()
        assert db.session.query(LoginSession).count() == 0
        db.session.remove()


def change_in_a_thread(app, user_id):
    with app.app_context():
        password_change.store(users.by_id(user_id), "another hash")
        db.session.commit()
        db.session.remove()


def test_a_person_without_a_password_confirms_first(app, alice, dump, later):
    add_passkey(alice)
    alice.client.post("/auth/factors/password/remove")
    later(minutes=11)
    before = dump()["user"]

    for method in ("GET", "POST"):
        answer = alice.client.open("/auth/password", method=method, data={"password": NEW})
        assert answer.location == "/auth/confirm?next=/auth/password"
    assert dump()["user"] == before
