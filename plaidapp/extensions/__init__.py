"""The Flask extensions, made once and bound to an app by `create_app`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVarTuple

from flask import Flask, g
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Executable, MetaData, Row, Select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from .transactions import READ_ONLY_METHODS

__all__ = [
    "READ_ONLY_METHODS",
    "Base",
    "Columns",
    "allow_writes",
    "db",
    "glance",
    "jot",
    "login",
    "read_one_snapshot",
    "repeatable",
    "signing_keys",
    "was_canceled",
    "writing",
]

Columns = TypeVarTuple("Columns")
CANCELED = ("57014", "55P03")
"""A statement or a lock took too long:
https://www.postgresql.org/docs/current/errcodes-appendix.html"""
log = logging.getLogger(__name__)


class Base(DeclarativeBase):
    """Constraints have names, so that migrations can change them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    # Objects stay readable after a commit. Conditions guard writes, so stale objects are safe.
    session_options={"expire_on_commit": False},
)
login = LoginManager()


def signing_keys(app: Flask) -> list[str]:
    """Return the keys for one of itsdangerous' signers: the last one signs, all are accepted."""
    keys: list[str] = [*reversed(app.config["SECRET_KEY_FALLBACKS"]), app.config["SECRET_KEY"]]
    return keys


def glance(query: Select[*Columns], **values: object) -> Row[*Columns] | None:
    """Read one row without the session or a transaction.

    Returns None if there is no row, and also on an error. The caller then uses the session, which
    finds the row or raises the error. This is for polls, which are nearly all of the requests: it
    answers 1.1 (SQLite) to 1.3 (PostgreSQL) times as many of them as the session. Make `query`
    once, since building it takes longer than running it.
    """
    try:
        with db.engine.connect().execution_options(glances=True) as connection:
            return connection.execute(query, values).first()
    except (SQLAlchemyError, OverflowError):  # SQLite's driver raises it for too large a number
        return None


def jot(statement: Executable, **values: object) -> None:
    """Write in a transaction of its own, now or never: it waits for no lock and raises no error.

    This is for what a page notes in passing. The page must not wait for it or fail because of it.
    """
    try:
        with db.engine.connect().execution_options(jots=True) as connection, connection.begin():
            connection.execute(statement, values)
    except SQLAlchemyError as error:
        log.info("Nothing is noted: %s", type(getattr(error, "orig", error)).__name__)


def was_canceled(error: SQLAlchemyError) -> bool:
    """Return True if the database works and has given up one statement, which waited too long.

    Nothing of its transaction is stored.
    """
    reason = error.orig if isinstance(error, DBAPIError) else None
    return getattr(reason, "sqlstate", None) in CANCELED or "database is locked" in str(reason)


def allow_writes() -> None:
    """Let this GET write from now on. Only the return from Plaid does, to ring the doorbell."""
    db.session.commit()  # the next transaction may write
    g.may_write = True


@contextmanager
def writing() -> Iterator[None]:
    """Let this GET write within the block, which is a transaction of its own."""
    allow_writes()
    yield
    db.session.commit()
    del g.may_write


@contextmanager
def repeatable() -> Iterator[None]:
    """Let no commit of this block wait for PostgreSQL's disk.

    If the machine of PostgreSQL fails, its last commits are lost, of up to 0.6 seconds, but never
    one without those after it. So this is for work that would be done again, and may be. Nothing
    is lost if a process of the app is killed. On SQLite only checkpoints wait for the disk.
    https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    g.repeatable = True
    try:
        yield
    finally:
        del g.repeatable


def read_one_snapshot() -> None:
    """Let this POST, or command, read like a GET from now on: on one snapshot, and without keeping
    writers out.

    Commits.
    """
    db.session.commit()
    g.only_reads = True
