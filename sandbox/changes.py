"""How an Item's transactions change after its first update: added, revised, posted.

Each change takes the next change position; see `sandbox.transaction_store`. `head` is the last
position in use.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.bank_records import Transaction
from sandbox.http_json import encode
from sandbox.ids import Ids
from sandbox.transaction_store import HIDDEN, insert_rows, new_row

# Read numbers as Decimal, so that they keep their digits.
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_REVISED = 2


def append(
    db: sqlite3.Connection, ids: Ids, item: int, head: int, new: Sequence[tuple[str, Transaction]]
) -> int:
    """Add (account id, transaction) pairs and return the new head."""
    rows = [new_row(ids, item, head + step, *pair) for step, pair in enumerate(new, 1)]
    insert_rows(db, item, rows)
    return head + len(rows)


def revise(db: sqlite3.Connection, item: int, head: int) -> int:
    """Add 1 to the last two posted amounts, like a tip, and return the new head."""
    for rowid, body in _with_tips(db, item, _REVISED):
        head += 1
        db.execute("UPDATE ledger SET body = ?, changed = ? WHERE rowid = ?", (body, head, rowid))
    return head


def revise_silently(db: sqlite3.Connection, item: int) -> None:
    """Add 1 to the last posted amount without a change position: no later sync tells of it."""
    for rowid, body in _with_tips(db, item, 1):
        db.execute("UPDATE ledger SET body = ? WHERE rowid = ?", (body, rowid))


def _with_tips(db: sqlite3.Connection, item: int, most: int) -> Iterator[tuple[int, str]]:
    """Yield the last posted rows with 1 added to their amounts."""
    rows = db.execute(
        "SELECT rowid, body FROM ledger WHERE item = ? AND NOT pending AND removed IS NULL"
        " AND created < ? ORDER BY date DESC, created LIMIT ?",
        (item, HIDDEN, most),
    ).fetchall()
    for row in rows:
        transaction = _decoder.decode(row["body"])
        transaction["amount"] += 1
        yield row["rowid"], encode(transaction).decode()


def post_pending(
    db: sqlite3.Connection, ids: Ids, item: int, head: int, today: date
) -> tuple[int, list[str]]:
    """Replace each pending row with a posted one.

    As with Plaid, the posted row has a new id, and its `pending_transaction_id` is the old one.
    Returns the new head and the ids of the removed rows.
    """
    pending = db.execute(
        "SELECT rowid, transaction_id, account_id, body FROM ledger"
        " WHERE item = ? AND pending AND removed IS NULL AND created < ? ORDER BY created",
        (item, HIDDEN),
    ).fetchall()
    posted: list[tuple[object, ...]] = []
    for row in pending:
        db.execute("UPDATE ledger SET removed = ? WHERE rowid = ?", (head + 1, row["rowid"]))
        head += 2
        transaction = _decoder.decode(row["body"])
        transaction |= {
            "date": today.isoformat(),
            "pending": False,
            "pending_transaction_id": row["transaction_id"],
            "transaction_id": ids.opaque("transaction", item, head),
        }
        body = encode(transaction).decode()
        posted.append(
            (item, head, head, transaction["transaction_id"], row["account_id"],
             transaction["date"], False, body)
        )  # fmt: skip
    insert_rows(db, item, posted)
    return head, [row["transaction_id"] for row in pending]
