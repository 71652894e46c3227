"""Rows as double entry: what the files for Beancount and for hledger both say.

An account's posting has the sign of bookkeeping (money out is negative) and the category the row
counts under has the opposite. A transfer goes to Equity:Transfers: with both of its sides among the
rows that comes to nothing, and with one of them, what left is not counted as still owned.

Money in another currency than the account's is in a sub-account, so that each account has one.
When the rows are all there is until now, an opening balance makes up for what came before them, and
an assertion says what each account holds once the pending rows have posted. The balance is worked
out here: Beancount's `pad` refuses to add nothing, and hledger has none.
"""

import unicodedata
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from plaidapp.store import Account, Transaction
from plaidapp.store.base.dates import days_later
from plaidapp.store.transactions.categories import INCOME, is_transfer

from .export import Export
from .names import Names, component

OPENING, TRANSFERRED = "Equity:Opening-Balances", "Equity:Transfers"


@dataclass(frozen=True, slots=True)
class Commodity:
    day: date
    symbol: str
    code: str  # as the bank writes it


@dataclass(frozen=True, slots=True)
class Opening:
    """An account, declared before it is used; `symbol` is its only currency, None is any."""

    day: date
    account: str
    symbol: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """`amount` goes to `account` and comes from `counter`."""

    day: date
    account: str
    counter: str
    amount: Decimal
    symbol: str
    narration: str
    payee: str = ""
    pending: bool = False
    details: Mapping[str, str] = field(default_factory=dict)
    """What else is known, by its name; empty where it is not."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the account holds at the end of the day."""

    day: date
    account: str
    amount: Decimal
    symbol: str


Line = Commodity | Opening | Entry | Assertion


@dataclass
class Holding:
    """What the file says so far of one account in one currency."""

    name: str
    symbol: str
    first: date
    last: date
    total: Decimal = Decimal()
    pending: Decimal = Decimal()


class Book:
    """Declares each account and commodity on the day before it is first used."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._names = Names()
        self._declared: set[str] = set()
        self._holdings: dict[tuple[int, str | None], Holding] = {}
        for account in export.accounts:  # all of them, so that every export has the same names
            self._names.of_account(account, export.bank_of(account))

    def lines(self) -> Iterator[Line]:
        """Oldest first; what belongs to the whole, at the end."""
        for row in self._export.oldest_first():
            holding = yield from self._holding(row.account, row.currency, row.date)
            counter = counter_account(row)
            yield from self._open(days_later(row.date, -1), counter)
            holding.last = row.date
            holding.total -= row.amount
            if row.pending:
                holding.pending -= row.amount
            yield _entry(row, holding, counter)
        if self._export.is_complete:
            yield from self._open(days_later(self._first_day(), -1), OPENING)
            for account in self._export.accounts:
                if account.current is not None and account.closed_at is None:
                    yield from self._balance(account, account.current)

    def _balance(self, account: Account, current: Decimal) -> Iterator[Line]:
        today = self._export.today
        holding = yield from self._holding(account, account.currency, today)
        held = (-current if account.is_debt else current) + holding.pending
        if rest := held - holding.total:
            day = days_later(holding.first, -1)
            yield Entry(day, holding.name, OPENING, rest, holding.symbol, "Opening balance")
        yield Assertion(max(today, holding.last), holding.name, held, holding.symbol)

    def _first_day(self) -> date:
        days = (holding.first for holding in self._holdings.values())
        return min((self._export.today, *days))

    def _holding(
        self, account: Account, currency: str | None, day: date
    ) -> Generator[Line, None, Holding]:
        key = account.id, currency
        if key not in self._holdings:
            symbol = self._names.symbol(currency)
            name = self._names.of_account(account, self._export.bank_of(account))
            if currency != account.currency:
                name += f":{component(symbol)}"
            if symbol not in self._declared:
                self._declared.add(symbol)
                yield Commodity(days_later(day, -1), symbol, currency or "")
            yield from self._open(days_later(day, -1), name, symbol, account.name)
            self._holdings[key] = Holding(name, symbol, day, day)
        return self._holdings[key]

    def _open(
        self, day: date, name: str, symbol: str | None = None, title: str = ""
    ) -> Iterator[Line]:
        if name not in self._declared:
            self._declared.add(name)
            yield Opening(day, name, symbol, title)


def counter_account(row: Transaction) -> str:
    """Income:Wages, Expenses:Food-And-Drink, or where the transfers are."""
    category = row.category
    if is_transfer(category):
        return TRANSFERRED
    if category == INCOME:
        kind = (row.category_detailed or "").removeprefix(f"{INCOME}_")
        return f"Income:{component(kind.title() or 'Other')}"
    return f"Expenses:{component(category.title())}"


def _entry(row: Transaction, holding: Holding, counter: str) -> Entry:
    return Entry(
        row.date,
        holding.name,
        counter,
        -row.amount,
        holding.symbol,
        line_of(row.name),
        line_of(row.merchant_name),
        row.pending,
        {
            "plaid_id": line_of(row.plaid_transaction_id),
            "category": line_of(row.category_detailed),
            "note": line_of(row.note),
        },
    )


def line_of(text: str | None) -> str:
    """The text on one line, without control characters."""
    kept = (" " if unicodedata.category(sign) == "Cc" else sign for sign in text or "")
    return " ".join("".join(kept).split())
