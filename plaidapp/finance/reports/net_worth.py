"""Net worth, now and over time, from the daily balances.

Each currency has a net worth of its own; currencies are never added up.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import gettext

from plaidapp.store import Account
from plaidapp.store.base.dates import month_of
from plaidapp.store.connections.balances import BANK

from ..base import leading_currency
from ..charts.line import LineChart
from ..charts.sparkline import Sparkline
from . import periods
from .account_balances import NOTHING, AccountBalance, end_of_last_month

MOST_POINTS = 400


@dataclass(frozen=True)
class Estimate:
    """Accounts whose balance is unknown before `day`. Earlier days use the balance of that day.

    That balance was reported by the bank (`by_bank`) or computed from the transactions.
    """

    day: date
    by_bank: bool
    accounts: Sequence[Account]


@dataclass(frozen=True)
class NetWorth:
    """In one currency. `change` is since the end of last month. It is not known (`has_change`) if
    no balance was known then and none has changed since. The last of `dates` is today.

    `missing` are the accounts that are not in it because their balances are unknown.
    """

    currency: str
    value: Decimal
    change: Decimal
    has_change: bool
    dates: Sequence[date]
    values: Sequence[Decimal]
    estimates: Sequence[Estimate]
    missing: Sequence[Account]

    @property
    def chart(self) -> LineChart:
        label = gettext("Net worth by day")
        return LineChart(label, self.currency, self.dates, self.values, self.exact_from)

    @property
    def sparkline(self) -> Sparkline:
        return Sparkline(self.values, sum(day < self.exact_from for day in self.dates))

    @property
    def exact_from(self) -> date:
        """The first day on which every account's balance is known."""
        return max((each.day for each in self.estimates), default=self.dates[0])

    @property
    def table(self) -> list[tuple[date, Decimal]]:
        """The last point of each month, newest first."""
        points = zip(self.dates, self.values, strict=True)
        last_of_month = {month_of(day): (day, value) for day, value in points}
        return list(reversed(last_of_month.values()))


def by_currency(
    balances: Sequence[AccountBalance],
    period: str,
    today: date,
    main_currency: str | None = None,
) -> list[NetWorth]:
    """One for each currency that open accounts with a known balance have, in the order of
    leading_currency.py. Unknown balances in other currencies are missing from the first."""
    accounts_in = defaultdict(list)
    for each in balances:
        if each.line is not None:
            accounts_in[each.currency].append(each)
    open_accounts = {
        currency: sum(each.is_open for each in group) for currency, group in accounts_in.items()
    }
    counted = {currency: number for currency, number in open_accounts.items() if number}
    currencies = leading_currency.in_order(counted, main_currency)
    missing = defaultdict(list)
    for each in balances:
        if each.is_unknown and currencies:
            known = each.currency in currencies
            missing[each.currency if known else currencies[0]].append(each.account)
    return [
        _net_worth(currency, accounts_in[currency], missing[currency], period, today)
        for currency in currencies
    ]


def _net_worth(
    currency: str,
    balances: Sequence[AccountBalance],
    missing: Sequence[Account],
    period: str,
    today: date,
) -> NetWorth:
    days = _days(period, min(each.line.known_from for each in balances if each.line), today)
    values = sums(balances, days)
    end_of_last = end_of_last_month(today)
    (last_month,) = sums(balances, [end_of_last])
    change = values[-1] - last_month
    was_known = any(each.line.known_from <= end_of_last for each in balances if each.line)
    estimates = _estimates(balances, days[0])
    return NetWorth(
        currency, values[-1], change, was_known or change != 0, days, values, estimates, missing
    )


def sums(balances: Sequence[AccountBalance], days: Sequence[date]) -> list[Decimal]:
    """The sum of all balances at the end of each day."""
    by_account = [each.at(days) for each in balances]
    return [sum(values, NOTHING) for values in zip(*by_account, strict=True)]


def _days(period: str, known_from: date, today: date) -> list[date]:
    """Every day for up to a year, every week for more, and every few weeks for much more."""
    start = max(known_from, periods.start_of(period, today))
    span = max((today - start).days, 0)
    stride = 1 if span < MOST_POINTS else 7 * (span // (7 * MOST_POINTS) + 1)
    return [today - timedelta(days=age) for age in range(span - span % stride, -1, -stride)]


def _estimates(balances: Iterable[AccountBalance], first: date) -> list[Estimate]:
    """The accounts that are unknown on the day `first`, by the day they are known from."""
    accounts_from: defaultdict[tuple[date, bool], list[Account]] = defaultdict(list)
    for each in balances:
        if each.line and each.line.known_from > first:
            accounts_from[each.line.known_from, each.line.source == BANK].append(each.account)
    in_order = sorted(accounts_from.items(), key=lambda pair: pair[0])
    return [Estimate(day, by_bank, accounts) for (day, by_bank), accounts in in_order]
