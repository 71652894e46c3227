"""INSERT ... ON CONFLICT DO UPDATE, alike on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Insert, MetaData, Table, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from plaidapp.extensions import db

from .types import on_sqlite


def upsert(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts `rows`, or updates those whose `key` columns are there already.

    All rows name the same columns. A row that would not change is not written, which makes an
    unchanged resync cheap and keeps PostgreSQL's tables from bloating.
    """
    if not rows:
        return
    if on_sqlite():
        _upsert_staged(table, key, rows)
    else:
        columns = tuple(rows[0])
        db.session.execute(_on_conflict(_insert()(table), tuple(key), columns), rows)


def _upsert_staged(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Through a temporary table, so that it is one statement however many rows there are.

    At the end of every statement that wrote to it SQLite's search index writes itself out, which
    for a statement a row takes longer than the rows.
    """
    copies = (Column(name, table.c[name].type) for name in rows[0])
    staged = Table(f"staged_{table.name}", MetaData(), *copies, prefixes=["TEMPORARY"])
    db.session.execute(CreateTable(staged, if_not_exists=True))
    db.session.execute(staged.insert(), rows)
    columns = tuple(rows[0])
    given = select(staged).where(true())  # without a WHERE, SQLite takes the ON for a join's
    statement = _insert()(table).from_select(columns, given)
    db.session.execute(_on_conflict(statement, tuple(key), columns))
    db.session.execute(staged.delete())


def insert_new(table: Table, row: Mapping[str, Any]) -> bool:
    """Inserts `row`; False, and nothing changed, when its key is there already."""
    statement = _insert()(table).values(row).on_conflict_do_nothing()
    # SQLAlchemy forgets how many rows an INSERT made unless it is told not to: -1 on PostgreSQL.
    result = db.session.execute(statement.execution_options(preserve_rowcount=True))
    return cast(CursorResult[Any], result).rowcount == 1


def _insert() -> Any:
    return postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert


def _on_conflict(statement: Any, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    table = statement.table
    values = {name: statement.excluded[name] for name in columns if name not in key}
    changed = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    return cast(
        Insert, statement.on_conflict_do_update(index_elements=key, set_=values, where=changed)
    )
