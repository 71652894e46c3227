"""Store rows with nothing but the database driver, as fast as it can.

Both functions return the seconds from the first row to the commit. With `plain`, the target is a
table of sixteen columns with two indexes, a unique one and one for pages; otherwise it is the app's
own table. With `new`, the caller knows that the table has none of the rows yet.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import URL

Row = tuple[Any, ...]

SIXTEEN = (
    "user_id", "item_id", "account_id", "plaid_transaction_id", "pending_transaction_id", "date",
    "authorized_date", "amount", "iso_currency_code", "unofficial_currency_code", "name",
    "merchant_name", "category_primary", "category_detailed", "payment_channel", "pending",
)  # fmt: skip


def plain_table(
    columns: Sequence[str], rows: Sequence[Row], kind: str
) -> tuple[str, Sequence[str], list[Row]]:
    """Return the DDL of the plain table, its columns, and their values in `rows`."""
    number = "INTEGER" if kind == "sqlite" else "BIGINT"
    numbers = ("user_id", "item_id", "account_id", "amount")
    day, flag = ("TEXT", "INTEGER") if kind == "sqlite" else ("DATE", "BOOLEAN")
    types = dict.fromkeys(SIXTEEN, "TEXT") | dict.fromkeys(numbers, number)
    types |= {"date": day, "authorized_date": day, "pending": flag}
    identity = "INTEGER PRIMARY KEY" if kind == "sqlite" else "BIGSERIAL PRIMARY KEY"
    body = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    ddl = (
        f"CREATE TABLE plain (id {identity}, {body}, UNIQUE (item_id, plaid_transaction_id));"
        "CREATE INDEX plain_page ON plain (user_id, date, id)"
    )
    places = [columns.index(name) for name in SIXTEEN]
    return ddl, SIXTEEN, [tuple(row[place] for place in places) for row in rows]


def upsert(table: str, columns: Sequence[str], source: str) -> str:
    """Return an upsert statement. `source` is its VALUES or SELECT clause."""
    names = ", ".join(columns)
    updated = [name for name in columns if name not in ("item_id", "plaid_transaction_id")]
    changes = ", ".join(f"{name} = excluded.{name}" for name in updated)
    return (
        f"INSERT INTO {table} ({names}) {source}"
        f" ON CONFLICT (item_id, plaid_transaction_id) DO UPDATE SET {changes}"
    )


def sqlite(url: URL, columns: Sequence[str], rows: Sequence[Row], plain: bool) -> float:
    path = url.database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=10000")
        marks = ", ".join("?" * len(columns))
        if plain:
            ddl, columns, rows = plain_table(columns, rows, "sqlite")
            connection.executescript(ddl)
            marks = ", ".join("?" * len(columns))
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(upsert("plain", columns, f"VALUES ({marks})"), rows)
        else:
            # One statement for all rows: with one per row, the search index is written each time.
            names = ", ".join(columns)
            connection.execute(f"CREATE TEMP TABLE staged ({names})")
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO staged VALUES ({marks})", rows)
            source = f"SELECT {names} FROM staged WHERE true"
            connection.execute(upsert('"transaction"', columns, source))
        connection.execute("COMMIT")
        return time.perf_counter() - start


def postgresql(
    url: URL, columns: Sequence[str], rows: Sequence[Row], plain: bool, new: bool
) -> float:
    uri = url.set(drivername="postgresql").render_as_string(hide_password=False)
    table = '"transaction"'
    with psycopg.connect(uri) as connection:
        if plain:
            ddl, columns, rows = plain_table(columns, rows, "postgresql")
            connection.execute(ddl)
            connection.commit()
            table = "plain"
        names = ", ".join(columns)
        start = time.perf_counter()
        target = table if new else "staged"
        if not new:
            connection.execute(f"CREATE TEMP TABLE staged AS SELECT {names} FROM {table} LIMIT 0")
        with connection.cursor().copy(f"COPY {target} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        if not new:
            connection.execute(upsert(table, columns, f"SELECT {names} FROM staged"))
        connection.commit()
        return time.perf_counter() - start
