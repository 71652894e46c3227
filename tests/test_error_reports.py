"""With SENTRY_DSN, unexpected errors are reported, and nothing private is in a report."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from tests.test_config import ENOUGH

SCRIPT = """
import logging, sys
from sqlalchemy import text
import wsgi
from plaidapp.extensions import db
from plaidapp.jobs import run
from plaidapp.jobs.worker_app import worker_app

TOKEN = "access-sandbox-11111111-2222-3333-4444-555555555555"

def broken_page(**_address):
    person, amount = "Olive Oyl", "1234.56"
    raise ValueError(f"{TOKEN} of 'Joe Miller' has $8765.43 left, olive@example.com")

def broken_claim(pull_id):
    raise KeyError("Corner Grocery")

def broken_query():
    with wsgi.app.app_context():
        try:
            db.session.execute(text("SELECT private FROM nowhere WHERE name = 'Rosebud'"))
        except Exception:
            logging.getLogger("plaidapp.jobs").exception("A query broke for %s", "Charlie Brown")

wsgi.app.view_functions["health.healthz"] = broken_page
for method in ("get", "post"):
    getattr(wsgi.app.test_client(), method)(
        "/healthz?q=dentist", headers={"Cookie": "session=c00kie", "Authorization": "Bearer k3yk3y"}
    )
run.transitions.claim = broken_claim
try:
    run.run(17)
except run.BrokenOffError:
    pass
broken_query()
logging.getLogger("plaidapp.jobs").error("Redis is away")
"""
DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
# None of them can be a part of an id, which is of hexadecimal digits.
PRIVATE = (
    *("access-sandbox", "Joe Miller", "$8765", "1234.56", "olive", "Olive", "dentist", "c00kie"),
    *("k3yk3y", "Corner", "Rosebud", "Charlie", ENOUGH["SECRET_KEY"], ENOUGH["TOKEN_KEYS"]),
)


@pytest.fixture
def sentry():
    """A server that keeps what is reported to it."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(DECODERS[self.headers["Content-Encoding"]](body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.bodies = bodies
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_reported_says_where_it_broke_and_nothing_private(sentry, tmp_path):
    dsn = f"http://public@127.0.0.1:{sentry.server_port}/1"
    variables = ENOUGH | {"DATABASE_URL": f"sqlite:///{tmp_path / 'db'}", "SENTRY_DSN": dsn}
    subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | variables, check=True, timeout=60
    )

    events = [json.loads(line) for body in sentry.bodies for line in body.splitlines()]
    events = [event for event in events if "exception" in event]
    errors = [event["exception"]["values"][-1] for event in events]
    assert [error["type"] for error in errors] == [
        *("ValueError", "KeyError", "OperationalError"),
    ]
    page, job, _query = events
    assert page["transaction"] == "/healthz"
    assert page["logentry"]["message"] == "Unhandled error on %s %s"
    assert re.fullmatch(r"r[0-9a-f]{16}", page["tags"]["request"])
    assert job["tags"] == {"pull": "17"}
    assert errors[0]["stacktrace"]["frames"][-1]["function"] == "broken_page"
    assert not any("vars" in frame for each in errors for frame in each["stacktrace"]["frames"])
    sent = b"".join(sentry.bodies).decode()
    assert [word for word in PRIVATE if word in sent] == []


def test_without_a_dsn_nothing_of_sentry_is_imported(tmp_path):
    variables = ENOUGH | {"DATABASE_URL": f"sqlite:///{tmp_path / 'db'}"}
    script = "import sys, wsgi; sys.exit('sentry_sdk' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], env=os.environ | variables, check=True)
