"""What the explorer shows of a filter: a page of rows, and what all of them add up to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from flask_babel import gettext

from plaidapp.store import Account, Item, Transaction
from plaidapp.store.connections import accounts, items
from plaidapp.store.reports.running_balances import Running
from plaidapp.store.transactions import edits, filter_totals, monthly_totals, reader
from plaidapp.store.transactions.category_tree import is_detailed
from plaidapp.store.transactions.filter_totals import CurrencySum, Tally
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.reader import Place

from ..base.rows_by_day import by_day
from . import filter_urls, keyset, nothing_found
from .category_labels import Primary, categories_with
from .filter_form import NO_CURRENCY, ExplorerForm
from .filter_urls import Chip, Query
from .nothing_found import Loosened, Suggestion

PAGE_SIZE = 50
MOST_COUNTED = 20_000
"""The most rows that a page counts and adds up. Beyond that it says "at least"."""


class Group(NamedTuple):
    """Rows of one day, with the day's sums if it has two rows or more.

    `date` is None if the list is not sorted by date. It is also None for the first group of a page
    if the page before ended in the same day.
    """

    date: date | None
    sums: Sequence[CurrencySum]
    rows: Sequence[Transaction]


@dataclass
class Listing:
    """Everything a page shows of a filter. Each part is looked up when it is first used.

    `form` is valid. `after` is the place of the last row of the page before; None is the first
    page.
    """

    user_id: int
    form: ExplorerForm
    after: Place | None = None
    page_size = PAGE_SIZE
    results = "finance/transactions/_results.html"
    tally_line = "finance/transactions/_tally.html"
    is_latest = False
    address_of = staticmethod(filter_urls.address)
    categories_with = staticmethod(categories_with)

    @property
    def has_balances(self) -> bool:
        """Does each row show the balance of its account after it?"""
        return False

    @property
    def running(self) -> Running:
        return Running()

    @property
    def title(self) -> str:
        """What a page says that leads back to the list."""
        return gettext("Transactions")

    @property
    def address(self) -> str:
        return filter_urls.address(self.query)

    @property
    def query_string(self) -> str:
        return urlencode(self.query, doseq=True)

    @property
    def shows_currency(self) -> bool:
        """Do rows show their currency? If there is only one, the totals show it already."""
        parts = *self.tally.sums, *self.tally.left_out
        return len({part.currency for part in parts}) != 1

    @property
    def edit_url(self) -> str:
        return filter_urls.address(self.query, "finance.edit_transactions")

    @cached_property
    def undo_url(self) -> str | None:
        """The address that undoes the person's last edit, if there is one."""
        edit = edits.last(self.user_id)
        return filter_urls.address(self.query, "finance.undo", edit_id=edit.id) if edit else None

    @property
    def live_url(self) -> str:
        return filter_urls.address(self.query, "polled.explorer_live")

    @cached_property
    def filter(self) -> Filter:
        return self.form.filter_of(self.user_id)

    @cached_property
    def query(self) -> Query:
        return filter_urls.query_of(self.form)

    @cached_property
    def tally(self) -> Tally:
        """The number of the filter's rows, and their sums. At least this page is counted."""
        rows = self._rows_and_next
        if not self._has_next and not self.after:
            return filter_totals.tally_of(self.filter, rows)
        tally = filter_totals.tally(self.filter, MOST_COUNTED)
        return tally._replace(rows=max(tally.rows, len(rows))) if tally.is_more else tally

    @cached_property
    def accounts(self) -> Mapping[int, Account]:
        return {row.id: row for row in accounts.of_user(self.user_id)}

    @cached_property
    def chips(self) -> list[Chip]:
        return list(filter_urls.chips(self.form, self.query, self.accounts))

    def explained_url(
        self, part: str, currency: str | None, day: date | None = None, *, left_out: bool = False
    ) -> str:
        """The address that writes out a sum: money "in", "out" or "net", of one day or of all."""
        query = filter_urls.without(filter_urls.query_of(self.form), "sort")
        if day:
            query |= {"start_date": [day.isoformat()], "end_date": [day.isoformat()]}
        query |= {"currency": [currency or NO_CURRENCY], "part": [part]}
        if left_out:
            query["left_out"] = ["1"]
        return filter_urls.address(query, "finance.explain_transactions")

    @property
    def with_transfers_url(self) -> str:
        """The address whose totals include the rows that these totals leave out."""
        return filter_urls.address(self.query | {"scope": ["all"]})

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        return filter_urls.presets(self.query)

    @cached_property
    def _rows_and_next(self) -> Sequence[Transaction]:
        """The rows of the page and, if there is a next page, its first row."""
        return reader.page(self.filter, self.page_size + 1, self.after)

    @property
    def _has_next(self) -> bool:
        return len(self._rows_and_next) > self.page_size

    @property
    def rows(self) -> Sequence[Transaction]:
        return self._rows_and_next[: self.page_size]

    @property
    def below(self) -> Transaction | None:
        """The first row of the next page."""
        return self._rows_and_next[self.page_size] if self._has_next else None

    @property
    def next_url(self) -> str | None:
        """The address of the next page, if there is one."""
        after = self._next_place
        return filter_urls.address(self.query | {"after": [after]}) if after else None

    @property
    def _next_place(self) -> str | None:
        return keyset.after(self.rows[-1], self.filter.sort) if self.below else None

    @property
    def groups(self) -> list[Group]:
        """A group for each day if the list is sorted by date; otherwise one group."""
        if not self.rows:
            return []
        if self.filter.sort != "date":
            return [Group(None, (), self.rows)]
        return [
            Group(None, (), rows)
            if self.after and day == self.after[0]
            else Group(day, self._sums_of(day, rows), rows)
            for day, rows in by_day(self.rows)
        ]

    def _sums_of(self, day: date, rows: Sequence[Transaction]) -> Sequence[CurrencySum]:
        """The last day of a page may have more rows on the next page."""
        if self.below and day == self.below.date:
            return filter_totals.tally_of_day(self.filter, day).sums
        return filter_totals.tally_of(self.filter, rows).sums if len(rows) > 1 else ()

    def totals_of_days(self, rows: Iterable[Transaction]) -> Iterator[tuple[date, Tally]]:
        """What the list's rows of these rows' days add up to now, for the days' headings."""
        if self.filter.sort == "date":
            for day in sorted({row.date for row in rows}):
                yield day, filter_totals.tally_of_day(self.filter, day)

    @property
    def is_past_the_end(self) -> bool:
        """The filter has rows, but all of them are on the pages before."""
        return not self.rows and (self.tally.rows > 0 or self.tally.is_more)

    @cached_property
    def all_hidden(self) -> str | None:
        """The address that shows hidden rows too, if the person has hidden all they have."""
        count = monthly_totals.count(self.user_id)
        shown = filter_urls.address(self.query | {"hidden": ["any"]})
        return shown if count.hidden and not count.shown else None

    @cached_property
    def loosened(self) -> list[Loosened]:
        return nothing_found.loosened(self.user_id, self.chips)

    @cached_property
    def suggestion(self) -> Suggestion | None:
        return nothing_found.suggestion(self.user_id, self.query)

    @cached_property
    def connections(self) -> Sequence[Item]:
        return items.of_user(self.user_id)

    @property
    def banks(self) -> list[tuple[Item, list[Account]]]:
        """The person's connections, each with its accounts. Hidden ones only if they are chosen."""
        listed = [
            row
            for row in self.accounts.values()
            if not row.is_hidden or str(row.id) in self.form.account.data
        ]
        return [
            (item, [row for row in listed if row.item_id == item.id]) for item in self.connections
        ]

    @cached_property
    def categories(self) -> Sequence[Primary]:
        """Plaid's categories, and others that the filter names or rows of the page have."""
        rows = () if self.form.errors else self.rows
        detailed = (row.detailed for row in rows if is_detailed(row.detailed))
        shown = (row.category for row in rows)
        return categories_with(*self.form.category.data, *shown, *detailed)
