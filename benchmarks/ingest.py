"""How fast does a history become stored rows?

"The whole job" is the real job, from the sandbox's responses over HTTP to the commit. "Bare driver"
is the least possible work: an upsert of finished rows from memory, with one commit. One of its
targets is a plain table of sixteen columns and two indexes, the other is the app's own table with
all its indexes. The naive way is plaid-python's typed models and a select and an add per row.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from flask import Flask

from benchmarks import bare_driver, harness, naive_ingest
from benchmarks.bare_driver import Row
from benchmarks.prepared_database import SECRET_KEY, TOKEN_KEY, PreparedDatabase
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs import startup
from plaidapp.jobs.transactions import store_update, sync
from plaidapp.store import Item, Transaction
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds, pulls
from tests.e2e.processes import clean_env


def main() -> None:
    options = harness.arguments(__doc__ or "")
    rows, rounds = (5_000, 1) if options.quick else (50_000, 5)
    startup.warm_up()
    with harness.sandbox() as bank:
        for kind in harness.DATABASES:
            with harness.database(kind) as url:
                compare(kind, PreparedDatabase(url, bank, rows), rounds)
        peaks(bank, (5_000, 10_000) if options.quick else (50_000, 200_000))


def compare(kind: str, prepared: PreparedDatabase, rounds: int) -> None:
    """Time every way to store the same rows, and print rows per second and the ratios."""
    storing: list[float] = []

    def job() -> float:
        with prepared.copy():
            seconds, storing_seconds = run_job(prepared)
            storing.append(prepared.rows / storing_seconds)
        return prepared.rows / seconds

    columns, rows = finished_rows(prepared)
    ways: dict[str, Callable[[], float]] = {
        "the whole job": job,
        "bare driver, two indexes": lambda: bare(prepared, columns, rows, plain=True),
        "bare driver, this table": lambda: bare(prepared, columns, rows, plain=False),
        **copying(kind, prepared, columns, rows),
        "typed models and ORM": lambda: naive_ingest.ingest(prepared),
    }
    rates = {**harness.alternate(ways, rounds), "storing alone": storing}
    rivals = ("bare driver, two indexes", "bare driver, this table", "typed models and ORM")
    table = [
        [name, harness.median(values), *(harness.ratio(values, rates[rival]) for rival in rivals)]
        for name, values in rates.items()
    ]
    header = ("way", "rows per second", "of two indexes", "of this table", "times the naive way")
    harness.table(f"{prepared.rows:,} rows into {kind}", header, table)


def copying(
    kind: str, prepared: PreparedDatabase, columns: list[str], rows: list[Row]
) -> dict[str, Callable[[], float]]:
    """Add COPY on PostgreSQL. It is faster still, but every row must be new."""
    if kind == "SQLite":
        return {}
    name = "bare driver, this table, new rows by COPY"
    return {name: lambda: bare(prepared, columns, rows, plain=False, new=True)}


def add_pull(prepared: PreparedDatabase) -> int:
    """Add a pull of transactions and return its id."""
    item = db.session.get_one(Item, prepared.item_id)
    pull = pulls.add(prepared.user_id, kinds.TRANSACTIONS, items=[item], asked_by=pulls.PERSON)
    db.session.commit()
    return pull.id


def run_job(prepared: PreparedDatabase) -> tuple[float, float]:
    """Return the seconds that the job took, and how many of them it spent on storing."""
    pull_id = add_pull(prepared)
    storing: list[float] = []
    store = store_update.store_update

    def timed_store(*arguments: Any) -> sync_progress.Advance:
        start = time.perf_counter()
        outcome = store(*arguments)
        storing.append(time.perf_counter() - start)
        return outcome

    with patch.object(sync, "store_update", timed_store):
        start = time.perf_counter()
        jobs.run(pull_id)
        seconds = time.perf_counter() - start
    count = db.session.scalar(db.select(db.func.count()).select_from(Transaction))
    assert count == prepared.rows, f"{count} rows instead of {prepared.rows}"
    return seconds, sum(storing)


def finished_rows(prepared: PreparedDatabase) -> tuple[list[str], list[Row]]:
    """Return the column names and the rows that the job stores, as the driver reads them."""
    table = Transaction.__table__
    columns = [column.name for column in table.columns if column.name not in ("id", "size")]
    with prepared.copy():
        run_job(prepared)
        names = ", ".join(columns)
        rows = db.session.connection().exec_driver_sql(f'SELECT {names} FROM "transaction"')
        return columns, [tuple(row) for row in rows]


def bare(
    prepared: PreparedDatabase,
    columns: list[str],
    rows: list[Row],
    *,
    plain: bool,
    new: bool = False,
) -> float:
    """Return rows per second. For `plain` and `new`, see benchmarks/bare_driver.py."""
    with prepared.copy():
        url = db.engine.url
        if url.get_backend_name() == "sqlite":
            seconds = bare_driver.sqlite(url, columns, rows, plain)
        else:
            seconds = bare_driver.postgresql(url, columns, rows, plain, new)
    return len(rows) / seconds


def peaks(bank: str, sizes: tuple[int, ...]) -> None:
    """Print the peak memory of a worker process that runs only this job."""
    table = []
    for kind in harness.DATABASES:
        for rows in sizes:
            with harness.database(kind) as url:
                prepared = PreparedDatabase(url, bank, rows)
                with prepared.copy() as app:
                    table.append([f"{rows:,} rows, {kind}", peak(app, add_pull(prepared))])
    harness.table(
        "Peak memory of the worker", ("history", "MB (must be under 120, and flat)"), table
    )


def peak(app: Flask, pull_id: int) -> float:
    """Return the peak memory in MB."""
    env = clean_env(
        SECRET_KEY=SECRET_KEY,
        TOKEN_KEYS=TOKEN_KEY,
        DATABASE_URL=db.engine.url.render_as_string(hide_password=False),
        PLAID_BASE_URL=app.config["PLAIDAPP"].plaid_url,
        PLAID_CLIENT_ID="local",
        PLAID_SECRET="local",
    )
    command = [sys.executable, "-m", "benchmarks.peak_memory", str(pull_id)]
    return float(subprocess.run(command, env=env, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
