"""What a person has: net worth and accounts, now and over time, from the daily balances.

Signed as a person counts: what is owed on credit and loans is negative. Currencies stand side by
side and are never added up; an account without one has the currency "". Days are UTC's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from plaidapp.formats import CURRENCIES
from plaidapp.store import Account, Item
from plaidapp.store.base.dates import month_of
from plaidapp.store.base.types import exact
from plaidapp.store.connections import accounts
from plaidapp.store.connections.account_types import (
    BROKERAGE,
    CREDIT,
    DEPOSITORY,
    INVESTMENT,
    LOAN,
)
from plaidapp.store.connections.balances import BANK
from plaidapp.store.reports.balance_lines import Line, lines

DAY = timedelta(days=1)
NOTHING = Decimal(0)
DAYS_OF_PERIOD = {"1M": 30, "6M": 182, "1Y": 365}
ALL = "all"
PERIODS = (*DAYS_OF_PERIOD, ALL)
MOST_POINTS = 400
SPARK = [timedelta(days=3 * age) for age in range(30, -1, -1)]
KINDS: tuple[tuple[str, LazyString, tuple[str, ...]], ...] = (
    ("cash", lazy_gettext("Cash"), (DEPOSITORY,)),
    ("cards", lazy_gettext("Cards"), (CREDIT,)),
    ("investments", lazy_gettext("Investments"), (INVESTMENT, BROKERAGE)),
    ("loans", lazy_gettext("Loans"), (LOAN,)),
    ("other", lazy_gettext("Other"), ()),
)
KIND_OF_TYPE = {kind: key for key, _, kinds in KINDS for kind in kinds}


@dataclass(frozen=True)
class Holding:
    """An account, the connection it came by, and its balance over time."""

    account: Account
    item: Item
    line: Line | None

    @property
    def currency(self) -> str:
        return self.account.currency or ""

    @property
    def kind(self) -> str:
        return KIND_OF_TYPE.get(self.account.type, "other")

    @property
    def value(self) -> Decimal | None:
        """What the bank said last; None if it never gave a balance."""
        current = self.account.current
        return current if current is None else self._sign * current

    @property
    def _sign(self) -> int:
        return -1 if self.account.is_debt else 1

    def at(self, days: Sequence[date]) -> list[Decimal]:
        """The value at the end of each day; nothing from the day on that the account was closed."""
        if self.line is None:
            return [NOTHING] * len(days)
        closed = self.account.closed_at.date() if self.account.closed_at else date.max
        values = zip(days, self.line.at(days), strict=True)
        return [self._sign * value if day < closed else NOTHING for day, value in values]


@dataclass(frozen=True)
class AccountRow(Holding):
    """`spark` are the values of every third day of the last ninety, today's last.

    The first `held` of them are of days of which nothing is known.
    """

    spark: Sequence[Decimal]
    held: int

    def points(self, width: int = 90, height: int = 24) -> str:
        """`spark` as the points of an SVG polyline in a box of this size."""
        low, high = min(self.spark, default=NOTHING), max(self.spark, default=NOTHING)
        span = high - low or 1
        flat = Decimal(height) / 2
        ys = [(high - value) / span * height if high != low else flat for value in self.spark]
        step = width / (len(SPARK) - 1)
        return " ".join(f"{step * index:.1f},{y:.1f}" for index, y in enumerate(ys))

    def parts(self, width: int, height: int) -> tuple[str, str]:
        """`points` where they are held, up to the first that is known, and where they are known."""
        points = self.points(width, height).split()
        return " ".join(points[: self.held + 1] if self.held else ()), " ".join(points[self.held :])


@dataclass(frozen=True)
class AccountGroup:
    """The open accounts of one kind; `totals` has a pair of currency and sum for each currency."""

    key: str
    title: LazyString
    totals: Sequence[tuple[str, Decimal]]
    accounts: Sequence[AccountRow]


@dataclass(frozen=True)
class Held:
    """Accounts of which nothing is known before `day`: there the line holds their first balance.

    That is what the bank said that day (`said`), or the first that its transactions lead back to.
    """

    day: date
    said: bool
    accounts: Sequence[Account]


@dataclass(frozen=True)
class NetWorth:
    """In one currency. `change` is since the end of last month; the last of `dates` is today."""

    currency: str
    value: Decimal
    change: Decimal
    dates: Sequence[date]
    values: Sequence[Decimal]
    held: Sequence[Held]

    @property
    def chart(self) -> dict[str, Any]:
        """The points of static/charts.js; amounts as exact decimal strings.

        The first `held` of them are not exact, and `mark` says so.
        """
        return {
            "currency": self.currency,
            "dates": [day.isoformat() for day in self.dates],
            "series": [{"values": [exact(value) for value in self.values]}],
            "held": sum(day < self.exact_from for day in self.dates),
            "mark": gettext("partly held"),
        }

    @property
    def exact_from(self) -> date:
        """The first day of which every account's balance is known."""
        return max((part.day for part in self.held), default=self.dates[0])

    @property
    def table(self) -> list[tuple[date, Decimal]]:
        """The line's last point of each month, newest first: what a person can read of it."""
        last = {month_of(day): (day, value) for day, value in self._points()}
        return list(reversed(last.values()))

    def _points(self) -> Iterable[tuple[date, Decimal]]:
        return zip(self.dates, self.values, strict=True)


def holdings(user_id: int, period: str, today: date) -> list[Holding]:
    """Every account a person has or had, with its balances as far back as the period needs."""
    start = today - timedelta(days=DAYS_OF_PERIOD.get(period, 0))
    needed = min(start, today - SPARK[0], month_of(today) - DAY)
    known = lines(user_id, date.min if period == ALL else needed)
    return [
        Holding(account, item, known.get(account.id))
        for account, item in accounts.with_items(user_id)
    ]


def groups(held: Sequence[Holding], today: date) -> list[AccountGroup]:
    """The open accounts by kind, in the order a person thinks of them."""
    days = [today - age for age in SPARK]
    rows = defaultdict(list)
    for each in held:
        if each.account.closed_at is None:
            unknown = sum(each.line is None or day < each.line.known_from for day in days)
            row = AccountRow(each.account, each.item, each.line, each.at(days), unknown)
            rows[each.kind].append(row)
    return [
        AccountGroup(key, title, _totals(rows[key]), rows[key])
        for key, title, _ in KINDS
        if rows[key]
    ]


def _totals(rows: Iterable[Holding]) -> list[tuple[str, Decimal]]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.currency] += row.value or NOTHING
    return sorted(sums.items())


def net_worth(held: Sequence[Holding], period: str, today: date) -> list[NetWorth]:
    """One for each currency of open accounts with a balance: ISO's first, and of most accounts."""
    by_currency = defaultdict(list)
    for each in held:
        if each.line is not None:
            by_currency[each.currency].append(each)
    now_there = {
        currency: sum(each.account.closed_at is None for each in theirs)
        for currency, theirs in by_currency.items()
    }
    wanted = sorted(
        (currency not in CURRENCIES, -number, currency)
        for currency, number in now_there.items()
        if number
    )
    return [_net_worth(currency, by_currency[currency], period, today) for *_, currency in wanted]


def _net_worth(currency: str, held: Sequence[Holding], period: str, today: date) -> NetWorth:
    known_from = {each.account.id: each.line.known_from for each in held if each.line}
    days = _days(period, min(known_from.values()), today)
    values = _added(held, days)
    (last_month,) = _added(held, [month_of(today) - DAY])
    return NetWorth(
        currency, values[-1], values[-1] - last_month, days, values, _held(held, days[0])
    )


def _added(held: Sequence[Holding], days: Sequence[date]) -> list[Decimal]:
    return [sum(values, NOTHING) for values in zip(*(each.at(days) for each in held), strict=True)]


def _days(period: str, known_from: date, today: date) -> list[date]:
    """Every day up to a year, every week beyond, fewer when those would be too many."""
    start = known_from
    if period != ALL:
        start = max(start, today - timedelta(days=DAYS_OF_PERIOD[period]))
    span = max((today - start).days, 0)
    stride = 1 if span < MOST_POINTS else 7 * (span // (7 * MOST_POINTS) + 1)
    return [today - timedelta(days=age) for age in range(span - span % stride, -1, -stride)]


def _held(held: Sequence[Holding], first: date) -> list[Held]:
    """Which accounts the line does not know all along, by the day it knows them from."""
    late: defaultdict[tuple[date, bool], list[Account]] = defaultdict(list)
    for each in held:
        if each.line and each.line.known_from > first:
            late[each.line.known_from, each.line.source == BANK].append(each.account)
    return [
        Held(day, said, found)
        for (day, said), found in sorted(late.items(), key=lambda pair: pair[0])
    ]
