"""The open accounts by kind: cash, cards, investments, loans; each with a sparkline."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel.speaklater import LazyString

from ..base.account_kinds import KINDS, kind_of
from .account_balances import SPARKLINE_DAYS, AccountBalance

DAYS_APART = 3
SMALLEST_SPAN = Decimal("0.1")
"""The least that a sparkline's height stands for, as a part of the largest amount: a small movement
looks small. static/charts.js has the same."""


@dataclass(frozen=True)
class AccountRow(AccountBalance):
    """`sparkline` has the balance of every third day of the last ninety, today's last.

    The balance is unknown on the first `unknown` of these days.
    """

    sparkline: Sequence[Decimal]
    unknown: int

    def points(self, width: int = 90, height: int = 24) -> str:
        """`sparkline` as the points of an SVG polyline in a box of this size."""
        low, high = min(self.sparkline), max(self.sparkline)
        span = max(high - low, SMALLEST_SPAN * max(abs(low), abs(high))) or 1
        top = (low + high + span) / 2
        ys = [(top - value) / span * height for value in self.sparkline]
        step = width / (len(ys) - 1)
        return " ".join(f"{step * index:.1f},{y:.1f}" for index, y in enumerate(ys))

    def parts(self, width: int, height: int) -> tuple[str, str]:
        """`points` in two parts: up to the first day that is known, and from there on."""
        points = self.points(width, height).split()
        estimated = points[: self.unknown + 1] if self.unknown else ()
        return " ".join(estimated), " ".join(points[self.unknown :])


@dataclass(frozen=True)
class AccountGroup:
    """The open accounts of one kind. `totals` are pairs of currency and sum of what is known."""

    key: str
    title: LazyString
    totals: Sequence[tuple[str, Decimal]]
    accounts: Sequence[AccountRow]

    @property
    def unknown(self) -> int:
        """How many accounts are missing from the totals."""
        return sum(row.is_unknown for row in self.accounts)


def groups(balances: Sequence[AccountBalance], today: date) -> list[AccountGroup]:
    """The kinds that have open accounts, in the order of KINDS."""
    ages = range(SPARKLINE_DAYS, -1, -DAYS_APART)
    days = [today - timedelta(days=age) for age in ages]
    rows = defaultdict(list)
    for each in balances:
        if each.is_open:
            unknown = sum(each.line is None or day < each.line.known_from for day in days)
            row = AccountRow(each.account, each.item, each.line, each.at(days), unknown)
            rows[kind_of(each.account)].append(row)
    return [
        AccountGroup(key, title, _totals(rows[key]), rows[key])
        for key, title, _ in KINDS
        if rows[key]
    ]


def _totals(rows: Iterable[AccountBalance]) -> list[tuple[str, Decimal]]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.value is not None:
            sums[row.currency] += row.value
    return sorted(sums.items())
