"""The Flask extensions, made once and bound to an app by `create_app`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from select import POLLIN, poll
from typing import Any, TypeVarTuple

from flask import Flask, g, has_request_context, request
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Executable, MetaData, Row, Select, event
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

Columns = TypeVarTuple("Columns")
READ_ONLY_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BUSY_TIMEOUT = 5000
"""Milliseconds that a writer waits for the lock of SQLite."""
JOT_AT_ONCE = "SET LOCAL lock_timeout = '10ms'; SET LOCAL synchronous_commit = off"
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


def configure_sqlite(engine: Engine) -> None:
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
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if _glances(connection):
            return
        if not _jots(connection):
            connection.exec_driver_sql("BEGIN" if _only_reads() else "BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")


def configure_postgresql(engine: Engine) -> None:
    """Let a GET read from one snapshot, as on SQLite, and forbid it to write.

    Otherwise two queries of a page could see different states, such as an account without its Item.
    This costs no round trip, because the driver sends it along with BEGIN.
    """
    from psycopg import Error, IsolationLevel  # not needed on SQLite

    @event.listens_for(engine, "checkout")
    def check(driver: Any, _record: Any, _proxy: Any) -> None:
        """Replace a connection that has died while idle.

        Such a one has something to read. A live one has nothing, so it costs no round trip, which
        SQLAlchemy's `pool_pre_ping` would cost at the beginning of each transaction.
        """
        try:
            if _is_readable(driver.fileno()):
                engine.dialect.do_ping(driver)  # perhaps the server only told something
        except Error as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        autocommit = _glances(connection) or _is_autocommit(connection)
        if driver.autocommit != autocommit:
            driver.autocommit = autocommit
        if autocommit:
            return
        reads = (_only_reads() and not _jots(connection)) or None  # None is the server's default
        if driver.read_only != reads:
            driver.read_only = reads
            driver.isolation_level = IsolationLevel.REPEATABLE_READ if reads else None
        if _jots(connection):
            connection.exec_driver_sql(JOT_AT_ONCE)


def _is_readable(socket: int) -> bool:
    waiting = poll()
    waiting.register(socket, POLLIN)
    return bool(waiting.poll(0))


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


def read_one_snapshot() -> None:
    """Let this POST read like a GET from now on: on one snapshot, and without keeping writers out.

    Commits.
    """
    db.session.commit()
    g.only_reads = True


def _is_autocommit(connection: Connection) -> bool:
    """Migrations ask for it. SQLAlchemy would take longer to set it for each glance."""
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


def _glances(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("glances"))


def _jots(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("jots"))


def _only_reads() -> bool:
    if not has_request_context():
        return False
    return "only_reads" in g or (request.method in READ_ONLY_METHODS and "may_write" not in g)
