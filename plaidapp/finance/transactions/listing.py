"""What the explorer shows: a page of rows, what the filter adds up to, and how to loosen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from plaidapp.store import Account, Item, Transaction
from plaidapp.store.connections import accounts, items
from plaidapp.store.transactions import edits, filter_totals, monthly_totals, reader
from plaidapp.store.transactions.categories import PRIMARY
from plaidapp.store.transactions.filter_totals import CurrencySum, Tally
from plaidapp.store.transactions.filters import Filter

from ..views import by_day
from . import filter_urls, keyset
from .category_labels import category_label
from .filter_form import ExplorerForm
from .filter_urls import Chip, Query

PAGE_SIZE = 50
LOOKED_AT = 20_000
"""Rows that are counted and added up for one page at most; above that it says "at least"."""
LOOSENED = 1000


class Group(NamedTuple):
    """Rows of one day. `date` is None where the order is no days', and on the day that the page
    before ended in. `sums` are of a day with two rows or more: one row says it itself."""

    date: date | None
    sums: Sequence[CurrencySum]
    rows: Sequence[Transaction]


class Loosened(NamedTuple):
    """The filter without one part of it, and how many rows that is, up to LOOSENED."""

    chip: Chip
    address: str
    tally: Tally


def categories_with(*more: str | None) -> list[str]:
    """The codes of categories in the order of their names."""
    codes = dict.fromkeys([*PRIMARY, *filter(None, more)])
    return sorted(codes, key=category_label)


@dataclass
class Listing:
    """Everything of a valid filter; what is not asked for is not looked up."""

    user_id: int
    form: ExplorerForm
    page_size = PAGE_SIZE
    address_of = staticmethod(filter_urls.address)
    categories_with = staticmethod(categories_with)

    @property
    def address(self) -> str:
        return filter_urls.address(self.query)

    @property
    def query_string(self) -> str:
        return urlencode(self.query, doseq=True)

    @property
    def shows_currency(self) -> bool:
        """Where all is in one currency its sign in every row would only repeat itself."""
        return len(self.tally.sums) != 1

    @property
    def edit_url(self) -> str:
        return filter_urls.address(self.query, "finance.edit_transactions")

    @cached_property
    def undo_url(self) -> str | None:
        """Where the last change is taken back."""
        edit = edits.last(self.user_id)
        return filter_urls.address(self.query, "finance.undo", edit_id=edit.id) if edit else None

    @property
    def live_url(self) -> str:
        return filter_urls.address(self.query, "polled.explorer_live")

    @cached_property
    def wanted(self) -> Filter:
        return self.form.filter_of(self.user_id)

    @cached_property
    def query(self) -> Query:
        return filter_urls.query_of(self.form)

    @cached_property
    def tally(self) -> Tally:
        """Of all that the filter means, at least what this page shows."""
        page = self._page
        if len(page) <= PAGE_SIZE and not keyset.asked(self.wanted.sort):
            return Tally(len(page), False, filter_totals.sums_of(page))
        found = filter_totals.tally(self.wanted, LOOKED_AT)
        return found._replace(rows=max(found.rows, len(page))) if found.is_more else found

    @cached_property
    def accounts(self) -> Mapping[int, Account]:
        return {row.id: row for row in accounts.of_user(self.user_id)}

    @cached_property
    def chips(self) -> list[Chip]:
        return list(filter_urls.chips(self.form, self.query, self.accounts))

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        return filter_urls.presets(self.query)

    @cached_property
    def _page(self) -> Sequence[Transaction]:
        return reader.page(self.wanted, PAGE_SIZE + 1, keyset.asked(self.wanted.sort))

    @property
    def rows(self) -> Sequence[Transaction]:
        return self._page[:PAGE_SIZE]

    @property
    def next_url(self) -> str | None:
        """The address of the page after this one."""
        if len(self._page) <= PAGE_SIZE:
            return None
        after = keyset.spell(self._page[PAGE_SIZE - 1], self.wanted.sort)
        return filter_urls.address(self.query | {"after": [after]})

    @property
    def groups(self) -> list[Group]:
        """A group a day where the order is days'; otherwise one of all."""
        if not self.rows:
            return []
        if self.wanted.sort != "date":
            return [Group(None, (), self.rows)]
        after = keyset.asked("date")
        return [
            Group(day, self._sums_of(day, rows), rows)
            if not after or day != after[0]
            else Group(None, (), rows)
            for day, rows in by_day(self.rows)
        ]

    def _sums_of(self, day: date, rows: Sequence[Transaction]) -> Sequence[CurrencySum]:
        """Only the last day of a page may go on after it."""
        if len(self._page) > PAGE_SIZE and day == self._page[PAGE_SIZE].date:
            return filter_totals.of_day(self.wanted, day)
        return filter_totals.sums_of(rows) if len(rows) > 1 else ()

    @property
    def is_past_the_end(self) -> bool:
        """There are rows, all of them before the place that the address names."""
        return not self.rows and (self.tally.rows > 0 or self.tally.is_more)

    @cached_property
    def all_hidden(self) -> str | None:
        """Where to see them, when the person has hidden every row they have."""
        count = monthly_totals.count(self.user_id)
        shown = filter_urls.address(self.query | {"hidden": ["any"]})
        return shown if count.hidden and not count.shown else None

    @cached_property
    def loosened(self) -> list[Loosened]:
        """The parts of the filter without which there are rows."""
        found = []
        for chip in self.chips:
            form = ExplorerForm(MultiDict(chip.without))
            form.validate()
            wanted = form.filter_of(self.user_id)
            tally = filter_totals.tally(wanted, LOOSENED)
            if tally.is_more and not tally.rows:  # none is among the newest
                tally = tally._replace(rows=len(reader.page(wanted, 1)))
            if tally.rows:
                found.append(Loosened(chip, filter_urls.address(chip.without), tally))
        return found

    @property
    def banks(self) -> list[tuple[Item, list[Account]]]:
        """The person's accounts, by bank."""
        return [
            (item, [row for row in self.accounts.values() if row.item_id == item.id])
            for item in items.of_user(self.user_id)
        ]

    @property
    def categories(self) -> list[str]:
        """Those that Plaid has, and those that are filtered by."""
        return categories_with(*self.form.category.data)


def of_request(user_id: int) -> Listing | None:
    """The listing that the address asks for; None when it asks for nonsense."""
    form = ExplorerForm(request.args)
    return Listing(user_id, form) if form.validate() else None
