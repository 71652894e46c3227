"""What a file is made of: the transactions of a filter, their accounts and banks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from plaidapp.days import today
from plaidapp.extensions import db
from plaidapp.formats import bank_name
from plaidapp.store import Account, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.base.writes import BATCH
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import export_rows, reader
from plaidapp.store.transactions.filters import Filter


@dataclass(frozen=True)
class Statement:
    """One account's posted rows in one currency, oldest first."""

    account: Account
    currency: str | None
    rows: Iterator[Transaction]


@dataclass(frozen=True)
class Export:
    """The rows of a filter, all of the person's accounts, and the banks' names by Item id.

    `made_at` is when the file was made, in UTC. `today` was the person's day then.
    """

    filter: Filter
    made_at: datetime
    today: date
    accounts: Sequence[Account]
    banks: Mapping[int, str]

    @classmethod
    def of(cls, filter_: Filter) -> "Export":
        pairs = list(accounts.with_items(filter_.user_id))
        banks = {item.id: item.institution_name or bank_name(item) for _, item in pairs}
        return cls(filter_, now(), today(), [account for account, _ in pairs], banks)

    def bank_of(self, account: Account) -> str:
        """The bank's name. Empty if it was connected after the export began."""
        return self.banks.get(account.item_id, "")

    @property
    def is_complete(self) -> bool:
        """Are these all rows from some day until now? Only then do they add up to the balances."""
        given, user_id = self.filter, self.filter.user_id
        ends_now = given.end is None or given.end >= self.today
        hides_none = given.hidden == "any" or not reader.page(Filter(user_id, hidden="only"), 1)
        all_rows = Filter(user_id, given.start, given.end, hidden="any", hidden_accounts=True)
        in_order = replace(all_rows, sort=given.sort, descending=given.descending)
        return ends_now and hides_none and replace(given, hidden="any") == in_order

    def rows(self) -> Iterator[Transaction]:
        """In the explorer's order."""
        return _in_pages(reader.all_of(self.filter))

    def oldest_first(self) -> Iterator[Transaction]:
        return _in_pages(export_rows.oldest_first(self.filter))

    def statements(self, accounts: Sequence[Account]) -> Iterator[Statement]:
        """One for each currency of each account. Read one to its end before asking for the next."""
        for account in accounts:
            currencies = export_rows.currencies(self.filter, account.id)
            db.session.close()
            for currency in currencies:
                rows = export_rows.posted(self.filter, account.id, currency)
                yield Statement(account, currency, _in_pages(rows))


def _in_pages(rows: Iterator[Transaction]) -> Iterator[Transaction]:
    """The same rows. No transaction is open while a page of them is sent.

    A download is as slow as its reader, and must not hold a database connection that long.
    """
    while page := list(islice(rows, BATCH)):
        db.session.close()  # loaded rows stay readable
        yield from page
