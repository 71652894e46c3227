"""Rows into a table by the bare driver, as quickly as it can: seconds from the first to the commit.

`plain` is a table of sixteen columns with a unique index and a page's, otherwise it is ours; `new`
says that the rows are known not to be there.
"""

import sqlite3
import time
from contextlib import closing
from typing import Any

import psycopg

SIXTEEN = (
    "user_id", "item_id", "account_id", "plaid_transaction_id", "pending_transaction_id", "date",
    "authorized_date", "amount", "iso_currency_code", "unofficial_currency_code", "name",
    "merchant_name", "category_primary", "category_detailed", "payment_channel", "pending",
)  # fmt: skip


def plain_table(columns: list[str], rows: list[tuple[Any, ...]], kind: str) -> tuple[str, Any, Any]:
    """The DDL of the floor's own table, its columns, and its rows."""
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


def upserting(table: str, columns: Any, source: str) -> str:
    names = ", ".join(columns)
    kept = [name for name in columns if name not in ("item_id", "plaid_transaction_id")]
    changes = ", ".join(f"{name} = excluded.{name}" for name in kept)
    return (
        f"INSERT INTO {table} ({names}) {source}"
        f" ON CONFLICT (item_id, plaid_transaction_id) DO UPDATE SET {changes}"
    )


def sqlite(url: Any, columns: list[str], rows: Any, plain: bool) -> float:
    with closing(sqlite3.connect(url.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=10000")
        marks = ", ".join("?" * len(columns))
        if plain:
            ddl, columns, rows = plain_table(columns, rows, "sqlite")
            connection.executescript(ddl)
            marks = ", ".join("?" * len(columns))
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(upserting("plain", columns, f"VALUES ({marks})"), rows)
        else:
            # One statement: for one a row the search index would write itself out each time.
            names = ", ".join(columns)
            connection.execute(f"CREATE TEMP TABLE staged ({names})")
            start = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO staged VALUES ({marks})", rows)
            source = f"SELECT {names} FROM staged WHERE true"
            connection.execute(upserting('"transaction"', columns, source))
        connection.execute("COMMIT")
        return time.perf_counter() - start


def postgresql(url: Any, columns: list[str], rows: Any, plain: bool, new: bool) -> float:
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
            connection.execute(upserting(table, columns, f"SELECT {names} FROM staged"))
        connection.commit()
        return time.perf_counter() - start
