"""A file is sent while it is read: at once, in constant memory, and never half without an error."""

import contextlib
import http.client
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text

from plaidapp.extensions import db
from tests.own_gunicorn import serving
from tests.pages import Page

EXTENSIONS = ("csv", "json", "ofx", "qif", "beancount", "journal")
TYPES = (
    "text/csv",
    "application/json",
    "application/x-ofx",
    "application/qif",
    *["text/plain"] * 2,
)
PATHS = [f"/finance/export/transactions.{extension}" for extension in EXTENSIONS]
WITH_IDS = [path for path in PATHS if not path.endswith("qif")]


@pytest.fixture
def reads(app):
    """Count how many times rows were read."""
    seen = Counter()

    def count(_connection, _cursor, statement, *_rest):
        seen["pages"] += "transaction.name" in statement.replace('"', "")

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    yield seen
    event.remove(engine, "before_cursor_execute", count)


@pytest.mark.both_databases
def test_rows_are_read_while_they_are_sent_and_no_longer(app, books, reads, subtests):
    books.fill(3500)

    def download(path):
        reads.clear()
        return books.person.client.get(path, buffered=False)

    def connections_in_use():
        with app.app_context():
            return db.engine.pool.checkedout()

    for path in PATHS:
        with subtests.test(path), download(path) as answer:
            parts = answer.iter_encoded()
            assert next(parts)
            at_first = reads["pages"]
            assert next(parts)
            assert connections_in_use() == 0, "nothing is read now"
            assert sum(map(len, parts))
            assert 1 <= at_first <= reads["pages"] / 2

        with subtests.test(f"{path}, aborted"):
            with download(path) as answer:
                next(answer.iter_encoded())
            assert reads["pages"] <= 5
            assert connections_in_use() == 0


def test_a_download_has_its_content_type_and_file_name(books, subtests):
    books.fill(30)
    query = {"start_date": "2025-01-02", "end_date": "2025-01-31"}
    name = "attachment; filename=plaidapp-transactions-2025-01-02-to-2025-01-31."

    for path, kind in zip(PATHS, TYPES, strict=True):
        with subtests.test(path):
            answer = books.person.client.get(path, query_string=query, buffered=True)
            assert answer.mimetype == kind
            assert answer.mimetype_params.get("charset", "utf-8") == "utf-8"
            assert answer.headers["Content-Disposition"] == name + path.split(".")[1]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content_length is None


def test_without_dates_the_file_name_has_the_dates_of_the_rows(books):
    today = datetime.now(UTC).date()
    name = "attachment; filename=plaidapp-transactions-{}-to-{}.csv"
    empty = books.person.client.get(PATHS[0], buffered=True)
    assert empty.headers["Content-Disposition"] == name.format(today, today)

    books.fill(30)

    filled = books.person.client.get(PATHS[0], buffered=True)
    assert filled.headers["Content-Disposition"] == name.format("2025-01-01", today)


def test_a_download_takes_the_explorers_filter(books, subtests):
    books.fill(300)
    days = {"start_date": "2025-01-10", "end_date": "2025-01-12"}

    for path in WITH_IDS:
        with subtests.test(path):
            posted_alone = path.endswith("ofx")

            found = set(
                re.findall(r"tx-\d+", books.person.client.get(path, query_string=days).text)
            )
            none = books.person.client.get(path, query_string={"start_date": "2030-01-01"}).text

            assert found == {"tx-9", "tx-10"} | (set() if posted_alone else {"tx-11"})
            assert "tx-" not in none


def test_a_bad_filter_is_refused_with_a_sentence(alice, subtests):
    query = {"start_date": "2026-02-01", "end_date": "2026-01-01"}

    for path in PATHS:
        with subtests.test(path):
            answer = alice.client.get(path, query_string=query)

            assert answer.status_code == 422
            assert "Content-Disposition" not in answer.headers
            sentence = "To: The end date is before the start date. Swap them."
            if path.endswith(".json"):
                assert answer.json == {"error": sentence}
            else:
                assert sentence in Page(answer.text).text


def test_a_download_has_nothing_of_another_person(books, charlie, subtests):
    books.fill(100)

    for path in PATHS:
        with subtests.test(path):
            answer = charlie.client.get(path)

            assert answer.status_code == 200
            for hint in ("tx-", "Platypus", "Checking", "quoted", "0000"):
                assert hint not in answer.text


def test_the_json_export_matches_transactions_json(books):
    books.fill(1200)
    address, rows = "/finance/transactions.json", []
    while address:
        page = books.person.client.get(address).json
        rows += page["transactions"]
        address = page["next"]

    whole = books.person.client.get("/finance/export/transactions.json").json

    assert (whole["total_transactions"], whole["next"]) == (1200, None)
    own = ("category", "category_detailed", "note")
    assert [
        {name: value for name, value in row.items() if name not in own}
        for row in whole["transactions"]
    ] == rows
    ours = books.rows()
    for row in whole["transactions"]:
        stored = ours[row["transaction_id"]]
        own_values = row["category"], row["note"], row["hidden"]
        assert own_values == (stored.category, stored.note, stored.hidden)


def test_the_export_menu_links_to_every_format_with_the_filter(books):
    books.fill(30)
    query = "start_date=2025-01-02&end_date=2025-01-31"
    more = "_external=1&_scheme=javascript&endpoint=x&after=2025-01-20_1"

    page = Page(books.person.client.get(f"/finance/transactions?{query}&{more}").text)

    links = [attributes["href"] for tag, attributes, _ in page.elements if tag == "a"]
    assert [link for link in links if "/export/" in link] == [f"{path}?{query}" for path in PATHS]


@pytest.fixture
def unreadable(app, books):
    """Make rows unreadable: SQLite stores text as a date, and reading it fails."""
    books.fill(2000)

    def spoil(rows):
        statement = f"UPDATE \"transaction\" SET authorized_date = 'x' WHERE {rows}"  # noqa: S608
        with app.app_context():
            db.session.execute(text(statement))
            db.session.commit()

    return spoil


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_failure_before_the_first_part_is_an_error_page(app, books, unreadable, subtests):
    unreadable("true")
    app.config["PROPAGATE_EXCEPTIONS"] = False

    for path in PATHS:
        with subtests.test(path):
            answer = books.person.client.get(path)

            assert answer.status_code == 500
            assert "Content-Disposition" not in answer.headers
            assert "Your stored data is safe" in answer.text


@pytest.fixture
def served(books, database_url, redis_url, tmp_path):
    """Start gunicorn as the Procfile does, on the same database, and return its address."""
    with serving(database_url, redis_url, tmp_path) as (host, _running):
        yield host


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_failure_during_the_download_leaves_it_incomplete(books, unreadable, served):
    cookie = {"Cookie": f"session={books.person.client.get_cookie('session').value}"}

    def read():
        with contextlib.closing(http.client.HTTPConnection(served, timeout=30)) as connection:
            connection.request("GET", PATHS[0], headers=cookie)
            with connection.getresponse() as answer:
                assert (answer.status, answer.getheader("Transfer-Encoding")) == (200, "chunked")
                return answer.read()

    assert read().count(b"tx-") == 2000
    unreadable("id = 1")  # a row of the oldest day, which is read last
    with pytest.raises(http.client.IncompleteRead) as half:
        read()
    assert b"tx-" in half.value.partial
