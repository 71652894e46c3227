"""INSERT ... ON CONFLICT DO UPDATE for SQLite and PostgreSQL.

Rows that would not change are not written. So a sync that changes nothing is cheap, and
PostgreSQL's tables do not bloat.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, cast

from sqlalchemy import (
    Column,
    Connection,
    Insert,
    MetaData,
    Select,
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

from .dialect import on_sqlite
from .writes import write

FEW = 50
"""PostgreSQL stores at most so many rows sooner as they are than through a temporary table: one in
2.2 ms instead of 7.0, 30 in 2.9 ms instead of 3.5, but 100 in 12.6 ms instead of 5.8."""
InsertInto = Callable[[Table], sqlite.Insert | postgresql.Insert]
UNIQUE_VIOLATION = "23505"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def upsert(
    table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]], *, new: bool = False
) -> None:
    """Insert `rows`, or update those whose `key` columns are stored already.

    All rows have the same columns. `new` is as in `upsert_many`.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if new and not on_sqlite():
        connection = db.session.connection()
        if _copied(connection, table, {}, columns, _for_driver(connection, table, rows)):
            return
    db.session.execute(_statement(table, tuple(key), columns, _insert()), rows)


def upsert_many(
    table: Table,
    key: tuple[str, ...],
    shared: Mapping[str, Any],
    columns: tuple[str, ...],
    rows: Callable[[], Iterable[tuple[Any, ...]]],
    ignoring: tuple[str, ...] = (),
    *,
    new: bool = False,
) -> None:
    """Do the same as `upsert`, at almost the speed of the bare driver. No key may occur twice.

    `shared` has the values that are equal in all rows. `rows` makes the rows, with the values of
    `columns` as the driver takes them; PostgreSQL stores rows while later ones are made. A
    difference in a column named in `ignoring` alone does not cause a write, unless the stored value
    is null.

    Many rows go through a temporary table, so that any number of rows takes one statement.
    PostgreSQL copies the rows in, but stores a few as they are, since it takes long to make a
    table. SQLite writes its search index at the end of each statement that changes it, so a single
    statement writes it once. If `new` says that probably none of the keys is stored, PostgreSQL
    first tries to copy the rows into the table itself.
    """
    connection = db.session.connection()
    if new and not on_sqlite() and _copied(connection, table, shared, columns, rows()):
        return
    made = iter(rows())
    first = [] if on_sqlite() else list(islice(made, FEW + 1))
    if 0 < len(first) <= FEW:
        _store_few(connection, table, key, shared, columns, first, ignoring)
        return
    staged = _staged(table, columns)
    connection.execute(CreateTable(staged))
    if on_sqlite():
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {staged.name} VALUES ({marks})", list(made))  # noqa: S608
    else:
        _copy(connection, staged, columns, chain(first, made))
    given = select(*(literal(value, table.c[name].type) for name, value in shared.items()), staged)
    statement = _insert()(table).from_select(
        (*shared, *columns),
        given.where(true()),  # without WHERE, SQLite reads ON as part of a join
    )
    connection.execute(_on_conflict(statement, key, (*shared, *columns), ignoring))
    connection.execute(DropTable(staged))


def _store_few(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    shared: Mapping[str, Any],
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    ignoring: tuple[str, ...],
) -> None:
    same = {**_defaults(table, {*shared, *columns}), **shared}
    given = [{**same, **dict(zip(columns, row, strict=True))} for row in rows]
    connection.exec_driver_sql(_plain(table, key, tuple(shared), columns, ignoring), given)


def _for_driver(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows' values as the driver takes them."""
    dialect = connection.dialect
    types = {name: table.c[name].type.dialect_impl(dialect) for name in rows[0]}
    converters = {name: kind.bind_processor(dialect) for name, kind in types.items()}
    for row in rows:
        yield tuple(
            convert(row[name]) if convert else row[name] for name, convert in converters.items()
        )


def _copied(
    connection: Connection,
    table: Table,
    shared: Mapping[str, Any],
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
) -> bool:
    """Copy the rows into the table. False, with nothing changed, if a key is stored already."""
    shared = {**shared, **_defaults(table, {*shared, *columns})}
    given = ((*shared.values(), *row) for row in rows)
    try:
        with connection.begin_nested():
            _copy(connection, table, (*shared, *columns), given)
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
    """Copy rows with PostgreSQL's driver. Raises the same errors as SQLAlchemy would."""
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
    """Return the defaults that SQLAlchemy would add to an INSERT of the `given` columns."""
    rest = (column for column in table.columns if column.name not in given)
    return {column.name: cast(Any, column.default).arg for column in rest if column.default}


@functools.cache  # building the statement takes longer than running it
def _statement(
    table: Table, key: tuple[str, ...], columns: tuple[str, ...], insert: InsertInto
) -> Insert:
    return _on_conflict(insert(table), key, columns)


@functools.cache
def _plain(
    table: Table,
    key: tuple[str, ...],
    shared: tuple[str, ...],
    columns: tuple[str, ...],
    ignoring: tuple[str, ...],
) -> str:
    """Return a statement of PostgreSQL. Its parameters have the columns' names."""
    insert = postgresql.insert(table).inline()
    statement = _on_conflict(insert, key, (*shared, *columns), ignoring)
    given = *_defaults(table, {*shared, *columns}), *shared, *columns
    return str(statement.compile(db.engine, column_keys=given))


@functools.cache
def _staged(table: Table, columns: tuple[str, ...]) -> Table:
    copies = (Column(name, table.c[name].type) for name in columns)
    return Table(f"staged_{table.name}", MetaData(), *copies, prefixes=["TEMPORARY"])


def insert_new(table: Table, row: Mapping[str, Any]) -> bool:
    """Insert `row`. False, with nothing changed, if its key is stored already."""
    return write(_new(table, _insert()), row) == 1


@functools.cache
def _new(table: Table, insert: InsertInto) -> Insert:
    return insert(table).on_conflict_do_nothing().inline()  # the new row's id is not needed


def insert_missing(table: Table, columns: Sequence[str], rows: Select[*tuple[Any, ...]]) -> None:
    """Insert the rows of a query, which has conditions, without those whose key is stored."""
    write(_insert()(table).from_select(columns, rows).on_conflict_do_nothing())


def _insert() -> InsertInto:
    return sqlite.insert if on_sqlite() else postgresql.insert


def _on_conflict(
    statement: sqlite.Insert | postgresql.Insert,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    ignoring: tuple[str, ...] = (),
) -> Insert:
    stored = cast(Table, statement.table).c
    values = {name: statement.excluded[name] for name in columns if name not in key}
    changed = or_(
        *(
            stored[name].is_(None) & value.is_not(None)
            if name in ignoring
            else stored[name].is_distinct_from(value)
            for name, value in values.items()
        )
    )
    return statement.on_conflict_do_update(index_elements=key, set_=values, where=changed)
