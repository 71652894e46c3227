"""Which database the app runs on, for the few statements that differ."""

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from plaidapp.extensions import db

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code of a lock that was not free in time."""


def on_sqlite() -> bool:
    """Return True on SQLite and False on PostgreSQL."""
    return db.engine.dialect.name == "sqlite"


def wait_briefly_for_locks(seconds: float) -> None:
    """Let this transaction raise OperationalError if it has to wait longer for a lock.

    SQLite locks no rows. There, it waits for the one writer as always.
    """
    if not on_sqlite():
        db.session.execute(text(f"SET LOCAL lock_timeout = {1000 * seconds:.0f}"))


def is_of_lock(error: OperationalError) -> bool:
    """Return True if a lock was not free in time."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
