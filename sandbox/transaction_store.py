"""Store and read an Item's transactions and their change positions.

Each change to an Item's transactions takes the next position: 1, 2, 3, ... A row stores the
positions at which it was created, last changed and removed, so one query finds the difference
between any two positions. Rows are stored as JSON: a page is read and joined without decoding.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sandbox.bank_records import Transaction
from sandbox.category_versions import Version, in_version
from sandbox.cursors import Cursor
from sandbox.ids import Ids

INITIAL_DAYS = 30
HIDDEN = 2**60
"""Rows created at positions above this are of accounts that aren't shared."""

_INSERT = "INSERT INTO ledger VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)"
_ADDED = (
    "SELECT changed, body FROM ledger WHERE item = :item AND changed > :after"
    " AND changed <= :head AND created > :base AND removed IS NULL"
)
_MODIFIED = (
    "SELECT changed, body FROM ledger WHERE item = :item AND changed > :after"
    " AND changed <= :head AND created <= :base AND changed > created AND removed IS NULL"
)
_REMOVED = (
    "SELECT removed, json_object('transaction_id', transaction_id, 'account_id', account_id)"
    " FROM ledger WHERE item = :item AND removed > :after AND removed <= :head"
    " AND created <= :base"
)
_PHASES = ((_ADDED, "changed"), (_MODIFIED, "changed"), (_REMOVED, "removed"))
_REMOVED_PHASE = 2
_ORIGINAL = ',"original_description":'
_IN_WINDOW = (
    " FROM ledger WHERE item = ? AND date BETWEEN ? AND ? AND created <= ? AND removed IS NULL"
)


class Window(NamedTuple):
    """A range of dates, both inclusive."""

    first: date
    last: date

    @classmethod
    def last_days(cls, days: int, today: date) -> "Window":
        """The last `days` days, with no end: transactions that post later may have later dates."""
        return cls(today - timedelta(days=days), date.max)

    @classmethod
    def parse(cls, first: str, last: str) -> "Window":
        return cls(date.fromisoformat(first), date.fromisoformat(last))


class Shown(NamedTuple):
    """What the rows of an answer are to have of what is stored."""

    original: bool
    version: Version

    def texts(self, bodies: Iterable[str]) -> list[str]:
        """Return the JSON of stored rows. The original description is their last field."""
        if not self.original:
            bodies = (body[: body.rindex(_ORIGINAL)] + "}" for body in bodies)
        return [in_version(body, self.version) for body in bodies]


class NewHistory(NamedTuple):
    """The rows of a new Item. The first `initial_count` are the last 30 days."""

    rows: list[tuple[object, ...]]
    initial_count: int


class Page(NamedTuple):
    """One page: the added, modified and removed rows as JSON, and the next page's cursor."""

    lists: tuple[list[str], list[str], list[str]]
    cursor: Cursor
    has_more: bool


def prepare_history(
    ids: Ids,
    item: int,
    accounts: Sequence[str],
    transactions: Iterable[Transaction],
    window: Window,
    today: date,
) -> NewHistory:
    """Create an Item's rows, newest first like Plaid. It is slow: call it outside a transaction."""
    wanted = [
        transaction
        for transaction in transactions
        if window.first <= transaction.date <= window.last
    ]
    wanted.reverse()
    recent = today - timedelta(days=INITIAL_DAYS)
    initial = [transaction for transaction in wanted if transaction.date >= recent]
    older = [transaction for transaction in wanted if transaction.date < recent]
    rows = [
        new_row(ids, item, position, accounts[transaction.account], transaction)
        for position, transaction in enumerate((*initial, *older), 1)
    ]
    return NewHistory(rows, len(initial))


def save_history(db: sqlite3.Connection, item: int, history: NewHistory) -> None:
    insert_rows(db, item, history.rows)
    total = len(history.rows)
    db.execute(
        "UPDATE item SET initial_head = ?, historical_head = ?, head = ? WHERE number = ?",
        (history.initial_count, total, total, item),
    )
    hide_rows(db, item)


def hide_rows(db: sqlite3.Connection, item: int) -> None:
    """Hide the rows of this Item's accounts that aren't shared."""
    db.execute(
        "UPDATE ledger SET created = created + :hidden, changed = changed + :hidden"
        " WHERE item = :item AND created < :hidden AND account_id IN"
        " (SELECT account_id FROM account WHERE item = :item AND access <> 'shared')",
        {"item": item, "hidden": HIDDEN},
    )


def insert_rows(db: sqlite3.Connection, item: int, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows created by `new_row`, and note which accounts have transactions."""
    db.executemany(_INSERT, rows)
    db.execute(
        "UPDATE account SET has_transactions = EXISTS (SELECT 1 FROM ledger"
        " WHERE ledger.item = account.item AND ledger.account_id = account.account_id)"
        " WHERE item = ? AND NOT has_transactions",
        (item,),
    )


def new_row(
    ids: Ids, item: int, position: int, account: str, transaction: Transaction
) -> tuple[object, ...]:
    """Return the row of a transaction created at `position`."""
    transaction_id = ids.opaque("transaction", item, position)
    return (
        item,
        position,
        position,
        transaction_id,
        account,
        transaction.date.isoformat(),
        transaction.pending,
        transaction.to_json(transaction_id, account),
    )


def updates_page(
    db: sqlite3.Connection, item: int, cursor: Cursor, count: int, shown: Shown
) -> Page:
    """Return up to `count` rows after `cursor`: added, then modified, then removed.

    Each list is in order of change.
    """
    lists: tuple[list[str], list[str], list[str]] = ([], [], [])
    phase, after, room = cursor.phase, cursor.after, count
    for number in range(cursor.phase, len(_PHASES)):
        since = cursor.after if number == cursor.phase else cursor.base
        rows = _rows_of_phase(db, item, _cursor_at(cursor, number, since), room + 1)
        bodies = [body for _, body in rows[:room]]
        lists[number].extend(bodies if number == _REMOVED_PHASE else shown.texts(bodies))
        if rows[:room]:
            phase, after = number, rows[:room][-1][0]
        if len(rows) > room:
            return Page(lists, _cursor_at(cursor, phase, after), has_more=True)
        room -= len(rows)
    return Page(lists, cursor, has_more=False)


def _cursor_at(cursor: Cursor, phase: int, after: int) -> Cursor:
    return Cursor(cursor.item_id, cursor.account_id, cursor.base, cursor.head, phase, after)


def _rows_of_phase(
    db: sqlite3.Connection, item: int, cursor: Cursor, limit: int
) -> list[sqlite3.Row]:
    query, order = _PHASES[cursor.phase]
    one_account = " AND account_id = :account" if cursor.account_id else ""
    return db.execute(
        f"{query}{one_account} ORDER BY {order} LIMIT :limit",
        {
            "item": item,
            "after": cursor.after,
            "head": cursor.head,
            "base": cursor.base,
            "account": cursor.account_id,
            "limit": limit,
        },
    ).fetchall()


def in_window(
    db: sqlite3.Connection,
    item: int,
    head: int,
    window: Window,
    accounts: Sequence[str],
    page: tuple[int, int],
    shown: Shown,
) -> tuple[list[str], int]:
    """Return one (offset, count) page of the rows dated in `window`, and the total of all pages.

    Newest first. `accounts` limits the rows to these account ids; empty means all.
    """
    condition = _IN_WINDOW
    arguments: list[object] = [item, window.first.isoformat(), window.last.isoformat(), head]
    if accounts:
        condition += f" AND account_id IN ({', '.join('?' * len(accounts))})"
        arguments += accounts
    total = db.execute(f"SELECT count(*){condition}", arguments).fetchone()[0]
    offset, count = page
    rows = db.execute(
        f"SELECT body{condition} ORDER BY date DESC, created LIMIT ? OFFSET ?",
        [*arguments, count, offset],
    )
    return shown.texts(row["body"] for row in rows), total


def posted_json(
    db: sqlite3.Connection, item: int, accounts: Sequence[str], version: Version
) -> Iterator[str]:
    """Return the JSON of these accounts' posted transactions, oldest first."""
    query = "SELECT body FROM ledger WHERE item = ? AND removed IS NULL AND NOT pending"
    query += f" AND account_id IN ({', '.join('?' * len(accounts))}) ORDER BY date, created"
    rows = db.execute(query, (item, *accounts))
    return (in_version(row["body"], version) for row in rows)
