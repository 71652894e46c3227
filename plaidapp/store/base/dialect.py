"""Which database the app runs on, for the few statements that differ."""

from plaidapp.extensions import db


def on_sqlite() -> bool:
    """Return True on SQLite and False on PostgreSQL."""
    return db.engine.dialect.name == "sqlite"
