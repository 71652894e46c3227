"""Every account's balance, now and over time, as a person counts it: what is owed is negative.

Amounts are in the account's own currency; an account without one has the currency "". Days are
the person's days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from plaidapp.days import day_of
from plaidapp.store import Account, Item
from plaidapp.store.base.dates import month_of
from plaidapp.store.base.types import units
from plaidapp.store.connections import accounts
from plaidapp.store.connections.balances import BANK
from plaidapp.store.reports import balance_lines
from plaidapp.store.reports.balance_lines import Line, lines

from . import periods

NOTHING = Decimal(0)
SPARKLINE_DAYS = 90


@dataclass(frozen=True)
class AccountBalance:
    """An account, its connection, and its balance over time if any balance is known."""

    account: Account
    item: Item
    line: Line | None

    @property
    def currency(self) -> str:
        return self.account.currency or ""

    @property
    def is_open(self) -> bool:
        return self.account.closed_at is None

    @property
    def value(self) -> Decimal | None:
        """The latest balance that is known; None if none ever was."""
        balance = self.account.balance
        if balance is None and self.line:
            balance = self.line.latest
        return None if balance is None else self._sign * balance

    @property
    def is_unknown(self) -> bool:
        """True if the account belongs in sums and has no balance to add."""
        return self.is_open and self.value is None

    def change_since(self, day: date) -> Decimal | None:
        """How much the balance has changed since the end of a day; None if it was unknown then."""
        if self.value is None or self.line is None or self.line.known_from > day:
            return None
        return self.value - self.at([day])[0]

    @property
    def _sign(self) -> int:
        return -1 if self.account.is_debt else 1

    def at(self, days: Sequence[date]) -> list[Decimal]:
        """The balance at the end of each day. It is zero from the day the account was closed."""
        closed = day_of(self.account.closed_at) if self.account.closed_at else date.max
        values = zip(days, self.reported_at(days), strict=True)
        return [value if day < closed else NOTHING for day, value in values]

    def reported_at(self, days: Sequence[date]) -> list[Decimal]:
        """As `at`, but the last balance of an account that was closed stays."""
        if self.line is None:
            return [NOTHING] * len(days)
        sign = self._sign
        return [sign * value for value in self.line.at(days)]


def of_user(user_id: int, period: str, today: date) -> list[AccountBalance]:
    """All accounts a person has or had, with balances as far back as the figures need them.

    Hidden ones are left out.
    """
    start_of_sparklines = today - timedelta(days=SPARKLINE_DAYS)
    start = min(periods.start_of(period, today), start_of_sparklines, end_of_last_month(today))
    return since(user_id, start, today)


def since(user_id: int, start: date, today: date) -> list[AccountBalance]:
    """What `of_user` returns, with balances from the end of the day `start`."""
    line_of = lines(user_id, start, today)
    return [
        AccountBalance(account, item, line_of.get(account.id) or _line_of_today(account, today))
        for account, item in accounts.with_items(user_id)
        if not account.is_hidden
    ]


def of_account(account: Account, item: Item, start: date, today: date) -> AccountBalance:
    """One account, which may be hidden, with its balance from the end of the day `start`."""
    line = balance_lines.line(account.id, start, today)
    return AccountBalance(account, item, line or _line_of_today(account, today))


def _line_of_today(account: Account, today: date) -> Line | None:
    """For a balance that is stored with the account only."""
    if account.balance is None or account.closed_at:
        return None
    return Line(today, BANK, [today], [units(account.balance)], [0])


def end_of_last_month(today: date) -> date:
    return month_of(today) - timedelta(days=1)
