"""A long history is downloaded whole, and is never in memory as a whole."""

import io
import json
import os
import re
import zipfile
from pathlib import Path

import brotli
import pytest
import requests
from sqlalchemy import func, insert, select, true

from plaidapp.extensions import db
from plaidapp.store import ReceivedPage, Transaction
from tests.full_person import fill
from tests.own_gunicorn import serving

LONG = os.environ.get("CHAOS") == "long"
ROWS, PAGES = (1_000_000, 2_000) if LONG else (10_000, 120)
MB = 2**20
GROWTH = 16
"""MB by which the process may grow. The short form's files have 60 MB."""


@pytest.fixture
def history(app, alice):
    """Give Alice many transactions, and the pages in which they came."""
    with app.app_context():
        ids = fill(alice.id)
        columns = [each for each in Transaction.__table__.columns if not each.computed]
        numbers = select(func.generate_series(1, ROWS - 1).label("number")).subquery()
        values = {each.name: each for each in columns if each.name != "id"}
        values["plaid_transaction_id"] = func.concat("tx-", numbers.c.number)
        rows = select(*values.values()).join_from(Transaction.__table__, numbers, true())
        rows = rows.where(Transaction.id == ids["transaction"])
        db.session.execute(insert(Transaction).from_select(list(values), rows))
        body = brotli.compress(json.dumps([{"id": "x" * 900}] * 500).encode())
        page = {"item_id": ids["item"], "received_at": func.now(), "body": body}
        for _ in range(PAGES):
            db.session.execute(insert(ReceivedPage).values(page))
        db.session.delete(db.session.get(ReceivedPage, ids["received_page"]))
        db.session.commit()
    return alice


@pytest.fixture
def served(app, database_url, redis_url, tmp_path):
    """Start gunicorn as the Procfile does, on the same database."""
    with serving(database_url, redis_url, tmp_path) as (host, running):
        yield f"http://{host}", running


def download(url, person):
    browser = requests.Session()
    cookie = person.client.get_cookie("session").value
    browser.cookies.set("session", cookie, domain="127.0.0.1", path="/")
    page = browser.get(f"{url}/auth/account", timeout=60)
    assert page.status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    answer = browser.post(f"{url}/auth/download", data={"csrf_token": token}, timeout=600)
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(answer.content))


def peak(running):
    """Return the most memory that a process of the family has had, in MB."""
    status = [Path(f"/proc/{each.pid}/status").read_text() for each in running.family()]
    return max(int(re.search(r"VmHWM:\s+(\d+) kB", each)[1]) for each in status) / 1024


def test_a_long_history_is_whole_and_the_memory_flat(app, history, charlie, served):
    url, running = served
    download(url, charlie)
    before = peak(running)

    file = download(url, history)

    assert peak(running) - before < GROWTH
    assert sum(each.file_size for each in file.infolist()) > 3 * GROWTH * MB
    assert file.testzip() is None
    with app.app_context():
        stored = db.session.execute(select(Transaction.id, Transaction.plaid_transaction_id))
        there = {row.id: row.plaid_transaction_id for row in stored}
    with file.open("transactions.jsonl") as lines:
        read = [json.loads(line) for line in lines]
    assert len(read) == len(there) == ROWS
    assert {row["id"]: row["plaid_transaction_id"] for row in read} == there
    pages = [name for name in file.namelist() if name.startswith("pages/")]
    assert len(pages) == PAGES
