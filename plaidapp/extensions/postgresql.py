"""How connections to PostgreSQL are set up, and how their transactions begin.

Nothing is ever set for a whole connection: behind a pooler such as PgBouncer in transaction mode,
the next transaction may run on another one, and this one may serve somebody else.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from select import POLLIN, poll
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError

from .transactions import (
    glances,
    is_of_page,
    is_repeatable,
    jots,
    lock_wait,
    migrates,
    only_reads,
)

CONNECT: Mapping[str, Any] = {
    # Don't wait long for a database that is down, and notice a connection that dies in silence.
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "fallback_application_name": "plaidapp",
}
READS = "plaidapp.reads"
"""The key in `Connection.info`: may the transaction only read?"""
JOT_WAITS = 0.01
"""Seconds: as little as PostgreSQL can tell from not at all."""
WITHOUT_THE_DISK = "; SET LOCAL synchronous_commit = off"
SNAPSHOT = " ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Limits(NamedTuple):
    """How many seconds PostgreSQL lets a transaction wait, before it cancels what waits. 0 is any.

    `statement` is for one statement and `lock` for one lock, which a statement may wait for. `idle`
    is how long a transaction may stay open while nothing of it runs: then its process hangs.
    """

    statement: float
    lock: float
    idle: float


class AllLimits(NamedTuple):
    """`jobs` are for the clock and commands too.

    An index that a migration builds CONCURRENTLY, outside of a transaction, has no limits.
    """

    pages: Limits
    jobs: Limits
    migrations: Limits


def configure(engine: Engine, limits: AllLimits) -> None:
    """Begin each transaction with its limits, and let a GET read only, from one snapshot.

    Without the snapshot, two queries of a page could see different states, such as an account
    without its Item. All of it goes with BEGIN in one round trip. So the driver is in autocommit
    mode: SQLAlchemy begins transactions, not the driver.
    """
    from psycopg import Error  # not needed on SQLite

    command_for = _commands(limits)
    _watch(engine)
    _keep_prepared(engine)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if not driver.autocommit:  # it is new, or a migration asked for autocommit for a while
            driver.autocommit = True
        if glances(connection) or _is_autocommit(connection):
            return
        command = command_for(connection)
        connection.info[READS] = SNAPSHOT in command  # a jot of a GET writes
        try:
            driver.execute(command, prepare=False)
        except Error as error:
            dialect: Any = engine.dialect
            if dialect.is_disconnect(error, driver, None):
                connection.invalidate(error)
            raise DBAPIError.instance("BEGIN", None, error, Error, True) from error


def _keep_prepared(engine: Engine) -> None:
    """End what only reads by COMMIT, also where SQLAlchemy would roll it back, as after each GET.

    With a ROLLBACK the driver forgets the statements that it has prepared on the connection. Pages
    would never use any, and PostgreSQL would plan each of their queries anew. What has failed is
    rolled back all the same: a prepared statement may be what was wrong, as after a migration.
    https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
    """
    from psycopg import Error
    from psycopg.pq import TransactionStatus

    @event.listens_for(engine, "rollback")
    def commit(connection: Connection) -> None:
        if connection.invalidated or not connection.info.get(READS):
            return
        driver: Any = connection.connection.dbapi_connection
        if driver.info.transaction_status == TransactionStatus.INTRANS:  # and has not failed
            with suppress(Error):  # SQLAlchemy's own rollback follows, and meets the same
                driver.commit()


def _watch(engine: Engine) -> None:
    """Notice each lost connection."""
    from psycopg import Error

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

    @event.listens_for(engine, "handle_error")
    def gone(context: ExceptionContext) -> Exception | None:
        """Name every loss of a connection alike; the driver does not if it idled too long."""
        if not context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError):
            return None
        return OperationalError(None, None, context.original_exception, True, True)


def _commands(limits: AllLimits) -> Callable[[Connection], str]:
    """Return the function that says how a transaction begins."""
    begins = {
        (of_page, reads): _begin(limits.pages if of_page else limits.jobs, SNAPSHOT * reads)
        for of_page in (True, False)
        for reads in (True, False)
    }
    migration = _begin(limits.migrations)
    jot = _begin(limits.pages._replace(lock=JOT_WAITS)) + WITHOUT_THE_DISK

    def command_for(connection: Connection) -> str:
        if jots(connection):
            return jot
        if migrates(connection):
            return migration
        seconds = lock_wait(connection)
        briefly = "" if seconds is None else f"; SET LOCAL lock_timeout = {round(seconds * 1000)}"
        return begins[is_of_page(), only_reads()] + briefly + WITHOUT_THE_DISK * is_repeatable()

    return command_for


def _begin(limits: Limits, mode: str = "") -> str:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    settings = [
        f"SET LOCAL {name} = {round(seconds * 1000)}"
        for name, seconds in zip(names, limits, strict=True)
    ]
    return "; ".join((f"BEGIN{mode}", *settings))


def _is_readable(socket: int) -> bool:
    waiting = poll()
    waiting.register(socket, POLLIN)
    return bool(waiting.poll(0))


def _is_autocommit(connection: Connection) -> bool:
    """Migrations ask for it. SQLAlchemy would take longer to set it for each glance."""
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
