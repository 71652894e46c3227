"""The Flask extensions, made once and bound to an app by `create_app`. Imports nothing of ours."""

from typing import Any, TypeVarTuple

from flask import has_request_context, request
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, Row, Select, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

Columns = TypeVarTuple("Columns")
READ_ONLY_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Base(DeclarativeBase):
    """Constraint names are spelled out so that migrations can alter them on every database."""

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
    # What a job read before a commit stays readable after it; it writes by conditions, not by copy.
    session_options={"expire_on_commit": False},
)
login = LoginManager()


GLANCES = "glances"
"""The bind of connections that `glance` uses: nothing but the query goes over them."""


def glance(query: Select[*Columns], **values: object) -> Row[*Columns] | None:
    """One row in one round trip, beside the session and in no transaction.

    For what pages ask all the time; `query` is made once, since to build one takes longer than to
    run it. None also when it can't be asked, such as on a connection that died while idle: whoever
    is told nothing goes the ordinary way, which connects anew or says what is wrong.
    """
    try:
        with db.engines[GLANCES].connect() as connection:
            return connection.execute(query, values).first()
    except (SQLAlchemyError, OverflowError):  # SQLite's driver, of a number that it can't hold
        return None


def configure_sqlite(engine: Engine) -> None:
    """WAL, five seconds of patience, foreign keys, and a write lock taken at BEGIN by writers.

    A transaction that starts as a reader and writes later cannot wait for its turn in SQLite: it
    fails at once. So writers say so at BEGIN. GET changes nothing, hence only GET reads.
    """
    import sqlite3  # on PostgreSQL it would be loaded for nothing

    # Of each None and each bool the driver asks how to adapt it, and takes half of its time to find
    # that nobody has said. To say it holds for the whole process.
    sqlite3.register_adapter(type(None), lambda none: none)
    sqlite3.register_adapter(bool, int)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.execute("PRAGMA wal_autocheckpoint=10000")  # pages: a long history in one go
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if _only_reads() else "BEGIN IMMEDIATE")


def configure_postgresql(engine: Engine) -> None:
    """GET reads a page from one snapshot, as it does on SQLite, and can't write.

    Otherwise it may find an account, but not the Item that was committed with it: that query was
    a moment earlier. Costs no round trip; the driver says it with its BEGIN.
    """
    from psycopg import IsolationLevel  # on SQLite it would be loaded for nothing

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        reads = _only_reads() or None  # None is the server's own default
        if driver.read_only != reads:
            driver.read_only = reads
            driver.isolation_level = IsolationLevel.REPEATABLE_READ if reads else None


def _only_reads() -> bool:
    return has_request_context() and request.method in READ_ONLY_METHODS
