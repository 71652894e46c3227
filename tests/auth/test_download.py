"""Download everything: every row of the person, exactly, and nothing of anybody else."""

import base64
import hashlib
import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Event

import brotli
import pytest
from sqlalchemy import Date, LargeBinary, Table, select, update

from plaidapp import policy
from plaidapp.auth.download import archive, contents, page
from plaidapp.extensions import db
from plaidapp.store import Activity, LoginSession, ReceivedPage, User
from plaidapp.store.base import owned_rows, row_values
from plaidapp.store.base.types import Moment, Money
from plaidapp.store.pulls import kinds, pulls
from tests.conftest import PASSWORD
from tests.full_person import fill
from tests.logged_in import logged_in
from tests.pages import Page

PAGE = b'{"added":[{"amount":12.50}],"modified":[]}'
LEFT_OUT = {
    name: contents.SECRET.get(name, set()) | contents.DERIVED.get(name, set())
    for name in contents.FILES
}


@pytest.fixture
def filled(app, alice, charlie):
    """Alice and a stranger, with something in each column of each table."""
    with app.app_context():
        for person in (alice, charlie):
            fill(person.id)
        db.session.execute(update(ReceivedPage).values(body=brotli.compress(PAGE)))
        db.session.commit()
    return alice


def unzipped(answer):
    with answer:
        content = answer.data
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    return zipfile.ZipFile(io.BytesIO(content))


def rows_in(file, table):
    lines = file.read(f"{contents.FILES[table]}.jsonl").splitlines()
    return [json.loads(line) for line in lines]


def test_every_table_is_in_a_file_or_named_as_left_out():
    theirs = {table.name for table in owned_rows.tables()}
    assert contents.FILES.keys() | contents.IN_NONE == theirs
    assert not contents.FILES.keys() & contents.IN_NONE


def test_what_is_left_out_exists_and_secrets_are():
    secret = re.compile("hash|sealed|token$|secret")
    for table in owned_rows.tables():
        if table.name in contents.IN_NONE:
            continue
        columns = table.columns.keys()
        assert set(columns) >= LEFT_OUT[table.name], table.name
        assert {name for name in columns if secret.search(name)} <= LEFT_OUT[table.name], table.name


@pytest.mark.both_databases
def test_it_has_every_row_exactly_as_it_is_stored(app, filled, charlie):
    file = unzipped(filled.client.post("/auth/download"))

    assert file.testzip() is None
    with app.app_context():
        for name in contents.FILES:
            table = db.metadata.tables[name]
            mine = owned_rows.theirs(table, filled.id)
            key = table.primary_key.columns
            stored = db.session.execute(select(table).where(mine).order_by(*key)).mappings().all()
            read = [read_back(table, row) for row in rows_in(file, name)]
            assert read == [kept(table, row) for row in stored], name
            assert stored, name


def read_back(table: Table, row):
    """Return the values that a line stands for, as a program that imports it would."""
    return {name: value_of(table.columns[name], value) for name, value in row.items()}


def value_of(column, value):
    if value is None:
        return None
    readers = {
        Date: date.fromisoformat,
        LargeBinary: base64.b64decode,
        Moment: datetime.fromisoformat,
        Money: Decimal,
    }
    return readers.get(type(column.type), lambda same: same)(value)


def kept(table, row):
    """Return a stored row without what is left out, and sums as the one number that they are."""
    values = {name: value for name, value in row.items() if name not in LEFT_OUT[table.name]}
    for name in [each for each in values if each.endswith(row_values.HIGH)]:
        low, high = name.removesuffix(row_values.HIGH), values.pop(name)
        values[low] += high * row_values.joined(Decimal(0), 1)
    return values


def test_it_has_the_pages_as_plaid_sent_them(app, filled):
    file = unzipped(filled.client.post("/auth/download"))

    (page_row,) = rows_in(file, "received_page")
    assert file.read(f"pages/{page_row['id']}.json") == PAGE
    assert rows_in(file, "transaction")[0]["page_id"] == page_row["id"]


def test_the_manifest_names_every_file(filled):
    file = unzipped(filled.client.post("/auth/download"))

    told = json.loads(file.read("manifest.json"))
    assert (told["format"], told["version"]) == ("plaidapp-download", 1)
    assert [each["name"] for each in told["files"]] + ["manifest.json"] == file.namelist()
    for each in told["files"]:
        content = file.read(each["name"])
        assert each["bytes"] == len(content)
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each.get("rows", 0) == content.count(b"\n") * each["name"].endswith(".jsonl")


def test_nothing_secret_and_nothing_of_others_is_in_it(app, filled, charlie):
    file = unzipped(filled.client.post("/auth/download"))

    everything = b"".join(file.read(name) for name in file.namelist())
    with app.app_context():
        hashes = [user.password_hash for user in db.session.scalars(select(User))]
        tokens = db.session.scalars(select(LoginSession.token_hash)).all()
    for secret in (*hashes, *tokens, "charlie", "sealed_token", "access_token"):
        assert secret.encode() not in everything


def test_the_download_is_an_activity_and_is_in_itself(app, alice):
    file = unzipped(alice.client.post("/auth/download"))

    (row,) = rows_in(file, "activity")
    assert row["kind"] == "downloaded"
    assert "Everything downloaded" in Page(alice.client.get("/auth/activity").text).text


@pytest.mark.both_databases
def test_what_is_written_meanwhile_is_not_in_it_and_does_not_wait(app, filled, monkeypatch):
    """The file has one state of everything. SQLite's writers are not kept out."""
    lines_of, written = contents.lines_of, []

    def write_first(table, user_id):
        if table == "pull" and not written:
            written.append(write(app, user_id))
        return lines_of(table, user_id)

    monkeypatch.setattr(archive, "lines_of", write_first)
    file = unzipped(filled.client.post("/auth/download"))
    assert len(rows_in(file, "pull")) == 1
    with app.app_context():
        assert len(db.session.execute(select(db.metadata.tables["pull"])).all()) == 3


def write(app, user_id):
    """Add a pull, as a worker does."""
    with ThreadPoolExecutor() as worker:
        return worker.submit(_write, app, user_id).result()


def _write(app, user_id):
    with app.app_context():
        pulls.add(user_id, kinds.ACCOUNTS)
        db.session.commit()


@pytest.mark.both_databases
def test_it_is_whole_if_everything_is_deleted_meanwhile(app, connected, monkeypatch, work, dump):
    tablet, lines_of = logged_in(app, connected.id), contents.lines_of
    begun, deleted = Event(), Event()

    def wait_first(table, user_id):
        if table == "item":
            begun.set()
            assert deleted.wait(60)
        return lines_of(table, user_id)

    monkeypatch.setattr(archive, "lines_of", wait_first)
    with ThreadPoolExecutor() as pool:
        download = pool.submit(lambda: unzipped(connected.client.post("/auth/download")))
        assert begun.wait(60)
        assert tablet.post("/auth/delete", data={"password": PASSWORD}).location == "/auth/login"
        work()
        deleted.set()
        file = download.result()
    assert file.testzip() is None
    assert [len(rows_in(file, name)) for name in ("item", "account", "transaction")] == [1, 2, 3]
    left = {name for name, rows in dump().items() if rows}
    assert not left & {table.name for table in owned_rows.tables()}


def test_a_stranger_to_the_password_downloads_nothing(app, alice, later):
    later(minutes=11)
    before = app_activity(app)

    answer = alice.client.post("/auth/download")

    assert (answer.status_code, answer.location) == (303, "/auth/confirm?next=/auth/download")
    assert app_activity(app) == before
    sent = {"password": PASSWORD, "next": "/auth/download"}
    answer = alice.client.post("/auth/confirm", data=sent, follow_redirects=True)
    assert answer.request.path == "/auth/account"
    assert unzipped(alice.client.post("/auth/download"))


def app_activity(app):
    with app.app_context():
        return len(db.session.scalars(select(Activity)).all())


def test_only_a_few_download_at_a_time(app, alice):
    before = app_activity(app)
    with ExitStack() as under_way:
        for _ in range(policy.DOWNLOADS_AT_ONCE):
            under_way.enter_context(page._places)
        refused = alice.client.post("/auth/download")
    assert refused.status_code == 503
    assert "Several people are downloading" in refused.text
    assert "Content-Disposition" not in refused.headers
    assert app_activity(app) == before

    for _ in range(policy.DOWNLOADS_AT_ONCE + 1):  # each gives its place back
        assert unzipped(alice.client.post("/auth/download"))


def test_the_format_is_documented():
    """Every file, and in its line every field."""
    text = (Path(__file__).parents[2] / "docs/download-format.md").read_text()
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    for name, file in contents.FILES.items():
        columns = set(db.metadata.tables[name].columns.keys()) - LEFT_OUT[name]
        told = set(re.findall(r"`(\w+)`", lines[f"{file}.jsonl"]))
        assert told >= {each for each in columns if not each.endswith(row_values.HIGH)}, file
