"""Logging in and out."""

import logging
import re
from dataclasses import replace

import pytest
from werkzeug.security import generate_password_hash

from plaidapp import create_app, policy
from plaidapp.auth import passwords
from plaidapp.extensions import db
from plaidapp.store.people import users
from tests.pages import Page, set_cookie

PASSWORD = "correct horse battery staple"


@pytest.fixture
def log_in(app, alice):
    """Post the log-in form from another browser. Alice has signed up."""
    browser = app.test_client()

    def post(username="alice", password=PASSWORD, **more):
        return browser.post(
            "/auth/login", data={"username": username, "password": password, **more}
        )

    post.browser = browser
    return post


def test_a_person_logs_in_by_name_or_address_in_any_case(log_in, subtests):
    for name in ("alice", "ALICE", " alice ", "alice@example.com", "Alice@EXAMPLE.com"):
        with subtests.test(name):
            answer = log_in(name)
            assert (answer.status_code, answer.location) == (302, "/finance/")
            assert "alice" in log_in.browser.get("/finance/").text
            log_in.browser.post("/auth/logout")


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(log_in):
    def anonymised(answer, typed):
        text = answer.text.replace(typed, "NAME")
        return answer.status_code, re.sub(r'(csrf_token"[^>]*value=")[^"]*', r"\1", text)

    wrong = anonymised(log_in("alice", "not this one, surely"), "alice")
    unknown = anonymised(log_in("nobody", "not this one, surely"), "nobody")

    assert wrong == unknown
    assert wrong[0] == 401
    assert "This username and password don’t match." in wrong[1]


def test_a_refused_log_in_shows_the_name_again_but_not_the_password(log_in):
    answer = log_in("alice", "not this one, surely", next="/finance/transactions")

    page = Page(answer.text)
    assert page.value("username") == "alice"
    assert page.value("next") == "/finance/transactions"
    assert "not this one, surely" not in answer.text
    assert log_in.browser.get("/finance/").status_code == 302


@pytest.mark.parametrize("field", ["username", "password"])
def test_an_empty_field_has_a_sentence_beside_it(log_in, field):
    answer = log_in(**{field: ""})

    assert answer.status_code == 422
    assert Page(answer.text).complaints() == {field}
    assert Page(answer.text).beside(field).endswith(".")


def test_a_strange_name_is_just_a_wrong_name(log_in, subtests):
    odd = ("ali\0ce", "\0", "a" * 50_000, "' OR 1=1 --", "%", "\u202e", "\ufdfa" * 5000)
    for name in odd:
        with subtests.test(name[:10]):
            assert log_in(name).status_code == 401


def test_a_strange_password_is_just_a_wrong_password(log_in, subtests):
    for password in ("x" * 60_000, "\0", "\0" + PASSWORD, "🦉" * 5000, " "):
        with subtests.test(password[:10]):
            assert log_in(password=password).status_code == 401


def test_the_log_in_redirects_to_the_next_address(log_in, subtests):
    for target in ("/finance/transactions?start_date=2026-01-01&q=a%20b", "/finance/items/1", "/"):
        with subtests.test(target):
            page = Page(log_in.browser.get("/auth/login", query_string={"next": target}).text)
            assert page.value("next") == target
            assert log_in(next=target).location == target
            log_in.browser.post("/auth/logout")


ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:///evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\r\nLocation: //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "//[",
    "",
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_log_in_never_leads_to_another_site(log_in, subtests):
    for target in ELSEWHERE:
        with subtests.test(target):
            assert log_in(next=target).location == "/finance/"
            log_in.browser.post("/auth/logout")


def test_html_in_next_is_escaped(log_in):
    answer = log_in.browser.get("/auth/login", query_string={"next": '"><script>x</script>'})

    assert "<script>x" not in answer.text


def test_logging_out_says_so_and_ends_the_session(alice):
    answer = alice.client.post("/auth/logout", follow_redirects=True)

    assert answer.request.path == "/auth/login"
    assert "Logged out successfully." in answer.text
    assert alice.client.get("/finance/").location.startswith("/auth/login")
    assert "Logged out" not in alice.client.get("/auth/login").text, "shown twice"


def test_logging_out_leaves_nothing_in_the_session(alice):
    alice.client.post("/auth/logout")

    with alice.client.session_transaction() as session:
        assert set(session) == {"_flashes"}


def test_logging_out_clears_what_the_browser_keeps_but_not_its_cookies(alice):
    answer = alice.client.post("/auth/logout")

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in alice.client.get("/auth/login").headers


@pytest.mark.parametrize("was", ["scrypt", "another cost"])
def test_a_hash_of_an_older_version_is_renewed_by_the_next_log_in(
    app, alice, log_in, monkeypatch, was
):
    with monkeypatch.context() as older, app.app_context():
        older.setattr(policy, "PASSWORD_MEMORY", 2 * policy.PASSWORD_MEMORY)
        made = generate_password_hash if was == "scrypt" else passwords.hash_password
        old = users.by_id(alice.id).password_hash = made(PASSWORD)
        db.session.commit()

    for password, renewed in (("wrong", False), (PASSWORD, True)):
        log_in("alice", password)
        with app.app_context():
            stored = users.by_id(alice.id).password_hash
            assert (stored != old, passwords.is_outdated(stored)) == (renewed, not renewed)
    assert log_in("alice", PASSWORD).status_code == 302


def test_no_signature_is_made_with_sha_1(app, log_in):
    """The length of SHA-256 in Base64, for the session and the known device."""
    for header in log_in().headers.getlist("Set-Cookie"):
        value = header.partition(";")[0].partition("=")[2]
        assert len(value.rpartition(".")[2]) == 43, header


def test_logging_out_requires_a_post(alice):
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert alice.client.open("/auth/logout", method=method).status_code == 405
    assert alice.client.get("/finance/").status_code == 200


def test_logging_out_twice_is_harmless(alice):
    alice.client.post("/auth/logout")

    assert alice.client.post("/auth/logout").location == "/auth/login"


def test_the_log_in_clears_the_session(log_in):
    with log_in.browser.session_transaction() as session:
        session["planted"] = "by somebody else"

    log_in()

    with log_in.browser.session_transaction() as session:
        assert "planted" not in session


def test_a_logged_in_person_is_redirected_from_the_log_in_page(alice):
    assert alice.client.get("/auth/login").location == "/finance/"


def test_the_root_redirects_to_the_log_in_or_the_dashboard(alice, client):
    assert client.get("/").location == "/auth/login"
    assert alice.client.get("/").location == "/finance/"


def test_the_session_cookie_is_http_only_and_same_site(log_in):
    cookie = set_cookie(log_in(), "session")

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize(
    ("public_url", "secure"),
    [("https://bank.example", True), ("http://bank.example", False), (None, False)],
)
def test_the_session_cookie_is_secure_over_https(app, public_url, secure):
    """Also if a proxy ends TLS and does not say so."""
    other = create_app(replace(app.config["PLAIDAPP"], public_url=public_url))
    browser = other.test_client()

    answer = browser.get("/auth/login", base_url="http://bank.example")

    cookie = answer.headers["Set-Cookie"]  # the form's token starts a session
    assert ("Secure" in cookie, cookie.startswith("__Host-session=")) == (secure, secure)


def test_a_forged_or_stale_cookie_is_not_a_log_in(app, alice):
    for cookie in ("", "nonsense", "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb"):
        browser = app.test_client()
        browser.set_cookie("session", cookie)
        assert browser.get("/finance/").status_code == 302


def test_a_person_who_was_deleted_is_logged_out(app, alice):
    with app.app_context():
        db.session.delete(users.by_id(alice.id))
        db.session.commit()

    assert alice.client.get("/finance/").location.startswith("/auth/login")


def test_no_password_is_logged(app, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "hunter2 hunter3 hunter4"
    form = {"username": "dora", "email": "dora@example.com", "password": secret}
    browser = app.test_client()

    browser.post("/auth/signup", data=form | {"email": "no address"})
    browser.post("/auth/signup", data=form)
    browser.post("/auth/logout")
    browser.post("/auth/login", data=form | {"password": secret + "x"})
    assert browser.post("/auth/login", data=form).status_code == 302

    assert secret not in caplog.text
