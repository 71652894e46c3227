"""The sandbox's storage: one SQLite file in WAL mode, so that reads continue during a write.

A write is committed before its response is sent, so a killed process loses nothing.
"""

import contextlib
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from pathlib import Path

# Increase this with every change to the schema.
_VERSION = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS signing_key (kid TEXT PRIMARY KEY, pem TEXT NOT NULL, created INTEGER);
-- `item` is the Item that update mode is for, `hosted_id` the last part of the hosted link.
CREATE TABLE IF NOT EXISTS link_token (
    token TEXT PRIMARY KEY, hosted_id TEXT UNIQUE, item INTEGER, request TEXT NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL, used REAL
);
-- `turn` counts the forms that were sent; `state` is what the person has entered so far.
CREATE TABLE IF NOT EXISTS link_session (
    id TEXT PRIMARY KEY, token TEXT NOT NULL, started REAL NOT NULL, touched REAL NOT NULL,
    finished REAL, status TEXT, turn INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS link_session_token ON link_session (token);
CREATE TABLE IF NOT EXISTS link_event (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, event_id TEXT NOT NULL, name TEXT NOT NULL,
    time REAL NOT NULL, metadata TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS link_event_session ON link_event (session);
CREATE TABLE IF NOT EXISTS public_token (
    token TEXT PRIMARY KEY, item INTEGER NOT NULL, created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS item (
    number INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    access_token TEXT UNIQUE,
    institution_id TEXT NOT NULL,
    products TEXT NOT NULL,
    consented TEXT NOT NULL,
    username TEXT NOT NULL,
    webhook TEXT,
    created REAL NOT NULL,
    first_date TEXT,
    last_date TEXT,
    started REAL,
    initial_head INTEGER NOT NULL DEFAULT 0,
    historical_head INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0,
    synced INTEGER NOT NULL DEFAULT 0,
    error_code TEXT,
    consent_expires REAL,
    removed INTEGER NOT NULL DEFAULT 0,
    updated REAL,
    failed REAL,
    webhook_code TEXT,
    webhook_sent REAL
);
-- Separate from the item, because a custom user's password contains the whole history. It is
-- deleted once the transactions exist.
CREATE TABLE IF NOT EXISTS password (item INTEGER PRIMARY KEY, text TEXT NOT NULL);
-- `access` is a value of `sandbox.account_access`.
CREATE TABLE IF NOT EXISTS account (
    item INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    body TEXT NOT NULL,
    has_transactions INTEGER NOT NULL DEFAULT 0,
    access TEXT NOT NULL DEFAULT 'shared',
    PRIMARY KEY (item, ordinal)
) WITHOUT ROWID;
-- The bank's transactions; `created`, `changed` and `removed` are change positions.
CREATE TABLE IF NOT EXISTS ledger (
    item INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER,
    transaction_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    date TEXT NOT NULL,
    pending INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_changed ON ledger (item, changed);
CREATE INDEX IF NOT EXISTS ledger_date ON ledger (item, date DESC, created)
    WHERE removed IS NULL;
CREATE INDEX IF NOT EXISTS ledger_removed ON ledger (item, removed) WHERE removed IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_pending ON ledger (item) WHERE pending AND removed IS NULL;
-- Banks that aren't healthy.
CREATE TABLE IF NOT EXISTS institution_health (
    institution_id TEXT PRIMARY KEY, status TEXT NOT NULL, since REAL NOT NULL
);
-- Calls of /transactions/refresh in the last minute.
CREATE TABLE IF NOT EXISTS refresh (
    item INTEGER NOT NULL, client_id TEXT NOT NULL, at REAL NOT NULL
);
-- What will become due: updates of an Item (INITIAL_UPDATE, HISTORICAL_UPDATE), and the EVENTS of a
-- Link session that nobody continues.
CREATE TABLE IF NOT EXISTS moment (
    id INTEGER PRIMARY KEY, item INTEGER, session TEXT, code TEXT NOT NULL, due REAL NOT NULL
);
-- Webhooks to send. Those of a Link session have no Item.
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, item INTEGER, url TEXT NOT NULL, code TEXT NOT NULL,
    body TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due);
CREATE INDEX IF NOT EXISTS delivery_item ON delivery (item, id);
"""


class Store:
    """A thread-safe pool of connections to `path`, or to a temporary file if it is None."""

    def __init__(self, path: Path | None) -> None:
        temporary_directory = None if path else Path(tempfile.mkdtemp(prefix="plaid-sandbox-"))
        self._path = path or Path(str(temporary_directory), "state.sqlite")
        self._synchronous = "NORMAL" if path else "OFF"  # a temporary file is lost anyway
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._idle: deque[sqlite3.Connection] = deque()
        # Writers take turns here, which is cheaper than SQLite's busy waiting.
        self._writer = threading.Lock()
        self.close = weakref.finalize(self, _discard, self._idle, temporary_directory)
        with self._connection() as connection:
            self._refuse_other_versions(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _refuse_other_versions(self, connection: sqlite3.Connection) -> None:
        """Raise ValueError if another version of the sandbox wrote the file."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and version != _VERSION:
            self.close()
            raise ValueError(
                f"{self._path} is the state of another version of the sandbox; move or delete it"
            )

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read one snapshot: commits by others stay invisible until the end of the block."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction: commit at the end, or roll back on any exception."""
        with self._writer, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if self.close.alive:
                self._idle.append(connection)
            else:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        return connection


def next_number(connection: sqlite3.Connection, name: str) -> int:
    """Return the next number of a named counter, starting at 1."""
    row = connection.execute(
        "INSERT INTO counter VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name,),
    ).fetchone()
    return int(row["value"])


def _discard(idle: deque[sqlite3.Connection], temporary_directory: Path | None) -> None:
    while idle:
        idle.pop().close()
    if temporary_directory:
        shutil.rmtree(temporary_directory, ignore_errors=True)
