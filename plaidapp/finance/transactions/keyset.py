"""The place where a page of transactions begins, as addresses have it: "2026-11-20_123".

A page begins after the last row of the page before it, so no page needs to count rows.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from plaidapp.store import Transaction
from plaidapp.store.base.types import exact
from plaidapp.store.transactions import reader
from plaidapp.store.transactions.reader import Place

from . import amounts

PLACE = re.compile(r"(.{0,100})_(\d{1,18})", re.ASCII)  # 18 digits fit into 64 bits
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NAME = re.compile(r"(?:[^\W_]| )*")


def _day(text: str) -> date:
    if not DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(text)
    return text


PARSERS: dict[str, Callable[[str], Any]] = {
    "date": _day,
    "amount": amounts.from_plain,
    "name": _name,
}
"""How to read the value of the column that is sorted by."""


def parse(text: str, sort: str) -> Place:
    """Read a place in this order from an address. Raise ValueError if it is not one."""
    place = PLACE.fullmatch(text)
    if not place:
        raise ValueError(text)
    return PARSERS[sort](place[1]), int(place[2])


def after(row: Transaction, sort: str) -> str:
    """Return the place after this row, for an address."""
    value, row_id = reader.place_of(row, sort)
    return f"{exact(value) if isinstance(value, Decimal) else value}_{row_id}"
