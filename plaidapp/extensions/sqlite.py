"""How connections to SQLite are set up, and how their transactions begin."""

from typing import Any

from sqlalchemy import Connection, Engine, event

from .transactions import glances, jots, only_reads

BUSY_TIMEOUT = 5000
"""Milliseconds that a writer waits for the lock of SQLite."""


def configure(engine: Engine) -> None:
    """Turn on WAL, foreign keys, a five-second wait for locks, and a write lock from BEGIN on.

    If a transaction in SQLite begins by reading and writes later, it fails at once when another one
    writes, instead of waiting. So every transaction that may write takes the lock at BEGIN. Only a
    GET never writes.
    """
    import sqlite3  # not needed on PostgreSQL

    # The driver looks for an adapter for every None and bool, which takes half of its time if there
    # is none. These adapters are registered for the whole process.
    sqlite3.register_adapter(type(None), lambda none: none)
    sqlite3.register_adapter(bool, int)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
        cursor.execute("PRAGMA wal_autocheckpoint=10000")  # in pages: enough for a long history
        # In KB, for each connection. Pages of a long history look up a thousand rows here and
        # there; with SQLite's 2,000 KB they take three times as long.
        cursor.execute("PRAGMA cache_size=-8000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if glances(connection):
            return
        if not jots(connection):
            connection.exec_driver_sql("BEGIN" if only_reads() else "BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
