"""What comes in and goes out, month by month and by category, from the monthly totals.

Only what a person can spend from counts: depository and credit accounts, without transfers between
one's own. Currencies stand side by side and are never added up; "" is a currency no bank named.
Every sum comes with the days it is of, for a link to the rows behind it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.base.types import exact
from plaidapp.store.transactions import monthly_totals
from plaidapp.store.transactions.categories import is_spending
from plaidapp.store.transactions.monthly_totals import MonthlySum

MONTHS = 6
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Month:
    """What moved in a month: both sums are positive. `first` is its first day."""

    first: date
    money_in: Decimal
    money_out: Decimal

    @property
    def net(self) -> Decimal:
        return self.money_in - self.money_out

    @property
    def filter(self) -> dict[str, str]:
        """The explorer's fields that show the rows behind it."""
        return _filter(self.first)


@dataclass(frozen=True)
class CashFlow:
    """The last six months in one currency, this one last."""

    currency: str
    months: Sequence[Month]

    @property
    def chart(self) -> dict[str, Any]:
        """The points of static/charts.js; amounts as exact decimal strings."""
        moved_in = [exact(month.money_in) for month in self.months]
        moved_out = [exact(month.money_out) for month in self.months]
        return {
            "currency": self.currency,
            "dates": [month.first.isoformat() for month in self.months],
            "series": [
                {"name": gettext("in"), "values": moved_in},
                {"name": gettext("out"), "values": moved_out},
            ],
        }


@dataclass(frozen=True)
class Spent:
    """Under one category, what went out less what came back; negative when more came back."""

    category: str
    this_month: Decimal
    last_month: Decimal
    month: date

    @property
    def filter(self) -> dict[str, str]:
        """The explorer's fields that show this month's rows behind it."""
        return _filter(self.month) | {"category": self.category}


@dataclass(frozen=True)
class Spending:
    """This month against the whole of last, in one currency; the largest category first."""

    currency: str
    month: date
    categories: Sequence[Spent]

    @property
    def this_month(self) -> Decimal:
        return sum((spent.this_month for spent in self.categories), NOTHING)

    @property
    def last_month(self) -> Decimal:
        return sum((spent.last_month for spent in self.categories), NOTHING)

    @property
    def largest(self) -> Decimal:
        """The longest bar."""
        both = [max(spent.this_month, spent.last_month) for spent in self.categories]
        return max(both, default=NOTHING)

    @property
    def before(self) -> date:
        """The first day of the month that this one is held against."""
        return months_later(self.month, -1)

    def share(self, amount: Decimal) -> str:
        """How long the bar of `amount` is, in percent of the longest one."""
        return f"{max(amount, NOTHING) / (self.largest or 1) * 100:.1f}"


def _filter(month: date) -> dict[str, str]:
    days = {"start_date": month.isoformat(), "end_date": last_of_month(month).isoformat()}
    return days | {"scope": "flow"}


def sums(user_id: int, today: date) -> list[MonthlySum]:
    """What both of the following are made of."""
    return monthly_totals.flow(user_id, months_later(month_of(today), 1 - MONTHS))


def cash_flow(found: Iterable[MonthlySum], today: date) -> list[CashFlow]:
    """One for each currency in which something moved."""
    this = month_of(today)
    moved: defaultdict[str, dict[date, Month]] = defaultdict(
        lambda: {
            first: Month(first, NOTHING, NOTHING)
            for first in (months_later(this, -age) for age in range(MONTHS - 1, -1, -1))
        }
    )
    for each in found:
        if each.month <= this:
            months = moved[each.currency]
            so_far = months[each.month]
            months[each.month] = Month(
                each.month, so_far.money_in + each.money_in, so_far.money_out + each.money_out
            )
    return [CashFlow(currency, list(months.values())) for currency, months in sorted(moved.items())]


def spending(found: Iterable[MonthlySum], today: date) -> list[Spending]:
    """One for each currency in which something was spent this month or last."""
    this = month_of(today)
    last = months_later(this, -1)
    spent: defaultdict[str, defaultdict[str, dict[date, Decimal]]] = defaultdict(
        lambda: defaultdict(lambda: {this: NOTHING, last: NOTHING})
    )
    for each in found:
        if is_spending(each.category) and each.month in (this, last):
            spent[each.currency][each.category][each.month] += each.money_out - each.money_in
    return [
        Spending(
            currency,
            this,
            sorted(
                (Spent(name, by[this], by[last], this) for name, by in categories.items()),
                key=lambda spent: (-spent.this_month, -spent.last_month, spent.category),
            ),
        )
        for currency, categories in sorted(spent.items())
    ]
