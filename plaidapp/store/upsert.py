"""INSERT ... ON CONFLICT DO UPDATE, alike on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

from plaidapp.extensions import db


def upsert(table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts `rows`, or updates those whose `key` columns are there already.

    All rows name the same columns. A row that would not change is not written, which makes an
    unchanged resync cheap and keeps PostgreSQL's tables from bloating.
    """
    if rows:
        db.session.execute(_statement(table, tuple(key), tuple(rows[0])), rows)


def _statement(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    values = {name: statement.excluded[name] for name in columns if name not in key}
    changed = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    return statement.on_conflict_do_update(index_elements=key, set_=values, where=changed)
