"""Counts for operators' pages, which must stay quick however many rows there are."""

from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select

MOST = 10_000


def count(rows: Select[Any]) -> ScalarSelect[int]:
    """Count the rows that `rows` selects, up to MOST + 1: no more of them are read."""
    return select(func.count()).select_from(rows.limit(MOST + 1).subquery()).scalar_subquery()
