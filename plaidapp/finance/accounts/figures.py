"""The figures of an account's page: its balance over time, what is left of it, and its months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from plaidapp.store import Account, Item
from plaidapp.store.base.dates import month_of, months_later
from plaidapp.store.reports import balance_lines
from plaidapp.store.reports.running_balances import Pending
from plaidapp.store.transactions import monthly_totals

from ..reports.account_balances import ALL, NOTHING, AccountBalance
from ..reports.income_and_spending import Month
from .available import Available

DAYS_OF_PERIOD = {"1M": 30, "3M": 91, "6M": 182, "1Y": 365}
PERIODS = (*DAYS_OF_PERIOD, ALL)
DEFAULT = "6M"
MONTHS = 6
MOST_POINTS = 400


@dataclass(frozen=True)
class History:
    """The balance at the end of each of `days`, the last of which is today.

    The first `unknown` of them are before any balance that is known, and have the first one.
    """

    days: Sequence[date]
    values: Sequence[Decimal]
    unknown: int


@dataclass(frozen=True)
class Figures:
    """`value` is the balance, None if none is known; `history` goes back over `period`.

    `months` has what came in and went out, this month last; empty if nothing ever did.
    """

    value: Decimal | None
    period: str
    history: History | None
    months: Sequence[Month]
    available: Available

    @property
    def largest(self) -> Decimal:
        """The largest amount of a month."""
        return max(max(each.money_in, each.money_out) for each in self.months)


def of_account(
    account: Account, item: Item, pending: Pending, period: str | None, today: date
) -> Figures:
    """`period` is one of PERIODS; anything else means the default."""
    chosen = period if period in PERIODS else DEFAULT
    start = today - timedelta(days=DAYS_OF_PERIOD[chosen]) if chosen != ALL else date.min
    line = balance_lines.line(account.id, start, today)
    balance = AccountBalance(account, item, line)
    history = _history(balance, start, today) if line else None
    available = Available.of(account, pending)
    return Figures(balance.value, chosen, history, _months(account, today), available)


def _history(balance: AccountBalance, start: date, today: date) -> History | None:
    if balance.line is None:
        return None
    start = max(start, balance.line.known_from)
    span = max((today - start).days, 1)
    stride = span // MOST_POINTS + 1
    days = [today - timedelta(days=age) for age in range(span - span % stride, -1, -stride)]
    unknown = sum(day < balance.line.known_from for day in days)
    return History(days, balance.at(days), unknown)


def _months(account: Account, today: date) -> list[Month]:
    first = months_later(month_of(today), 1 - MONTHS)
    totals = monthly_totals.in_and_out(account, first)
    months = [months_later(first, age) for age in range(MONTHS)]
    if not any(month in totals for month in months):
        return []
    return [Month(month, *totals.get(month, (NOTHING, NOTHING))) for month in months]
