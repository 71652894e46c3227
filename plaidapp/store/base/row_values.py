"""A person's rows as plain values, for a file: exact, and the same on both databases."""

import base64
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, select

from plaidapp.extensions import db

from .owned_rows import theirs
from .sums import joined
from .types import exact

AT_ONCE = 500
"""Rows that are in memory at a time."""
HIGH = "_high"
"""How the name of a sum's second column ends: see sums.py."""


def rows_of(table: Table, user_id: int, without: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the person's rows in the order of their primary key, without some columns.

    The transaction stays open until the last one. Amounts are strings with their exact digits,
    moments are in UTC, and bytes are base64.
    """
    columns = [column for column in table.columns if column.name not in without]
    query = select(*columns).where(theirs(table, user_id)).order_by(*table.primary_key.columns)
    sums = [name for column in columns if (name := column.name + HIGH) in table.columns]
    for row in db.session.execute(query, execution_options={"yield_per": AT_ONCE}).mappings():
        values = dict(row)
        for name in sums:
            low = name.removesuffix(HIGH)
            values[low] = joined(values[low], values.pop(name) or 0)
        yield {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    for kind, convert in _PLAIN:
        if isinstance(value, kind):
            return convert(value)
    return value


_PLAIN: tuple[tuple[type, Callable[[Any], str | None]], ...] = (
    (Decimal, exact),
    (datetime, lambda moment: moment.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    (date, date.isoformat),
    (bytes, lambda value: base64.b64encode(value).decode()),
)
