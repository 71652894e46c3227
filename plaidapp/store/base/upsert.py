"""INSERT ... ON CONFLICT DO UPDATE, alike on SQLite and PostgreSQL.

A row that would not change is not written, which makes an unchanged resync cheap and keeps
PostgreSQL's tables from bloating.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Insert,
    MetaData,
    Table,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable, DropTable

from plaidapp.extensions import db

from .types import on_sqlite

UNIQUE_VIOLATION = "23505"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def upsert(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts `rows`, or updates those whose `key` columns are there already.

    All rows name the same columns.
    """
    if rows:
        db.session.execute(_statement(table, tuple(key), tuple(rows[0]), _insert()), rows)


def upsert_many(
    table: Table,
    key: tuple[str, ...],
    same: Mapping[str, Any],
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    aside: tuple[str, ...] = (),
    *,
    new: bool = False,
) -> None:
    """As `upsert`, at nearly the speed of the bare driver; no key may be there twice.

    `same` has the columns that all rows share, `rows` the others, as the driver takes them. That
    columns named in `aside` differ is no reason to write, unless nothing is in them yet.

    The rows go through a temporary table, so that it is one statement however many there are:
    PostgreSQL copies them in, and SQLite's search index, which writes itself out at the end of
    every statement that touched it, does so once. If `new` says that the table should have none of
    the keys, PostgreSQL is first asked to copy the rows to where they belong.
    """
    connection = db.session.connection()
    if new and not on_sqlite() and _copied(connection, table, same, columns, rows):
        return
    staged = _staged(table, columns)
    connection.execute(CreateTable(staged))
    if on_sqlite():
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {staged.name} VALUES ({marks})", list(rows))  # noqa: S608
    else:
        _copy(connection, staged, columns, rows)
    given = select(*(literal(value, table.c[name].type) for name, value in same.items()), staged)
    statement = _insert()(table).from_select(
        (*same, *columns),
        given.where(true()),  # without a WHERE, SQLite takes the ON for a join's
    )
    connection.execute(_on_conflict(statement, key, (*same, *columns), aside))
    connection.execute(DropTable(staged))


def _copied(
    connection: Connection,
    table: Table,
    same: Mapping[str, Any],
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> bool:
    """False, and nothing changed, when a key is there already."""
    same = {**same, **_defaults(table, {*same, *columns})}
    given = ((*same.values(), *row) for row in rows)
    try:
        with connection.begin_nested():
            _copy(connection, table, (*same, *columns), given)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
            raise
        return False
    return True


def _copy(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    """On PostgreSQL's own connection, whose errors become those that SQLAlchemy would raise."""
    dbapi: Any = connection.dialect.loaded_dbapi
    quoted = connection.dialect.identifier_preparer
    names = ", ".join(quoted.quote(name) for name in columns)
    statement = f"COPY {quoted.format_table(table)} ({names}) FROM STDIN"
    try:
        with connection.connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dbapi.Error, True) from error


def _defaults(table: Table, given: set[str]) -> dict[str, Any]:
    """What SQLAlchemy would add to an INSERT of the `given` columns."""
    left = (column for column in table.columns if column.name not in given)
    return {column.name: cast(Any, column.default).arg for column in left if column.default}


@functools.cache  # to build it takes longer than to run it
def _statement(table: Table, key: tuple[str, ...], columns: tuple[str, ...], insert: Any) -> Insert:
    return _on_conflict(insert(table), key, columns)


@functools.cache
def _staged(table: Table, columns: tuple[str, ...]) -> Table:
    copies = (Column(name, table.c[name].type) for name in columns)
    return Table(f"staged_{table.name}", MetaData(), *copies, prefixes=["TEMPORARY"])


def insert_new(table: Table, row: Mapping[str, Any]) -> bool:
    """Inserts `row`; False, and nothing changed, when its key is there already."""
    statement = _insert()(table).values(row).on_conflict_do_nothing()
    # SQLAlchemy forgets how many rows an INSERT made unless it is told not to: -1 on PostgreSQL.
    result = db.session.execute(statement.execution_options(preserve_rowcount=True))
    return cast(CursorResult[Any], result).rowcount == 1


def _insert() -> Any:
    return sqlite.insert if on_sqlite() else postgresql.insert


def _on_conflict(
    statement: Any, key: tuple[str, ...], columns: tuple[str, ...], aside: tuple[str, ...] = ()
) -> Insert:
    table = statement.table
    values = {name: statement.excluded[name] for name in columns if name not in key}
    changed = or_(
        *(
            table.c[name].is_(None) & value.is_not(None)
            if name in aside
            else table.c[name].is_distinct_from(value)
            for name, value in values.items()
        )
    )
    return cast(
        Insert, statement.on_conflict_do_update(index_elements=key, set_=values, where=changed)
    )
