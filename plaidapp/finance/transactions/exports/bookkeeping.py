"""Transactions as double-entry bookkeeping, for Beancount and hledger alike.

A transaction posts to its account, with bookkeeping's sign (money out is negative), and with the
opposite sign to its category. A detailed category is a sub-account, so the account of its primary
category has the sum. A transfer posts to Equity:Transfers instead of a category. If both sides of
the transfer are in the file, they cancel out there.

Money in a currency other than the account's goes to a sub-account, so that each account has one
currency. If the file has all transactions until now, an opening balance makes up for earlier ones,
and an assertion states each account's balance once its pending rows have posted. The opening
balance is computed here because Beancount's `pad` refuses to add zero and hledger has no such
directive.
"""

import unicodedata
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from plaidapp.store import Account, Transaction
from plaidapp.store.base.dates import days_later
from plaidapp.store.transactions.categories import INCOME, UNKNOWN, is_spending, is_transfer

from .export import Export
from .names import Names, category_levels, component

OPENING, TRANSFERRED = "Equity:Opening-Balances", "Equity:Transfers"


@dataclass(frozen=True, slots=True)
class Commodity:
    day: date
    symbol: str
    code: str  # the currency as the bank writes it


@dataclass(frozen=True, slots=True)
class Opening:
    """Declares an account. `symbol` is its only currency; None allows any."""

    day: date
    account: str
    symbol: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction. `amount` goes to `account` and comes from `counter`."""

    day: date
    account: str
    counter: str
    amount: Decimal
    symbol: str
    narration: str
    payee: str = ""
    pending: bool = False
    details: Mapping[str, str] = field(default_factory=dict)
    """More about the transaction, by name. Unknown details are empty."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """The account's balance at the end of the day."""

    day: date
    account: str
    amount: Decimal
    symbol: str


Directive = Commodity | Opening | Entry | Assertion


@dataclass
class FileAccount:
    """One account in one currency, with the sums of its rows written so far."""

    name: str
    symbol: str
    first: date
    last: date
    total: Decimal = Decimal()
    pending: Decimal = Decimal()


class Book:
    """The directives of a file. Accounts and commodities are declared the day before first use."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._names = Names()
        self._declared: set[str] = set()
        self._file_accounts: dict[tuple[int, str | None], FileAccount] = {}
        # All and in this order, so that every export gives them the same names.
        for account in sorted(export.accounts, key=lambda account: account.id):
            self._names.of_account(account, export.bank_of(account))

    def directives(self) -> Iterator[Directive]:
        """Transactions, oldest first; then opening balances and assertions."""
        for row in self._export.oldest_first():
            posted_to = yield from self._account(row.account, row.currency, row.date)
            counter = counter_account(row)
            yield from self._open(days_later(row.date, -1), counter)
            posted_to.last = row.date
            posted_to.total -= row.amount
            if row.pending:
                posted_to.pending -= row.amount
            yield _entry(row, posted_to, counter)
        if self._export.is_complete:
            yield from self._open(days_later(self._first_day(), -1), OPENING)
            for account in self._export.accounts:
                if account.current is not None and account.closed_at is None:
                    yield from self._balance(account, account.current)

    def _balance(self, account: Account, current: Decimal) -> Iterator[Directive]:
        today = self._export.today
        posted_to = yield from self._account(account, account.currency, today)
        balance = (-current if account.is_debt else current) + posted_to.pending
        if opening := balance - posted_to.total:
            day = days_later(posted_to.first, -1)
            yield Entry(day, posted_to.name, OPENING, opening, posted_to.symbol, "Opening balance")
        yield Assertion(max(today, posted_to.last), posted_to.name, balance, posted_to.symbol)

    def _first_day(self) -> date:
        days = (posted_to.first for posted_to in self._file_accounts.values())
        return min((self._export.today, *days))

    def _account(
        self, account: Account, currency: str | None, day: date
    ) -> Generator[Directive, None, FileAccount]:
        key = account.id, currency
        if key not in self._file_accounts:
            symbol = self._names.symbol(currency)
            name = self._names.of_account(account, self._export.bank_of(account))
            if currency != account.currency:
                name += f":{component(symbol)}"
            if symbol not in self._declared:
                self._declared.add(symbol)
                yield Commodity(days_later(day, -1), symbol, currency or "")
            yield from self._open(days_later(day, -1), name, symbol, account.exact_title)
            self._file_accounts[key] = FileAccount(name, symbol, day, day)
        return self._file_accounts[key]

    def _open(
        self, day: date, name: str, symbol: str | None = None, title: str = ""
    ) -> Iterator[Directive]:
        if name not in self._declared:
            self._declared.add(name)
            yield Opening(day, name, symbol, title)


def counter_account(row: Transaction) -> str:
    """Such as Income:Salary or Expenses:Food-And-Drink:Groceries; Equity:Transfers for a transfer.

    Income of unknown kind is Income:Other.
    """
    category = row.category
    if is_transfer(category):
        return TRANSFERRED
    is_spent = is_spending(category, money_out=row.amount > 0)
    levels = category_levels(row)
    if category == INCOME:
        levels = levels[1:] or (UNKNOWN,)
    parts = (component(level.title()) for level in levels)
    return ":".join(("Expenses" if is_spent else "Income", *parts))


def _entry(row: Transaction, account: FileAccount, counter: str) -> Entry:
    return Entry(
        row.date,
        account.name,
        counter,
        -row.amount,
        account.symbol,
        line_of(row.name),
        line_of(row.merchant_name),
        row.pending,
        {
            "plaid_id": line_of(row.public_id),
            "category": line_of(row.category_detailed),
            "note": line_of(row.note),
        },
    )


def line_of(text: str | None) -> str:
    """The text on one line, without control characters."""
    printable = (" " if unicodedata.category(sign) == "Cc" else sign for sign in text or "")
    return " ".join("".join(printable).split())
