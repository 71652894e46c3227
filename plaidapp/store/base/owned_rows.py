"""Which rows of any table are a person's. The foreign keys tell, so that no table is forgotten."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, ForeignKey, Table, delete, select, tuple_, union_all

from plaidapp.extensions import db

from .writes import write

PERSON = "user"
NEAREST = (PERSON, "account", "item")
"""The tables that have few rows of a person, and by whose ids their other rows are found fast."""


def tables() -> Sequence[Table]:
    """Return the tables that have rows of persons: each comes after those that it refers to."""
    every = db.metadata.sorted_tables
    return [table for table in every if table.name == PERSON or _owners(table)]


def theirs(table: Table, user_id: int) -> ColumnElement[bool]:
    """Return the condition of the person's rows."""
    if table.name == PERSON:
        return table.c.id == user_id
    conditions = [_belongs(key, user_id) for key in _owners(table)]
    if len(conditions) == 1:
        return conditions[0]
    key = table.primary_key.columns  # with OR, PostgreSQL would read the whole table
    return tuple_(*key).in_(union_all(*(select(*key).where(each) for each in conditions)))


def delete_some(table: Table, user_id: int, most: int, *conditions: ColumnElement[bool]) -> int:
    """Delete at most so many of the person's rows that meet the conditions. Return how many.

    Rows that are not found by the first foreign key go with those that another one names.
    """
    key, nearest = table.primary_key.columns, _owners(table)[0]
    some = select(*key).where(_belongs(nearest, user_id), *conditions).limit(most)
    return write(delete(table).where(tuple_(*key).in_(some)))


def is_near(table: Table) -> bool:
    """Are the table's rows found by an index? The others go with the rows that they refer to."""
    return any(key.column.table.name in NEAREST for key in _owners(table))


def _owners(table: Table) -> Sequence[ForeignKey]:
    """Return the foreign keys with which a row goes when the person does: one, if it is never null.

    Of several, it is the one to the nearest table.
    """
    keys = [key for key in table.foreign_keys if key.ondelete == "CASCADE"]
    keys = sorted((key for key in keys if _is_owned(key.column.table)), key=_distance)
    certain = [key for key in keys if not key.parent.nullable]
    return certain[:1] or keys


def _is_owned(table: Table) -> bool:
    return table.name == PERSON or bool(_owners(table))


def _distance(key: ForeignKey) -> tuple[int, str]:
    name = key.column.table.name
    return (NEAREST.index(name) if name in NEAREST else len(NEAREST)), key.parent.name


def _belongs(key: ForeignKey, user_id: int) -> ColumnElement[bool]:
    owner = key.column.table
    if owner.name == PERSON:
        return key.parent == user_id
    return key.parent.in_(select(key.column).where(theirs(owner, user_id)))
