"""Fill PostgreSQL with many people, each of whom has ten Items, faster than the app could.

Each Item has two accounts, fifty transactions of two years, and what a few days of syncs leave.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask

from benchmarks import long_history
from plaidapp.sealing import Cipher, access_token

ITEMS_EACH = 10
ROWS_EACH = 50
CURSOR = "unchanged"
"""The one that benchmarks/fixed_bank.py answers with: nothing is new."""
SHOPS = 2_000

USERS = (
    *("id", "username", "username_key", "email", "email_key", "password_hash", "opaque_id"),
    *("ledger_revision", "transfers_matched", "time_zone", "hides_accounts", "created_at"),
)
ITEMS = (
    *("id", "user_id", "plaid_item_id", "institution_id", "institution_name", "access_token"),
    *("cursor", "state", "update_status", "sync_requested", "sync_applied", "sweeps"),
    *("is_separate", "deletes_history", "synced_at", "next_look", "check_at", "streams_at"),
    *("status_read_at", "created_at"),
)
TRANSACTIONS = f"""
INSERT INTO transaction ({", ".join(long_history.COLUMNS)})
SELECT item.user_id, item.id, account.id, 't' || item.id || '-' || n,
    current_date - 1 - (n * 730 / {ROWS_EACH} + item.id %% 14)::int,
    (100 + (item.id * 7919 + n * 104729) %% 30000) * 1000000::bigint, 'USD',
    shop.name, shop.merchant, shop.category, shop.category || '_OTHER', 'in store',
    shop.title_key, shop.pairs, false, false
FROM item
CROSS JOIN generate_series(1, {ROWS_EACH}) AS n
JOIN account ON account.item_id = item.id AND account.plaid_account_id = 'a' || n %% 2
JOIN shop ON shop.id = (item.id * 31 + n * 17) %% {SHOPS}
WHERE item.id BETWEEN %(first)s AND %(last)s
"""
ACCOUNTS = """
INSERT INTO account (user_id, item_id, plaid_account_id, name, type, is_hidden, updated_at,
    current, available, iso_currency_code)
SELECT user_id, id, 'a' || n, 'Checking', 'depository', false, now(),
    11025000000, 10000000000, 'USD'
FROM item CROSS JOIN generate_series(0, 1) AS n WHERE id BETWEEN %(first)s AND %(last)s
"""
BALANCES = """
WITH row AS (
    SELECT account_id, date, amount, row_number() OVER later AS place,
        sum(amount) OVER (later ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS since
    FROM transaction WHERE item_id BETWEEN %(first)s AND %(last)s
    WINDOW later AS (PARTITION BY account_id ORDER BY date DESC)
), day AS (
    SELECT account_id, date, place = %(reported)s AS is_reported, coalesce(since, 0) AS since
    FROM row
    UNION ALL SELECT id, current_date - 1, true, 0
    FROM account WHERE item_id BETWEEN %(first)s AND %(last)s
    UNION ALL SELECT account_id, min(date) - 1, false, sum(amount) FROM row GROUP BY account_id
)
INSERT INTO balance (account_id, date, current, current_high, source)
SELECT account_id, date, 11025000000 + since, 0,
    CASE WHEN is_reported THEN 'bank' ELSE 'computed' END
FROM day
"""
"""As the app computes them, so that a sync has none of them to correct."""
REPORTED = 3
"""Which row of an account is of a day on which the bank reported the balance: some months ago."""
PULLS = """
INSERT INTO pull (id, user_id, kind, asked_by, state, attempt, failures, lost_workers, revision,
    created_at, run_after, started_at, ended_at, heartbeat_at)
SELECT %(base)s + item.id * 4 + n, user_id, 'transactions', 'clock', 'done', 1, 0, 0, 3,
    moment, moment, moment, moment, moment
FROM item CROSS JOIN generate_series(0, 3) AS n
CROSS JOIN LATERAL (SELECT now() - interval '1 day' * (4 - n)) AS a(moment)
WHERE item.id BETWEEN %(first)s AND %(last)s
"""
PARTS = """
INSERT INTO pull_item (pull_id, item_id, phase, pages, rows, accounts, accounts_kept, kept, added,
    modified, removed, started_over)
SELECT %(base)s + item.id * 4 + n, item.id, 'done', 1, n %% 2, 0, 0, 0, n %% 2, 0, 0, false
FROM item CROSS JOIN generate_series(0, 3) AS n WHERE item.id BETWEEN %(first)s AND %(last)s
"""
WEBHOOKS = """
INSERT INTO webhook (token, type, code, item_id, body, received_at)
SELECT item.id || '-' || n, 'TRANSACTIONS', 'SYNC_UPDATES_AVAILABLE', item.id, repeat('x', 300),
    now() - interval '1 day' * n
FROM item CROSS JOIN generate_series(0, 1) AS n WHERE item.id BETWEEN %(first)s AND %(last)s
"""


def fill(app: Flask, first: int, last: int) -> None:
    """Add the Items with these ids, and their people. Both are multiples of ITEMS_EACH, plus 1."""
    url = app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", "")
    cipher: Cipher = app.extensions["cipher"]
    ids = range(first, last + 1)
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # no checks of keys
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
            _copy(cursor, '"user"', USERS, _users(ids))
            _copy(cursor, "item", ITEMS, _items(ids, cipher))
            _add_shops(cursor)
            newest = cursor.execute("SELECT coalesce(max(id), 0) FROM pull").fetchone()
            base = (newest[0] if newest else 0) + 1 - first * 4
            between = {"first": first, "last": last, "base": base, "reported": REPORTED}
            for statement in (ACCOUNTS, PULLS, PARTS, WEBHOOKS):
                cursor.execute(statement, between)
            dropped = _drop_indexes(cursor)
            cursor.execute(TRANSACTIONS, between)
            for statement in dropped:
                cursor.execute(statement)
            cursor.execute("ANALYZE account, transaction")
            cursor.execute(BALANCES, between)
            cursor.execute("SELECT setval('pull_id_seq', (SELECT max(id) FROM pull))")
        connection.execute("VACUUM ANALYZE")


def _drop_indexes(cursor: psycopg.Cursor[Any]) -> list[Any]:
    """Return the statements that make them again."""
    found = cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = 'transaction' AND indexname LIKE 'ix_%'"
    ).fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [statement for _, statement in found]


def _copy(
    cursor: psycopg.Cursor[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _users(ids: range) -> Iterator[Sequence[Any]]:
    for number in sorted({owner(item_id) for item_id in ids}):
        names = (f"person{number}",) * 4
        yield number, *names, "none", f"opaque-{number}", 0, True, "UTC", False, datetime.now(UTC)


def owner(item_id: int) -> int:
    return (item_id - 1) // ITEMS_EACH + 1


def _items(ids: range, cipher: Cipher) -> Iterator[Sequence[Any]]:
    now = datetime.now(UTC)
    later, before = now + timedelta(days=1), now - timedelta(days=9)
    for number in ids:
        user_id, plaid_id = owner(number), f"i{number}"
        token = cipher.encrypt(access_token(user_id, plaid_id), f"access-loopback-{number}")
        yield (
            *(number, user_id, plaid_id, "ins_1", "Bank of Loopback", token),
            *(CURSOR, "good", "HISTORICAL_UPDATE_COMPLETE", 1, 1, 0),
            *(False, False, now, later, later + timedelta(days=1), now),
            *(now, before),
        )


def _add_shops(cursor: psycopg.Cursor[Any]) -> None:
    cursor.execute(
        "CREATE TEMPORARY TABLE shop (id int PRIMARY KEY, name text, merchant text,"
        " category text, title_key text, pairs text) ON COMMIT DROP"
    )
    shops, _ = long_history._shops(random.Random(5), SHOPS)
    columns = ("id", "name", "merchant", "category", "title_key", "pairs")
    rows = (
        (number, shop.name, shop.merchant, shop.category, shop.title_key, shop.pairs)
        for number, shop in enumerate(shops)
    )
    _copy(cursor, "shop", columns, rows)
