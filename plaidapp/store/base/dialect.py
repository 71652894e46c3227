"""Which database the app runs on, for the few statements that differ."""

from sqlalchemy.exc import OperationalError

from plaidapp.extensions import db

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code of a lock that was not free in time."""


def on_sqlite() -> bool:
    """Return True on SQLite and False on PostgreSQL."""
    return db.engine.dialect.name == "sqlite"


def wait_briefly_for_locks(seconds: float) -> None:
    """Begin a transaction that raises OperationalError if it has to wait longer for a lock.

    SQLite locks no rows. There, it waits for the one writer as always.
    """
    db.session.connection(execution_options={"lock_wait": seconds})


def is_of_lock(error: OperationalError) -> bool:
    """Return True if a lock was not free in time."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
