"""INSERT ... ON CONFLICT DO UPDATE, alike on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Insert, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

from plaidapp.extensions import db


def upsert(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts `rows`, or updates those whose `key` columns are there already.

    All rows name the same columns. A row that would not change is not written, which makes an
    unchanged resync cheap and keeps PostgreSQL's tables from bloating.
    """
    if rows:
        db.session.execute(_statement(table, tuple(key), tuple(rows[0])), rows)


def insert_new(table: Table, row: Mapping[str, Any]) -> bool:
    """Inserts `row`; False, and nothing changed, when its key is there already."""
    statement = _insert()(table).values(row).on_conflict_do_nothing()
    # SQLAlchemy forgets how many rows an INSERT made unless it is told not to: -1 on PostgreSQL.
    result = db.session.execute(statement.execution_options(preserve_rowcount=True))
    return cast(CursorResult[Any], result).rowcount == 1


def _insert() -> Any:
    return postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert


def _statement(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    statement = _insert()(table)
    values = {name: statement.excluded[name] for name in columns if name not in key}
    changed = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    return cast(
        Insert, statement.on_conflict_do_update(index_elements=key, set_=values, where=changed)
    )
