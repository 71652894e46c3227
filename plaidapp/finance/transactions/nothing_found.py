"""What a person can try when a filter finds no rows: remove a part of it, or mean another name."""

from collections.abc import Iterable
from typing import NamedTuple

from plaidapp.store.transactions import filter_totals, merchants, reader
from plaidapp.store.transactions.filter_totals import Tally

from . import filter_urls
from .filter_form import LONGEST_SEARCH
from .filter_urls import Chip, Query

MOST_COUNTED = 1000
"""The most rows that are counted for a filter that was loosened."""
MOST_TRIED = 5
"""Merchants with a similar name that are looked for."""


class Loosened(NamedTuple):
    """The filter without one part of it, and how many rows that finds."""

    chip: Chip
    address: str
    tally: Tally


class Suggestion(NamedTuple):
    """The name of a merchant, and the address of the filter with this name as its search."""

    name: str
    address: str


def loosened(user_id: int, chips: Iterable[Chip]) -> list[Loosened]:
    """Return the filters that find rows once the part that one of the chips shows is removed."""
    found = []
    for chip in chips:
        filter_ = filter_urls.filter_of(user_id, chip.without)
        tally = filter_totals.tally(filter_, MOST_COUNTED)
        if tally.is_more and not tally.rows:  # there may be rows beyond those looked at
            tally = tally._replace(rows=len(reader.page(filter_, 1)))
        if tally.rows:
            found.append(Loosened(chip, filter_urls.address(chip.without), tally))
    return found


def suggestion(user_id: int, query: Query) -> Suggestion | None:
    """Return a merchant that the person may have meant by this search."""
    typed = query.get("q", [""])[0]
    for name in merchants.similar(user_id, typed, MOST_TRIED):
        meant = query | {"q": [name]}
        if len(name) <= LONGEST_SEARCH and reader.page(filter_urls.filter_of(user_id, meant), 1):
            return Suggestion(name, filter_urls.address(meant))
    return None
