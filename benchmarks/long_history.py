"""Fill a database with a long history, faster than the app could.

The history covers ten years and nine accounts at one bank. Whatever its length, one row in ten is
for coffee, ten rows are a locksmith's, and as many payments recur. The database driver writes the
rows; the app then computes the totals that it stores beside them.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import make_url, text

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store.base.search_terms import pairs_of, sort_key
from plaidapp.store.connections import accounts, item_states, items
from plaidapp.store.people import users
from plaidapp.store.recurring import recurring_streams, save_streams
from plaidapp.store.reports import derived

COMMON, RARE = "coffee", "locksmith"
RARE_ROWS = 10
MERCHANTS = 2_000
YEARS = 10
DAYS = 365 * YEARS
STREAMS, PAYMENTS = 30, 24
"""Recurring payments, and how often each was paid: every month."""
MONTH = 30  # days
ACCOUNTS = (
    *("depository", "depository", "credit", "credit", "loan"),
    *("investment", "depository", "credit", "depository"),
)
SHARES = (40, 5, 30, 10, 1, 2, 8, 3, 1)
CATEGORIES = (
    *("FOOD_AND_DRINK", "GENERAL_MERCHANDISE", "TRANSPORTATION", "RENT_AND_UTILITIES"),
    *("ENTERTAINMENT", "TRAVEL", "INCOME", "TRANSFER_OUT", "MEDICAL", "PERSONAL_CARE"),
)
COLUMNS = (
    *("user_id", "item_id", "account_id", "plaid_transaction_id", "date", "amount"),
    *("iso_currency_code", "name", "merchant_name", "category_primary", "category_detailed"),
    *("payment_channel", "title_key", "pairs", "pending", "hidden"),
)
FILL_SEARCH = """
INSERT INTO transaction_search (rowid, pairs)
SELECT id, replace(pairs, ' ', ' ' || user_id || 'u') FROM "transaction"
"""
SYLLABLES = ("ka", "to", "mi", "ren", "sol", "bar", "win", "ter", "lo", "vis", "dun", "pex")


@dataclass(frozen=True)
class Shop:
    """A merchant, with the text and the search terms of its rows."""

    name: str
    merchant: str
    category: str
    title_key: str
    pairs: str


def add_user(name: str) -> int:
    """Add a user who cannot log in, and return the id."""
    user = users.add(name, f"{name}@example.com", "none")
    db.session.commit()
    return user.id


def add_history(app: Flask, user_id: int, rows: int, merchants: int = MERCHANTS) -> None:
    """Give the user an Item with nine accounts and `rows` transactions."""
    with app.app_context():
        item = items.add(
            user_id=user_id,
            plaid_item_id=f"item-of-{user_id}",
            access_token=b"",
            institution_name="Platypus Bank",
            update_status=item_states.COMPLETE,
            synced_at=datetime.now(UTC),
        )
        accounts.save(user_id, item.id, [_account(n, kind) for n, kind in enumerate(ACCOUNTS)])
        ids = list(accounts.ids_of_item(item.id).values())
        url = app.config["SQLALCHEMY_DATABASE_URI"]
        db.session.commit()
        db.engine.dispose()
        write = _to_sqlite if url.startswith("sqlite") else _to_postgresql
        write(url, _rows(user_id, item.id, ids, rows, merchants))
        derived.rebuild(ids)
        found = payloads.Recurring([], [_stream(number, rows) for number in range(STREAMS)], "")
        save_streams.save(user_id, item.id, accounts.ids_of_item(item.id), found)
        db.session.commit()
        if not url.startswith("sqlite"):
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
                outside.execute(text("VACUUM ANALYZE"))


def _account(number: int, kind: str) -> payloads.PlaidAccount:
    balances = payloads.Balances(current=Decimal(1000 + number), iso_currency_code="USD")
    return payloads.PlaidAccount(
        account_id=f"account-{number}", name=f"Account {number}", type=kind, balances=balances
    )


def _rows(
    user_id: int, item_id: int, ids: list[int], count: int, merchants: int
) -> Iterator[tuple[Any, ...]]:
    """Give the rows newest first, as Plaid does. The same count gives the same rows."""
    chance = random.Random(count)
    shops, rare = _shops(chance, merchants)
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=age) for age in range(DAYS)]
    chosen = chance.choices(shops, k=count)
    account_ids = chance.choices(ids, SHARES, k=count)
    for number in range(count):
        shop = rare if number % (count // RARE_ROWS) == 7 else chosen[number]
        cents = chance.randrange(100, 30_000)
        amount = (-cents if shop.category == "INCOME" else cents) * 10**6
        yield (
            *(user_id, item_id, account_ids[number], f"transaction-{number}"),
            *(days[number * len(days) // count], amount, "USD", shop.name, shop.merchant),
            *(shop.category, shop.category + "_OTHER", "in store", shop.title_key, shop.pairs),
            *(number < 5, False),
        )


def _stream(number: int, rows: int) -> payloads.PlaidStream:
    """A bill that was last paid `number` days ago. Its payments are rows of about those days."""
    last = datetime.now(UTC).date() - timedelta(days=number)
    ages = [number + MONTH * payment for payment in range(PAYMENTS)]
    return payloads.PlaidStream(
        stream_id=f"stream-{number}",
        account_id="account-0",
        description=f"Bill {number}",
        frequency=recurring_streams.MONTHLY,
        first_date=last - timedelta(days=MONTH * (PAYMENTS - 1)),
        last_date=last,
        transaction_ids=[f"transaction-{age * rows // DAYS}" for age in reversed(ages)],
        average_amount=payloads.StreamAverage(Decimal(10 + number)),
        last_amount=payloads.StreamAmount(Decimal(10 + number), "USD"),
        is_active=True,
        status="MATURE",
        predicted_next_date=last + timedelta(days=MONTH),
    )


def _shops(chance: random.Random, count: int) -> tuple[list[Shop], Shop]:
    """Return that many shops, one in ten of which sells coffee, and the rare one."""

    def shop(merchant: str, category: str) -> Shop:
        name = f"{merchant.upper()} #{chance.randrange(10_000):04} {_word(chance).upper()} CA"
        return Shop(name, merchant, category, sort_key(merchant), pairs_of(merchant, name))

    def merchant(number: int) -> str:
        return f"{_word(chance)} {COMMON if number % 10 == 0 else _word(chance)}".title()

    shops = [shop(merchant(number), chance.choice(CATEGORIES)) for number in range(count)]
    return shops, shop(f"Ace {RARE}".title(), "HOME_IMPROVEMENT")


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=chance.randrange(2, 4)))


def _to_sqlite(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Drop indexes and triggers, write the rows, and create them again, which is faster."""
    path = make_url(url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        dropped = connection.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'transaction'"
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("BEGIN")
        for kind, name, _ in dropped:
            connection.execute(f"DROP {kind} {name}")
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(
            f'INSERT INTO "transaction" ({", ".join(COLUMNS)}) VALUES ({marks})',
            ((*row[:4], row[4].isoformat(), *row[5:]) for row in rows),
        )
        connection.execute(FILL_SEARCH)
        for _, _, statement in dropped:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _to_postgresql(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Do the same on PostgreSQL, but keep unique indexes and primary keys."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        dropped = cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'transaction' AND indexname LIKE 'ix_%'"
        ).fetchall()
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute("SET session_replication_role = replica")  # no foreign key checks
        for name, _ in dropped:
            cursor.execute(f"DROP INDEX {name}")
        command = f'COPY "transaction" ({", ".join(COLUMNS)}) FROM STDIN'
        with cursor.copy(command) as copy:
            for row in rows:
                copy.write_row(row)
        for _, statement in dropped:
            cursor.execute(statement)
