"""Each process logs lines that programs can read, and that have nothing private in them."""

import io
import json
import logging
import logging.config
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from plaidapp import log_context, logs, request_ids
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.redaction import redact

PRIVATE = (
    "access-sandbox-2f1e0ad8-64d5-4b4c-a1b3-6d2f8c1a7e55",
    "public-production-2f1e0ad8-64d5-4b4c-a1b3-6d2f8c1a7e55",
    "link-development-2f1e0ad8",
    "https://secure.plaid.com/hl/ls19i1si12",
    "https://bank.example/auth/reset/Zr9-x_4kQ0",
    "https://bank.example/finance/calendar/Zr9-x_4kQ0.ics",
    "GET /auth/email/confirm/Zr9-x_4kQ0 HTTP/1.1",
    "Authorization: Bearer abc.def-123",
    "gAAAAABnR0pXc2VjcmV0c2VjcmV0c2VjcmV0",
    "bound:gAAAAABnR0pXc2VjcmV0c2VjcmV0c2VjcmV0",
    "eyJhbGciOiJFUzI1NiJ9.eyJpYXQiOjF9.c2ln",
    "alice@example.com",
    "Alice.O'Neil+bank@mail.example.co.uk",
    "rediss://:hunter2@cache.example:6379/0",
    "postgresql+psycopg://app:hunter2@db.example/app",
    "/finance/transactions?q=divorce+lawyer&page=2",
    "DE89 3704 0044 0532 0130 00",
    "GB29NWBK60161331926819",
    "account 123456789012",
    "4111 1111 1111 1111",
    "123-45-6789",
)
TOLD = re.compile(
    r"2f1e0ad8|ls19i1|Zr9|abc\.def|AnR0pX|BnR0pX|eyJhb|alice@|Neil\+|hunter2|divorce|3704|60161|456789|1111|6789"
)
HARMLESS = (
    "2026-11-26 09:30:00 pull-12-0 of 1234567 rows",
    "2f1e0ad8-64d5-4b4c-a1b3-6d2f8c1a7e55",
    "What now? Ask again. http://127.0.0.1:8000/finance/",
)


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_private_is_taken_out(text):
    assert TOLD.search(text)
    assert not TOLD.search(redact(f"It says {text!r}, and goes on."))
    assert redact(f"{text} goes on").endswith("goes on")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays(text):
    assert redact(text) == text


@pytest.fixture
def lines(app):
    """Set the log up as a process does. Return what it has written, one object for each line."""
    root, written = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    config = replace(app.config["PLAIDAPP"], log_format="json", plaid_secret="hush, a secret")
    logging.config.dictConfig(logs.settings(config))
    (handler,) = root.handlers
    handler.setStream(written)

    def read():
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        written.truncate(written.seek(0))
        return found

    yield read
    root.handlers[:], root.level = before


def fail():
    try:
        raise KeyError("access-sandbox-1234")
    except KeyError as error:
        raise ValueError("alice@example.com said: hush, a secret") from error


def test_a_line_has_what_programs_look_for(lines):
    with log_context.about(pull=7), log_context.about(attempt=2):
        event("connect", person="0af1", institution=None)
    logging.getLogger("other").warning("%s pulls", 3)
    (first, second) = lines()
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "logger": "plaidapp.events",
        "message": "connect person=0af1",
        "event": "connect",
        "person": "0af1",
        "pull": 7,
        "attempt": 2,
    }
    assert (second["message"], "pull" in second) == ("3 pulls", False)


def test_a_traceback_is_in_one_line_and_redacted(lines):
    try:
        fail()
    except ValueError:
        logging.getLogger("other").exception("Failed for %s", "alice@example.com")
    (line,) = lines()
    assert line["message"] == "Failed for [email]"
    assert "builtins.KeyError: 'access-removed'" in line["error"]
    assert line["error"].endswith("builtins.ValueError: [email] said: [secret]")
    assert "in fail" in line["error"]


def test_a_call_that_cannot_be_formatted_is_logged_without_its_values():
    record = logging.LogRecord("other", logging.ERROR, "", 0, "%d rows", ("alice",), None)
    assert json.loads(logs.JsonLines([]).format(record))["message"] == "%d rows"


def test_a_lone_surrogate_breaks_no_line():
    """pytest must not see it: it can't send such a text from one process to another."""
    text = "a \ud800 and\na new line"
    record = logging.LogRecord("other", logging.ERROR, __file__, 1, text, None, None)
    line = logs.JsonLines([]).format(record)
    assert json.loads(line.encode())["message"] == text
    assert "\n" not in line


@pytest.mark.both_databases
def test_errors_of_the_database_quote_nothing(app, alice, lines):
    with app.app_context(), pytest.raises(IntegrityError) as caught:
        db.session.execute(
            db.text('UPDATE "user" SET username_key = :name, id = NULL'), {"name": "a confidence"}
        )
    logging.getLogger("other").error("Failed", exc_info=caught.value)
    (line,) = lines()
    assert re.search(r"sqlalchemy\.exc\.IntegrityError: $", line["error"])
    assert re.search(r"\.(NotNullViolation: 23502|IntegrityError: SQLITE_\w+)", line["error"])
    assert "confidence" not in line["error"]
    assert str(alice.id) not in line["error"].rpartition("Error: ")[2]


UNCAUGHT = """
import sys, threading, warnings
from dataclasses import replace
from config import Config
from plaidapp import logs
logs.configure(Config.from_env({env}))
warnings.warn("of alice@example.com")
def fail(): raise ValueError("alice@example.com")
thread = threading.Thread(target=fail)
thread.start(); thread.join()
fail()
"""


def test_what_ends_a_process_or_a_thread_is_logged_like_all_else(app):
    config = app.config["PLAIDAPP"]
    env = {
        "SECRET_KEY": config.secret_keys[0],
        "TOKEN_KEYS": config.token_keys[0],
        "PLAID_BASE_URL": config.plaid_url,
    }
    program = UNCAUGHT.format(env=env)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert [json.loads(line)["level"] for line in done.stderr.splitlines()] == [
        "WARNING",
        "CRITICAL",
        "CRITICAL",
    ]
    assert "alice" not in done.stderr


def breaking(app, monkeypatch):
    def fail_(*_):
        raise RuntimeError("alice@example.com")

    monkeypatch.setitem(app.view_functions, "auth.login", fail_)


def test_an_error_page_names_the_request_in_the_log(app, client, lines, monkeypatch):
    breaking(app, monkeypatch)
    lines()
    answer = client.get("/auth/login?next=/finance/transactions?q=divorce")
    number = answer.headers["X-Request-Id"]
    assert answer.status_code == 500
    assert f"Reference: {number}" in answer.text
    fragment = client.get("/auth/login", headers={"HX-Request": "true"})
    assert f"Reference: {fragment.headers['X-Request-Id']}" in fragment.text
    logged = lines()
    assert [line["request"] for line in logged if line["level"] == "ERROR"] == [
        number,
        fragment.headers["X-Request-Id"],
    ]
    assert not re.search("divorce|alice", json.dumps(logged))
    assert log_context.current() == {}


@pytest.mark.parametrize(
    ("proxies", "given", "counts"),
    [
        (0, "0af1-0af1-0af1", False),
        (1, "0af1-0af1-0af1", True),
        (1, 'a "quoted" one', False),
        (1, "a" * 65, False),
        (1, "4281712214593621", False),  # the log would take it for the number of a card
    ],
)
def test_only_a_trusted_proxy_may_name_a_request(app, proxies, given, counts):
    from plaidapp import create_app

    other = create_app(replace(app.config["PLAIDAPP"], trusted_proxies=proxies))
    answer = other.test_client().get("/healthz", headers={"X-Request-Id": given})
    named = answer.headers["X-Request-Id"]
    assert (named == given) is counts
    assert re.fullmatch(r"[\w-]{8,64}", named)


def test_an_id_of_digits_is_no_number_of_a_card(client, monkeypatch):
    monkeypatch.setattr(request_ids.secrets, "token_hex", lambda length: "42817122" * (length // 4))
    name = client.get("/healthz").headers["X-Request-Id"]
    assert "4281712242817122" in redact(name) == name


def test_every_answer_has_an_id_of_its_own(client):
    paths = ("/healthz", "/auth/login", "/nothing", "/static/app.css", "/finance/")
    names = [client.get(path).headers["X-Request-Id"] for path in paths]
    assert len({*names}) == len(paths)
