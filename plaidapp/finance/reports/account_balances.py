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
from plaidapp.store.connections import accounts
from plaidapp.store.reports.balance_lines import Line, lines

NOTHING = Decimal(0)
DAYS_OF_PERIOD = {"1M": 30, "6M": 182, "1Y": 365}
ALL = "all"
PERIODS = (*DAYS_OF_PERIOD, ALL)
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
        """The balance that the bank reported last; None if it never reported one."""
        current = self.account.current
        return current if current is None else self._sign * current

    @property
    def _sign(self) -> int:
        return -1 if self.account.is_debt else 1

    def at(self, days: Sequence[date]) -> list[Decimal]:
        """The balance at the end of each day. It is zero from the day the account was closed."""
        if self.line is None:
            return [NOTHING] * len(days)
        closed = day_of(self.account.closed_at) if self.account.closed_at else date.max
        values = zip(days, self.line.at(days), strict=True)
        return [self._sign * value if day < closed else NOTHING for day, value in values]


def of_user(user_id: int, period: str, today: date) -> list[AccountBalance]:
    """All accounts a person has or had, with balances as far back as the figures need them."""
    start_of_period = today - timedelta(days=DAYS_OF_PERIOD.get(period, 0))
    start = min(start_of_period, today - timedelta(days=SPARKLINE_DAYS), end_of_last_month(today))
    line_of = lines(user_id, date.min if period == ALL else start, today)
    return [
        AccountBalance(account, item, line_of.get(account.id))
        for account, item in accounts.with_items(user_id)
    ]


def end_of_last_month(today: date) -> date:
    return month_of(today) - timedelta(days=1)
