"""Cash flow by month and spending by category, from the monthly totals.

Only depository and credit accounts count, and transfers between a person's own accounts don't.
Each currency has figures of its own; "" stands for a currency that no bank named. Each figure has
the explorer's filter that shows the rows behind it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask_babel import gettext

from plaidapp.formats import change
from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.transactions import monthly_totals, part_of_month
from plaidapp.store.transactions.categories import is_spending
from plaidapp.store.transactions.detailed_totals import DetailedSum
from plaidapp.store.transactions.monthly_totals import MonthlySum

from ..charts import bars
from ..charts.bars import BarChart
from . import spending_parts
from .spending_parts import Part

MONTHS = 6
MOST_COMPARED = 1000
"""The most rows of last month that a page adds up."""
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Month:
    """Money in and money out of a month, both positive. `first` is the month's first day."""

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
    """The last six months in one currency, this month last."""

    currency: str
    months: Sequence[Month]

    @property
    def this_month(self) -> Month:
        return self.months[-1]

    @property
    def chart(self) -> BarChart:
        return BarChart(
            gettext("Cash flow by month"),
            self.currency,
            (gettext("in"), gettext("out")),
            [
                bars.Month(
                    month.first,
                    (month.money_in, month.money_out),
                    month.filter,
                    change(month.net),
                )
                for month in self.months
            ],
        )


@dataclass(frozen=True)
class CategorySpending:
    """Purchases less refunds under one category; negative if the refunds are larger.

    `before` is what was spent on the same days of last month. `parts` are those of this month, the
    largest first.
    """

    category: str
    this_month: Decimal
    last_month: Decimal
    before: Decimal
    month: date
    parts: Sequence[Part] = ()

    @property
    def filter(self) -> dict[str, str]:
        """The explorer's fields that show this month's rows behind it."""
        return self.filter_of(self.category)

    def filter_of(self, code: str) -> dict[str, str]:
        """The same for one of its parts."""
        fields = _filter(self.month) | {"category": code}
        if not is_spending(self.category, money_out=False):
            fields["direction"] = "out"
        return fields


@dataclass(frozen=True)
class Spending:
    """This month so far beside last month, in one currency. The largest category is first.

    `month` is the first day of this month. It is compared with last month through the day
    `compared`, so that a part of a month is compared with the same part. That is the last day of
    last month if there are too many rows to add up.
    """

    currency: str
    month: date
    compared: date
    categories: Sequence[CategorySpending]

    @property
    def this_month(self) -> Decimal:
        return sum((spent.this_month for spent in self.categories), NOTHING)

    @property
    def last_month(self) -> Decimal:
        return sum((spent.last_month for spent in self.categories), NOTHING)

    @property
    def before(self) -> Decimal:
        return sum((spent.before for spent in self.categories), NOTHING)

    @property
    def is_of_part(self) -> bool:
        """True if it is compared with a part of last month."""
        return self.compared < last_of_month(self.compared)

    @property
    def largest(self) -> Decimal:
        """The largest amount of any category, which has the longest bar."""
        both = [max(spent.this_month, spent.before) for spent in self.categories]
        return max(both, default=NOTHING)

    @property
    def month_before(self) -> date:
        """The first day of last month."""
        return months_later(self.month, -1)

    def share(self, amount: Decimal) -> str:
        """The length of the bar for `amount`, in percent of the longest."""
        return f"{max(amount, NOTHING) / (self.largest or 1) * 100:.1f}"


def _filter(month: date) -> dict[str, str]:
    days = {"start_date": month.isoformat(), "end_date": last_of_month(month).isoformat()}
    return days | {"scope": "flow"}


def totals(user_id: int, today: date) -> list[MonthlySum]:
    """The monthly totals that `cash_flow` and `spending` are made of."""
    return monthly_totals.flow(user_id, months_later(month_of(today), 1 - MONTHS))


def cash_flow(monthly: Iterable[MonthlySum], today: date) -> list[CashFlow]:
    """One for each currency that has money in or out."""
    this = month_of(today)
    months_in: defaultdict[str, dict[date, Month]] = defaultdict(
        lambda: {
            first: Month(first, NOTHING, NOTHING)
            for first in (months_later(this, -age) for age in range(MONTHS - 1, -1, -1))
        }
    )
    for each in monthly:
        if each.month <= this:
            months = months_in[each.currency]
            so_far = months[each.month]
            months[each.month] = Month(
                each.month, so_far.money_in + each.money_in, so_far.money_out + each.money_out
            )
    return [
        CashFlow(currency, list(months.values())) for currency, months in sorted(months_in.items())
    ]


def compared_through(today: date) -> date:
    """The same day of last month, or its last day if it is shorter."""
    return months_later(today, -1)


def same_part(user_id: int, today: date) -> Sequence[MonthlySum] | None:
    """Last month's sums through `compared_through`; None if there are too many rows to add up."""
    through = compared_through(today)
    return part_of_month.flow(user_id, month_of(through), through, MOST_COMPARED)


def spending(
    monthly: Sequence[MonthlySum],
    part: Sequence[MonthlySum] | None,
    today: date,
    detailed: Iterable[DetailedSum] = (),
) -> list[Spending]:
    """One for each currency in which money was spent or refunded this month or last month.

    `part` is what `same_part` returns, and `detailed` are the sums of this month.
    """
    this, through = month_of(today), compared_through(today)
    last = month_of(through)
    if part is None:
        through = last_of_month(last)
        part = [each for each in monthly if each.month == last]
    by_month = _spent(each for each in monthly if each.month in (this, last))
    by_part = _spent(part)
    parts = spending_parts.of(detailed, this)
    return [
        Spending(
            currency,
            this,
            through,
            sorted(
                (
                    CategorySpending(
                        name,
                        by[this],
                        by[last],
                        by_part[currency][name][last],
                        this,
                        parts[currency, name],
                    )
                    for name, by in by_category.items()
                ),
                key=lambda each: (-each.this_month, -each.before, -each.last_month, each.category),
            ),
        )
        for currency, by_category in sorted(by_month.items())
    ]


Spent = defaultdict[str, defaultdict[str, defaultdict[date, Decimal]]]


def _spent(sums: Iterable[MonthlySum]) -> Spent:
    """What was spent by currency, category and month."""
    found: Spent = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for each in sums:
        if (spent := each.spent) is not None:
            found[each.currency][each.category][each.month] += spent
    return found
