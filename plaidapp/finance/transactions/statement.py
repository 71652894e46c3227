"""The list of one account's transactions, as a statement: every row, with the balance after it.

It is on the account's page. Addresses of its edits name the account in `statement`, so that their
answers are for that page and not for the explorer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import url_for

from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.dates import days_later
from plaidapp.store.connections import items
from plaidapp.store.reports import running_balances
from plaidapp.store.reports.running_balances import Pending, Running
from plaidapp.store.transactions import monthly_totals
from plaidapp.store.transactions.filter_totals import Tally

from . import filter_urls
from .filter_urls import Query
from .listing import Group, Listing


@dataclass
class Statement(Listing):
    """A search shows the rows that match, without balances: they would not follow each other.

    `period` is how far back the charts of the page go; it is in its addresses if it was chosen.
    """

    account: Account = field(kw_only=True)
    period: str | None = field(default=None, kw_only=True)
    results = "finance/accounts/_results.html"
    tally_line = "finance/accounts/_tally.html"

    @property
    def title(self) -> str:
        return self.account.title

    @property
    def is_searched(self) -> bool:
        return "q" in self._searched

    @property
    def address(self) -> str:
        return self._on_page(self._searched)

    @property
    def next_url(self) -> str | None:
        after = self._next_place
        return self._on_page(self._searched | {"after": [after]}) if after else None

    @property
    def live_url(self) -> str:
        return self._on_page(self._searched, "polled.account_live")

    @property
    def whole_url(self) -> str:
        """The address without the search."""
        return self._on_page({})

    def period_url(self, period: str) -> str:
        return self._on_page(self._searched, period=period)

    @property
    def query_string(self) -> str:
        """The explorer's fields that find the same rows, for exports."""
        return urlencode(filter_urls.query_of(self.form), doseq=True)

    @cached_property
    def query(self) -> Query:
        of_period = {"period": [self.period]} if self.period else {}
        return self._searched | {"statement": [str(self.account.id)]} | of_period

    @property
    def _searched(self) -> Query:
        fields = filter_urls.query_of(self.form)
        return {name: values for name, values in fields.items() if name == "q"}

    def _on_page(
        self, query: Query, endpoint: str = "finance.account", period: str | None = None
    ) -> str:
        chosen = period or self.period
        arguments: dict[str, Any] = {**query, **({"period": chosen} if chosen else {})}
        return url_for(endpoint, account_id=self.account.id, **arguments)

    @cached_property
    def tally(self) -> Tally:
        """The number of rows, without sums: the balances say more."""
        if self.is_searched:
            return super().tally
        return Tally(monthly_totals.count_stored([self.account.id]), False)

    @property
    def shows_currency(self) -> bool:
        """Do rows show their currency? Not if all have that of the account."""
        own = self.account.currency
        return any((row.currency or own) != own for row in self.rows)

    @cached_property
    def accounts(self) -> Mapping[int, Account]:
        return {self.account.id: self.account}

    @cached_property
    def item(self) -> Item | None:
        return items.owned(self.account.item_id, self.user_id)

    @cached_property
    def connections(self) -> Sequence[Item]:
        return [self.item] if self.item else []

    @property
    def groups(self) -> list[Group]:
        """Days have no sums: the balances say more."""
        return [group._replace(sums=()) for group in super().groups]

    def totals_of_days(self, rows: Iterable[Transaction]) -> Iterator[tuple[date, Tally]]:
        yield from ()

    @property
    def has_balances(self) -> bool:
        return not self.is_searched and running_balances.has_balances(self.account)

    @cached_property
    def running(self) -> Running:
        if self.is_searched:
            return Running()
        return running_balances.running(
            self.account, self.rows, self.below, is_first=self.after is None
        )

    @property
    def opening_day(self) -> date:
        """The day of the balance before the last row of the page."""
        return days_later(self.rows[-1].date, -1)

    @cached_property
    def pending(self) -> Pending:
        return running_balances.pending(self.account)

    def is_counted(self, row: Transaction) -> bool:
        """False for a row in another currency than the account's."""
        return running_balances.counts(self.account, row)
