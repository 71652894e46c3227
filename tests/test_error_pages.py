"""When something goes wrong, a person reads a sentence and never an exception."""

import logging
import re
from dataclasses import replace
from html import unescape

import pytest
from sqlalchemy import text

from plaidapp import create_app, error_pages
from plaidapp.extensions import db
from plaidapp.finance.connections import accounts_json
from plaidapp.finance.dashboard import content
from plaidapp.store.people import users
from tests.ports import free_port

SENTENCES = {status: str(sentence) for status, sentence in error_pages.SENTENCES.items()}
SECRET = "the text of an exception"
HTMX = {"HX-Request": "true"}


def as_page(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<html" in answer.text
    return unescape(answer.text)


def as_fragment(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<html" not in answer.text
    return unescape(answer.text)


def as_json(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert set(answer.json) == {"error"}
    return answer.json["error"]


@pytest.mark.parametrize("person", ["alice", "nobody"])
def test_an_unknown_address_is_a_404_as_page_fragment_or_json(request, client, person):
    browser = client if person == "nobody" else request.getfixturevalue("alice").client

    assert SENTENCES[404] in as_page(browser.get("/nothing/here"), 404)
    assert SENTENCES[404] in as_fragment(browser.get("/nothing/here", headers=HTMX), 404)
    assert as_json(browser.get("/nothing/here.json"), 404) == SENTENCES[404]


def test_a_404_does_not_repeat_the_address(client):
    assert "<script>x" not in client.get("/<script>x</script>").text


def test_a_wrong_method_is_a_405_that_lists_the_right_ones(alice):
    answer = alice.client.get("/finance/pulls/accounts")

    assert SENTENCES[405] in as_page(answer, 405)
    assert set(answer.allow) == {"POST", "OPTIONS"}
    assert SENTENCES[405] in as_fragment(alice.htmx("GET", "/finance/pulls/accounts"), 405)
    assert as_json(alice.client.post("/finance/accounts.json"), 405) == SENTENCES[405]


def test_no_request_is_sent_back(client):
    answer = client.open("/finance/", method="TRACE", headers={"Cookie": "session=secret"})

    assert (answer.status_code, "secret" in answer.text) == (405, False)


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup"])
def test_a_body_over_64_kb_is_a_413(client, path):
    form = {"username": "x" * (64 * 1024 + 1)}
    sentence = "This is larger than the limit of 64 KB."

    assert sentence in as_page(client.post(path, data=form), 413)
    assert sentence in as_fragment(client.post(path, data=form, headers=HTMX), 413)


def test_what_is_refused_is_an_event(app, alice, caplog):
    caplog.set_level(logging.INFO, "plaidapp.events")
    app.config["WTF_CSRF_ENABLED"] = True
    me = {"person": opaque_id(app, alice)}
    ask = alice.client.open
    for send, fields in (
        (lambda: ask("/finance/items/4711"), {"page": "finance.item", "status": 404} | me),
        (lambda: ask("/nothing"), None),
        (lambda: ask("/static/nothing.css"), None),
        (lambda: ask("/auth/logout"), {"status": 405}),
        (lambda: ask("/auth/logout", method="POST"), {"page": "auth.logout", "status": 400} | me),
        (
            lambda: ask("/auth/logout", method="POST", headers={"Origin": "https://evil.example"}),
            {"page": "auth.logout", "status": 403},
        ),
        (
            lambda: app.test_client().post("/finance/pulls/accounts"),
            {"page": "finance.get_accounts", "status": 400},
        ),
        (
            lambda: app.test_client().post("/auth/login", data={"username": "x" * 70_000}),
            {"page": "auth.login", "status": 413},
        ),
    ):
        caplog.clear()
        send()
        events = [record.event_fields for record in caplog.records if hasattr(record, "event")]
        for each in events:
            del each["method"]
        assert events == ([fields] if fields else [])


def opaque_id(app, person):
    with app.app_context():
        return users.opaque_id(person.id)


@pytest.fixture
def broken(app, monkeypatch):
    """Make two functions fail with an exception that no code expects."""

    def fail(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(content, "render_page", fail)
    monkeypatch.setattr(accounts_json.accounts, "of_user", fail)
    app.testing = False


@pytest.mark.usefixtures("broken")
def test_a_bug_is_a_500_with_a_sentence_and_its_details_are_logged(alice, caplog):
    for shown in (
        as_page(alice.client.get("/finance/"), 500),
        as_fragment(alice.htmx("GET", "/finance/"), 500),
        as_json(alice.client.get("/finance/accounts.json"), 500),
    ):
        assert SENTENCES[500] in shown
        assert SECRET not in shown
        assert "Traceback" not in shown
    assert caplog.text.count(f"RuntimeError: {SECRET}") == 3


def dead_postgres():
    return f"postgresql+psycopg://nobody:{SECRET.replace(' ', '-')}@127.0.0.1:{free_port()}/none"


@pytest.fixture
def without_database(app, alice):
    """Alice's browser, with an app whose PostgreSQL went down after she logged in."""
    without = create_app(replace(app.config["PLAIDAPP"], database_url=dead_postgres()))
    browser = without.test_client()
    browser.set_cookie("session", alice.client.get_cookie("session").value)
    yield browser
    without.extensions["redis"].close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_person_is_told_that_the_database_is_down(without_database, caplog):
    for shown in (
        as_page(without_database.get("/finance/"), 503),
        as_fragment(without_database.get("/finance/pulls/1", headers=HTMX), 503),
        as_json(without_database.get("/finance/transactions.json"), 503),
    ):
        assert SENTENCES[503] in shown
        assert "the-text-of" not in shown
    assert "the-text-of" not in caplog.text
    assert "OperationalError" in caplog.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_that_need_no_database_still_work_without_one(without_database):
    assert without_database.get("/healthz").status_code == 200
    assert without_database.get("/static/app.css", buffered=True).status_code == 200
    without_database.delete_cookie("session")
    assert without_database.get("/auth/login").status_code == 200
    assert without_database.get("/finance/").status_code == 302


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_outage_of_the_database_logs_nobody_out(app, without_database):
    assert without_database.get("/finance/").status_code == 503
    back = app.test_client()
    back.set_cookie("session", without_database.get_cookie("session").value)

    assert back.get("/finance/").status_code == 200


@pytest.mark.both_databases
def test_a_missing_table_is_an_error_with_a_sentence(app, alice, caplog):
    app.testing = False
    with app.app_context():
        quote = '"transaction"'
        db.session.execute(text(f"ALTER TABLE {quote} RENAME TO hidden"))
        db.session.commit()
    try:
        answer = alice.client.get("/finance/transactions")
    finally:
        with app.app_context():
            db.session.execute(text(f"ALTER TABLE hidden RENAME TO {quote}"))
            db.session.commit()

    assert answer.status_code in (500, 503)
    assert SENTENCES[answer.status_code] in unescape(answer.text)
    assert "SELECT" not in answer.text
    assert any(record.levelno >= logging.ERROR for record in caplog.records)


@pytest.mark.both_databases
def test_the_app_keeps_working_after_an_error(app, alice):
    app.testing = False
    assert alice.client.get("/finance/items/999").status_code == 404
    assert alice.client.get("/finance/").status_code == 200


def test_every_route_but_one_takes_64_kb(app, client):
    """Only the form for custom users needs more; tests/finance/dashboard has its limit."""
    app.config["WTF_CSRF_ENABLED"] = True  # so that every form is read
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.rule != "/finance/items/sandbox":
            path = re.sub("<.*?>", "1", rule.rule)
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
                answer = client.post(path, data=b"x" * 65_537, content_type=kind)
                assert answer.status_code == 413, path
                assert "64 KB" in answer.text
