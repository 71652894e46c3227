"""What a file is made of: the rows that the explorer shows, and whose they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import islice

from plaidapp.extensions import db
from plaidapp.formats import bank_name
from plaidapp.store import Account, Transaction
from plaidapp.store.base.writes import BATCH
from plaidapp.store.connections import accounts, items
from plaidapp.store.transactions import export_rows, monthly_totals, reader
from plaidapp.store.transactions.filters import Filter


@dataclass(frozen=True)
class Statement:
    """One account's posted rows in one currency, oldest first."""

    account: Account
    currency: str | None
    rows: Iterator[Transaction]


@dataclass(frozen=True)
class Export:
    """A filter's rows; the person's accounts, with rows in the filter or without; the banks' names.

    `made_at` is the moment, in UTC, that the file says it was made.
    """

    wanted: Filter
    made_at: datetime
    accounts: Sequence[Account]
    banks: Mapping[int, str]

    @classmethod
    def of(cls, wanted: Filter) -> "Export":
        banks = {item.id: bank_name(item) for item in items.of_user(wanted.user_id)}
        return cls(wanted, datetime.now(UTC), accounts.of_user(wanted.user_id), banks)

    def bank_of(self, account: Account) -> str:
        """Empty for a bank that was connected after the export began."""
        return self.banks.get(account.item_id, "")

    @property
    def today(self) -> date:
        return self.made_at.date()

    @property
    def is_complete(self) -> bool:
        """Are these all rows from some day until now? Only then a bank's balance explains them."""
        wanted, user_id = self.wanted, self.wanted.user_id
        ends_now = wanted.end is None or wanted.end >= self.today
        whole = Filter(user_id, wanted.start, wanted.end, hidden="any")
        hides_none = wanted.hidden == "any" or monthly_totals.count(user_id).hidden == 0
        ordered = replace(whole, sort=wanted.sort, descending=wanted.descending)
        return ends_now and hides_none and replace(wanted, hidden="any") == ordered

    def rows(self) -> Iterator[Transaction]:
        """In the explorer's order."""
        return _in_pages(reader.all_of(self.wanted))

    def oldest_first(self) -> Iterator[Transaction]:
        return _in_pages(export_rows.oldest_first(self.wanted))

    def statements(self, accounts: Sequence[Account]) -> Iterator[Statement]:
        """Of those accounts that have rows; each is to be read before the next is asked for."""
        for account in accounts:
            currencies = export_rows.currencies(self.wanted, account.id)
            db.session.close()
            for currency in currencies:
                rows = export_rows.posted(self.wanted, account.id, currency)
                yield Statement(account, currency, _in_pages(rows))


def _in_pages(rows: Iterator[Transaction]) -> Iterator[Transaction]:
    """The same rows, with no transaction and no connection held while a page is written out.

    A download lasts as long as its reader likes, and other people need the database too.
    """
    while page := list(islice(rows, BATCH)):
        db.session.close()  # what is loaded stays readable
        yield from page
