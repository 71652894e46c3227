"""A person with as many transactions as one likes, written past the app by the bare driver.

Ten years of nine accounts at one bank; one row in ten is a coffee, ten rows are a locksmith's,
however many rows there are. What the app keeps beside the rows it works out itself.
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
from plaidapp.store.base.search_terms import index_of, sort_key
from plaidapp.store.connections import accounts, items
from plaidapp.store.people import users
from plaidapp.store.reports import derived

COMMON, RARE = "coffee", "locksmith"
RARE_ROWS = 10
YEARS = 10
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
    *("payment_channel", "title_key", "words", "note_words", "pending", "hidden"),
)
SYLLABLES = ("ka", "to", "mi", "ren", "sol", "bar", "win", "ter", "lo", "vis", "dun", "pex")


@dataclass(frozen=True)
class Shop:
    """A merchant as a row names it, with its words as the app keeps them."""

    name: str
    merchant: str
    category: str
    title_key: str
    words: str


def person(name: str) -> int:
    """A new person without a password; returns the id."""
    user = users.add(name, f"{name}@example.com", "none")
    db.session.commit()
    return user.id


def fill(app: Flask, user_id: int, rows: int) -> None:
    """Gives the person an Item, its accounts and `rows` transactions."""
    with app.app_context():
        item = items.add(
            user_id=user_id,
            plaid_item_id=f"item-of-{user_id}",
            access_token=b"",
            institution_name="Platypus Bank",
            update_status=items.COMPLETE,
            synced_at=datetime.now(UTC),
        )
        accounts.save(user_id, item.id, [_account(n, kind) for n, kind in enumerate(ACCOUNTS)])
        ids = list(accounts.ids_of_item(item.id).values())
        url = app.config["SQLALCHEMY_DATABASE_URI"]
        db.session.commit()
        db.engine.dispose()
        write = _to_sqlite if url.startswith("sqlite") else _to_postgresql
        write(url, _rows(user_id, item.id, ids, rows))
        derived.rebuild(ids)
        db.session.commit()
        if not url.startswith("sqlite"):
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
                outside.execute(text("VACUUM ANALYZE"))


def _account(number: int, kind: str) -> payloads.Account:
    balances = payloads.Balances(current=Decimal(1000 + number), iso_currency_code="USD")
    return payloads.Account(
        account_id=f"account-{number}", name=f"Account {number}", type=kind, balances=balances
    )


def _rows(user_id: int, item_id: int, ids: list[int], count: int) -> Iterator[tuple[Any, ...]]:
    """Newest first, as Plaid sends a history; the same ones for the same count."""
    chance = random.Random(count)
    shops, rare = _shops(user_id, chance)
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=age) for age in range(365 * YEARS)]
    chosen, placed = chance.choices(shops, k=count), chance.choices(ids, SHARES, k=count)
    for number in range(count):
        shop = rare if number % (count // RARE_ROWS) == 7 else chosen[number]
        cents = chance.randrange(100, 30_000)
        amount = (-cents if shop.category == "INCOME" else cents) * 10**6
        yield (
            *(user_id, item_id, placed[number], f"transaction-{number}"),
            *(days[number * len(days) // count], amount, "USD", shop.name, shop.merchant),
            *(shop.category, shop.category + "_OTHER", "in store", shop.title_key, shop.words, ""),
            *(number < 5, False),
        )


def _shops(user_id: int, chance: random.Random) -> tuple[list[Shop], Shop]:
    """Two thousand, of which one in ten sells coffee; and one more."""

    def shop(merchant: str, category: str) -> Shop:
        name = f"{merchant.upper()} #{chance.randrange(10_000):04} {_word(chance).upper()} CA"
        words = index_of(user_id, merchant, name)
        return Shop(name, merchant, category, sort_key(merchant), words)

    def merchant(number: int) -> str:
        return f"{_word(chance)} {COMMON if number % 10 == 0 else _word(chance)}".title()

    shops = [shop(merchant(number), chance.choice(CATEGORIES)) for number in range(2000)]
    return shops, shop(f"Ace {RARE}".title(), "HOME_IMPROVEMENT")


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=chance.randrange(2, 4)))


def _to_sqlite(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Indexes and triggers are made anew afterwards: that is quicker than keeping them."""
    path = make_url(url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        kept = connection.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'transaction'"
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("BEGIN")
        for kind, name, _ in kept:
            connection.execute(f"DROP {kind} {name}")
        holes = ", ".join("?" * len(COLUMNS))
        connection.executemany(
            f'INSERT INTO "transaction" ({", ".join(COLUMNS)}) VALUES ({holes})',
            ((*row[:4], row[4].isoformat(), *row[5:]) for row in rows),
        )
        connection.execute("INSERT INTO transaction_search (transaction_search) VALUES ('rebuild')")
        for _, _, statement in kept:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _to_postgresql(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Without the indexes of the pages meanwhile, for the same reason."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        kept = cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'transaction' AND indexname LIKE 'ix_%'"
        ).fetchall()
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute("SET session_replication_role = replica")  # asks no row for its owner
        for name, _ in kept:
            cursor.execute(f"DROP INDEX {name}")
        command = f'COPY "transaction" ({", ".join(COLUMNS)}) FROM STDIN'
        with cursor.copy(command) as copy:
            for row in rows:
                copy.write_row(row)
        for _, statement in kept:
            cursor.execute(statement)
