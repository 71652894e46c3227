"""What a transaction is for, which decides how it begins."""

from flask import g, has_app_context, has_request_context, request
from sqlalchemy import Connection

READ_ONLY_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def glances(connection: Connection) -> bool:
    """A single statement without a transaction."""
    return bool(connection.get_execution_options().get("glances"))


def jots(connection: Connection) -> bool:
    """A note in passing that waits for nothing."""
    return bool(connection.get_execution_options().get("jots"))


def migrates(connection: Connection) -> bool:
    """A migration, while the previous version of the app runs."""
    return bool(connection.get_execution_options().get("migrates"))


def lock_wait(connection: Connection) -> float | None:
    """How many seconds it waits for a lock, if not as long as others: see `dialect`."""
    return connection.get_execution_options().get("lock_wait")


def only_reads() -> bool:
    """The page of a GET, or what has called `read_one_snapshot`."""
    if has_app_context() and "only_reads" in g:
        return True
    return is_of_page() and request.method in READ_ONLY_METHODS and "may_write" not in g


def is_repeatable() -> bool:
    """It is of a `repeatable` block."""
    return has_app_context() and "repeatable" in g


def is_of_page() -> bool:
    """Somebody waits for an answer. Otherwise it is of a job, the clock or a command."""
    return has_request_context()
