"""Paging by the last row seen, never by counting: as quick on the last page as on the first."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import abort, request

from plaidapp.store import Transaction
from plaidapp.store.base.types import exact
from plaidapp.store.transactions import reader
from plaidapp.store.transactions.reader import Place

PLACE = re.compile(r"(.{0,100})_(\d{1,18})", re.ASCII)  # 18 digits fit 64 bits
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
AMOUNT = re.compile(r"\d{1,11}(\.\d{1,8})?", re.ASCII)
TITLE = re.compile(r"(?:[^\W_]| )*")


def _one_of(pattern: re.Pattern[str], kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return kind(text)

    return read


READ = {
    "date": _one_of(DAY, date.fromisoformat),
    "amount": _one_of(AMOUNT, Decimal),
    "name": _one_of(TITLE, str),
}


def asked(sort: str) -> Place | None:
    """After which row this page begins, from the address; 400 when that is no such place."""
    after = request.args.get("after")
    if not after:
        return None
    place = PLACE.fullmatch(after)
    if not place:
        abort(400)
    try:
        return READ[sort](place[1]), int(place[2])
    except ValueError:
        abort(400)


def spell(row: Transaction, sort: str) -> str:
    """The place after this row, as `asked` reads it."""
    value, row_id = reader.place_of(row, sort)
    return f"{exact(value) if isinstance(value, Decimal) else value}_{row_id}"


def next_url(rows: Sequence[Transaction], size: int, sort: str) -> str | None:
    """The address of the page after `rows`; None unless there are more than `size` of them."""
    if len(rows) <= size:
        return None
    arguments = {**request.args.to_dict(flat=False), "after": [spell(rows[size - 1], sort)]}
    return f"{request.path}?{urlencode(arguments, doseq=True)}"
