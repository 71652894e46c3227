"""A row of one person in every table that has rows of persons, with something in every column.

It follows the schema, so that a new table or column is in it too.
"""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, String, Table, insert

from plaidapp.extensions import db
from plaidapp.store.base import owned_rows
from plaidapp.store.base.types import Moment, Money

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
VALID = {
    ("activity", "kind"): "exported",
    ("pull", "state"): "done",
    ("pull", "kind"): "accounts",
    ("item", "state"): "good",
    ("item", "access_token"): b"",
    ("link_session", "purpose"): "connect",
}
"""What other code reads, and could not read if it were anything."""
WITHOUT_KEY = {"user_id": "user", "item_id": "item", "page_id": "received_page"}
"""Columns that refer to a table without a foreign key."""
_numbers = itertools.count(1)


def fill(user_id: int) -> dict[str, int]:
    """Add a row to each table; the person's own exists. Commit, and return the ids by table."""
    ids = {owned_rows.PERSON: user_id}
    for table in owned_rows.tables():
        if table.name != owned_rows.PERSON:
            values = {each.name: _value(table, each, ids) for each in _filled(table)}
            key = db.session.execute(insert(table).values(values)).inserted_primary_key
            ids[table.name] = key[0]
    db.session.commit()
    return ids


def _filled(table: Table) -> list[Column]:
    return [
        column
        for column in table.columns
        if not column.computed and (not _numbers_itself(column) or column.foreign_keys)
    ]


def _numbers_itself(column: Column) -> bool:
    return column is column.table.autoincrement_column


def _value(table: Table, column: Column, ids: dict[str, int]) -> object:
    if (table.name, column.name) in VALID:
        return VALID[table.name, column.name]
    for key in column.foreign_keys:
        return ids[key.column.table.name]
    if column.name in WITHOUT_KEY:
        return ids[WITHOUT_KEY[column.name]]
    return _any_of(column)


def _any_of(column: Column) -> object:
    number = next(_numbers)
    values = {
        Boolean: False,
        Date: date(2026, 1, 31),
        Integer: number,
        LargeBinary: b"secret %d" % number,
        Moment: MOMENT,
        Money: Decimal(f"{number}.00000001"),
        String: f"{column.name} é{number}"[-(getattr(column.type, "length", None) or 64) :],
    }
    return next(value for kind, value in values.items() if isinstance(column.type, kind))
