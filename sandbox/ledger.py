"""An Item's transactions and its change positions.

Every change of an Item takes the next position: 1, 2, 3, ... A row knows the positions at which it
was created, last changed and removed, so the difference between any two positions is a query.
Rows are JSON already: a page is read and joined, never decoded.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sandbox.cursors import Cursor
from sandbox.entries import Entry
from sandbox.ids import Ids
from sandbox.wire import encode

INITIAL_DAYS = 30

_INSERT = "INSERT INTO ledger VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)"
_ADDED = (
    "SELECT changed, body, original FROM ledger WHERE item = :item AND changed > :after"
    " AND changed <= :head AND created > :base AND removed IS NULL"
)
_MODIFIED = (
    "SELECT changed, body, original FROM ledger WHERE item = :item AND changed > :after"
    " AND changed <= :head AND created <= :base AND changed > created AND removed IS NULL"
)
_REMOVED = (
    "SELECT removed, json_object('transaction_id', transaction_id, 'account_id', account_id), ''"
    " FROM ledger WHERE item = :item AND removed > :after AND removed <= :head"
    " AND created <= :base"
)
_PHASES = ((_ADDED, "changed"), (_MODIFIED, "changed"), (_REMOVED, "removed"))
_IN_RANGE = (
    " FROM ledger WHERE item = ? AND date BETWEEN ? AND ? AND created <= ? AND removed IS NULL"
)


class Window(NamedTuple):
    """The dates that were asked of the bank, both included."""

    first: date
    last: date

    @classmethod
    def of_days(cls, days: int, today: date) -> "Window":
        """Without an end: what is still pending may carry a later date."""
        return cls(today - timedelta(days=days), date.max)

    @classmethod
    def parse(cls, first: str, last: str) -> "Window":
        return cls(date.fromisoformat(first), date.fromisoformat(last))


class Opening(NamedTuple):
    """The rows of a new Item: the last 30 days, and after them the rest."""

    rows: list[tuple[object, ...]]
    initial: int


class Page(NamedTuple):
    """Up to `count` updates: JSON texts by list, and where the next page starts."""

    lists: tuple[list[str], list[str], list[str]]
    cursor: Cursor
    has_more: bool


def opening(
    ids: Ids,
    item: int,
    accounts: Sequence[str],
    entries: Iterable[Entry],
    window: Window,
    today: date,
) -> Opening:
    """Newest first, as Plaid asks banks. Not in a transaction: this is what takes time."""
    wanted = [entry for entry in entries if window.first <= entry.date <= window.last]
    wanted.reverse()
    recent = today - timedelta(days=INITIAL_DAYS)
    first = [entry for entry in wanted if entry.date >= recent]
    rest = [entry for entry in wanted if entry.date < recent]
    rows = [
        row_of(ids, item, position, accounts[entry.account], entry)
        for position, entry in enumerate((*first, *rest), 1)
    ]
    return Opening(rows, len(first))


def write_opening(db: sqlite3.Connection, item: int, opened: Opening) -> None:
    insert(db, item, opened.rows)
    total = len(opened.rows)
    db.execute(
        "UPDATE item SET initial_head = ?, historical_head = ?, head = ? WHERE number = ?",
        (opened.initial, total, total, item),
    )


def insert(db: sqlite3.Connection, item: int, rows: Sequence[tuple[object, ...]]) -> None:
    """Writes rows that `row_of` made."""
    db.executemany(_INSERT, rows)
    db.execute(
        "UPDATE account SET has_transactions = EXISTS (SELECT 1 FROM ledger"
        " WHERE ledger.item = account.item AND ledger.account_id = account.account_id)"
        " WHERE item = ? AND NOT has_transactions",
        (item,),
    )


def row_of(ids: Ids, item: int, position: int, account: str, entry: Entry) -> tuple[object, ...]:
    """A transaction that is created at `position`."""
    transaction_id = ids.opaque("transaction", item, position)
    return (
        item,
        position,
        position,
        transaction_id,
        account,
        entry.date.isoformat(),
        entry.pending,
        entry.to_json(transaction_id, account),
        encode(entry.name).decode(),
    )


def updates(
    db: sqlite3.Connection, item: int, cursor: Cursor, count: int, *, with_original: bool
) -> Page:
    """The page at `cursor`: added, then modified, then removed, each by ascending change."""
    lists: tuple[list[str], list[str], list[str]] = ([], [], [])
    phase, after, room = cursor.phase, cursor.after, count
    for number in range(cursor.phase, len(_PHASES)):
        since = cursor.after if number == cursor.phase else cursor.base
        rows = _updates_of(db, item, _at(cursor, number, since), room + 1)
        lists[number].extend(_texts(rows[:room], with_original and number < 2))
        if rows[:room]:
            phase, after = number, rows[:room][-1][0]
        if len(rows) > room:
            return Page(lists, _at(cursor, phase, after), has_more=True)
        room -= len(rows)
    return Page(lists, cursor, has_more=False)


def _at(cursor: Cursor, phase: int, after: int) -> Cursor:
    return Cursor(cursor.item_id, cursor.account_id, cursor.base, cursor.head, phase, after)


def _updates_of(
    db: sqlite3.Connection, item: int, cursor: Cursor, limit: int
) -> list[tuple[int, str, str]]:
    query, order = _PHASES[cursor.phase]
    one_account = " AND account_id = :account" if cursor.account_id else ""
    rows = db.execute(
        f"{query}{one_account} ORDER BY {order} LIMIT :limit",
        {
            "item": item,
            "after": cursor.after,
            "head": cursor.head,
            "base": cursor.base,
            "account": cursor.account_id,
            "limit": limit,
        },
    )
    return [tuple(row) for row in rows]


def between(
    db: sqlite3.Connection,
    item: int,
    head: int,
    window: Window,
    accounts: Sequence[str],
    page: tuple[int, int],
    *,
    with_original: bool,
) -> tuple[list[str], int]:
    """The rows dated in `window`, newest first: one (offset, count) page, and their number."""
    condition = _IN_RANGE
    arguments: list[object] = [item, window.first.isoformat(), window.last.isoformat(), head]
    if accounts:
        condition += f" AND account_id IN ({', '.join('?' * len(accounts))})"
        arguments += accounts
    total = db.execute(f"SELECT count(*){condition}", arguments).fetchone()[0]
    offset, count = page
    rows = db.execute(
        f"SELECT created, body, original{condition} ORDER BY date DESC, created LIMIT ? OFFSET ?",
        [*arguments, count, offset],
    )
    return _texts([tuple(row) for row in rows], with_original), total


def posted(db: sqlite3.Connection, item: int, accounts: Sequence[str]) -> Iterator[str]:
    """The JSON of what is posted on these accounts, oldest first."""
    query = "SELECT body FROM ledger WHERE item = ? AND removed IS NULL AND NOT pending"
    query += f" AND account_id IN ({', '.join('?' * len(accounts))}) ORDER BY date, created"
    rows = db.execute(query, (item, *accounts))
    return (row["body"] for row in rows)


def _texts(rows: list[tuple[int, str, str]], with_original: bool) -> list[str]:
    """The rows' JSON; a description asked for goes in before the closing brace."""
    if not with_original:
        return [body for _, body, _ in rows]
    return [f'{body[:-1]},"original_description":{original}}}' for _, body, original in rows]
