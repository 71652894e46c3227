"""What a person reads when something goes wrong: always a sentence, never an exception."""

import logging
import socket
from dataclasses import replace

import pytest
from sqlalchemy import text

from plaidapp import create_app, errors
from plaidapp.extensions import db
from plaidapp.finance.reports import pages
from plaidapp.finance.transactions.exports import json as exports

SENTENCES = {status: str(sentence) for status, sentence in errors.SENTENCES.items()}
SECRET = "the text of an exception"
HTMX = {"HX-Request": "true"}


def as_page(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<html" in answer.text
    return answer.text


def as_fragment(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<html" not in answer.text
    return answer.text


def as_json(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert set(answer.json) == {"error"}
    return answer.json["error"]


def escaped(sentence):
    return sentence.replace("'", "&#39;")


@pytest.mark.parametrize("person", ["alice", "nobody"])
def test_an_unknown_address_is_a_404_in_the_form_that_was_asked_for(request, client, person):
    browser = client if person == "nobody" else request.getfixturevalue("alice").client

    assert SENTENCES[404] in as_page(browser.get("/nothing/here"), 404)
    assert SENTENCES[404] in as_fragment(browser.get("/nothing/here", headers=HTMX), 404)
    assert as_json(browser.get("/nothing/here.json"), 404) == SENTENCES[404]


def test_an_unknown_address_is_not_shown_again(client):
    assert "<script>x" not in client.get("/<script>x</script>").text


def test_a_wrong_method_is_a_405_that_says_which_are_right(alice):
    answer = alice.client.get("/finance/pulls/accounts")

    assert SENTENCES[405] in as_page(answer, 405)
    assert set(answer.allow) == {"POST", "OPTIONS"}
    assert SENTENCES[405] in as_fragment(alice.htmx("GET", "/finance/pulls/accounts"), 405)
    assert as_json(alice.client.post("/finance/accounts.json"), 405) == SENTENCES[405]


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup"])
def test_a_body_over_one_megabyte_is_a_413(client, path):
    form = {"username": "x" * (1024 * 1024 + 1)}

    assert SENTENCES[413] in as_page(client.post(path, data=form), 413)
    assert SENTENCES[413] in as_fragment(client.post(path, data=form, headers=HTMX), 413)


@pytest.fixture
def broken(app, monkeypatch):
    """Two functions of the rooms below fail as no code foresaw."""

    def fail(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(pages, "render_dashboard", fail)
    monkeypatch.setattr(exports.accounts, "of_user", fail)
    app.testing = False


@pytest.mark.usefixtures("broken")
def test_a_bug_is_a_500_with_a_sentence_and_the_log_has_the_rest(alice, caplog):
    for said in (
        as_page(alice.client.get("/finance/"), 500),
        as_fragment(alice.htmx("GET", "/finance/"), 500),
        as_json(alice.client.get("/finance/accounts.json"), 500),
    ):
        assert SENTENCES[500] in said
        assert SECRET not in said
        assert "Traceback" not in said
    assert caplog.text.count(f"RuntimeError: {SECRET}") == 3


def dead_postgres():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return f"postgresql+psycopg://nobody:{SECRET.replace(' ', '-')}@127.0.0.1:{port}/none"


@pytest.fixture
def away(app, alice):
    """Alice's browser, and an app whose PostgreSQL has gone away since she logged in."""
    without = create_app(replace(app.config["PLAIDAPP"], database_url=dead_postgres()))
    browser = without.test_client()
    browser.set_cookie("session", alice.client.get_cookie("session").value)
    yield browser
    without.extensions["redis"].close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_database_a_person_reads_so(away, caplog):
    for said in (
        as_page(away.get("/finance/"), 503),
        as_fragment(away.get("/finance/pulls/1", headers=HTMX), 503),
        as_json(away.get("/finance/transactions.json"), 503),
    ):
        assert SENTENCES[503] in said or escaped(SENTENCES[503]) in said
        assert "the-text-of" not in said
    assert "the-text-of" not in caplog.text
    assert "OperationalError" in caplog.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_database_what_needs_none_still_answers(away):
    assert away.get("/healthz").status_code == 200
    assert away.get("/static/app.css", buffered=True).status_code == 200
    away.delete_cookie("session")
    assert away.get("/auth/login").status_code == 200
    assert away.get("/finance/").status_code == 302


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_database_nobody_is_logged_out(app, away):
    assert away.get("/finance/").status_code == 503
    back = app.test_client()
    back.set_cookie("session", away.get_cookie("session").value)

    assert back.get("/finance/").status_code == 200


def test_a_database_without_its_tables_is_an_error_with_a_sentence(app, alice, caplog):
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
    assert escaped(SENTENCES[answer.status_code]) in answer.text
    assert "SELECT" not in answer.text
    assert any(record.levelno >= logging.ERROR for record in caplog.records)


def test_the_app_goes_on_after_an_error(app, alice):
    app.testing = False
    assert alice.client.get("/finance/items/999").status_code == 404
    assert alice.client.get("/finance/").status_code == 200
