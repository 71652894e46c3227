"""Twelve months of spending by category, of which one is chosen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from flask_babel import gettext

from plaidapp.store.transactions.categories import PRIMARY, is_spending
from plaidapp.store.transactions.category_tree import primary_of
from plaidapp.store.transactions.monthly_totals import MonthlySum

from ..charts import stacked
from ..charts.stacked import Amount, StackedBars
from ..transactions.category_labels import category_label
from . import addresses
from .period import Period

NAMED = 3
"""So many categories have a part of their own beside the chosen one."""
NOTHING = Decimal(0)

ByMonth = defaultdict[date, Decimal]


@dataclass(frozen=True)
class TwelveMonths:
    """What was spent in one currency, by category and month, up to the month of the period.

    `chosen` is a category. `refused` is what the address has in its place, if that is none of
    spending.
    """

    period: Period
    currency: str
    chosen: str
    spent: dict[str, ByMonth]
    refused: str | None = None

    @property
    def chosen_label(self) -> str:
        return category_label(self.chosen)

    @cached_property
    def _by_size(self) -> list[str]:
        """The categories, the one with the most spending in these months first."""
        sizes = {code: sum(by_month.values(), NOTHING) for code, by_month in self.spent.items()}
        return sorted(sizes, key=lambda code: (-sizes[code], code))

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """The categories to choose from: label, address, and whether it is chosen."""
        month = self.period.month
        codes = {*self.spent, self.chosen}
        links = [
            (category_label(code), addresses.page(month, self.currency, code), code == self.chosen)
            for code in codes
        ]
        return sorted(links)

    @cached_property
    def named(self) -> list[str]:
        """The categories with a part of their own, the chosen one first."""
        others = [code for code in self._by_size if code != self.chosen]
        many = len(others) > NAMED + 1
        return [self.chosen, *(others[:NAMED] if many else others)]

    @cached_property
    def rest(self) -> list[str]:
        """The categories of the part for everything else."""
        return [code for code in self._by_size if code not in self.named]

    @cached_property
    def months(self) -> list[date]:
        """Those since the first with spending, and at least this one."""
        active = [month for by_month in self.spent.values() for month in by_month]
        first = min(active, default=self.period.month)
        return [month for month in self.period.twelve_months if month >= first]

    @property
    def names(self) -> list[str]:
        """Of the parts of each month."""
        labels = [category_label(code) for code in self.named]
        return [*labels, gettext("Everything else")] if self.rest else labels

    def parts(self, month: date) -> list[Amount]:
        """The parts of a month, in the order of `names`."""
        found = [
            Amount(self.of(code, month), addresses.spent(month, self.currency, code))
            for code in self.named
        ]
        if self.rest:
            amount = sum((self.of(code, month) for code in self.rest), NOTHING)
            found.append(Amount(amount, addresses.spent(month, self.currency, *self.rest)))
        return found

    def total(self, month: date) -> Amount:
        amount = sum((by_month[month] for by_month in self.spent.values()), NOTHING)
        return Amount(amount, addresses.spent(month, self.currency))

    def of(self, code: str, month: date) -> Decimal:
        return self.spent[code][month] if code in self.spent else NOTHING

    @property
    def this_month(self) -> Amount:
        """What was spent under the chosen category."""
        month = self.period.month
        url = addresses.spent(month, self.currency, self.chosen)
        return Amount(self.of(self.chosen, month), url)

    @property
    def whole_months(self) -> list[date]:
        """Those that an average counts: this month, too, once it is over."""
        return self.months[:-1] if self.period.is_so_far else self.months

    @cached_property
    def average(self) -> Amount | None:
        """Of the chosen category in a whole month; None without two whole months."""
        months = self.whole_months
        if len(months) < 2:
            return None
        total = sum((self.of(self.chosen, month) for month in months), NOTHING)
        url = addresses.average(self.period.month, self.currency, self.chosen)
        return Amount(total / len(months), url)

    @property
    def is_partly_refunded(self) -> bool:
        """True if a part is below zero, which a bar can't show."""
        return any(part.amount < 0 for month in self.months for part in self.parts(month))

    @cached_property
    def chart(self) -> StackedBars:
        average = self.average
        return StackedBars(
            gettext("Spending by month and category"),
            self.currency,
            self.names,
            [stacked.Month(month, self.parts(month)) for month in self.months],
            average.amount if average and average.amount > 0 else None,
        )


def of(
    sums: Iterable[MonthlySum], period: Period, currency: str, asked: str | None
) -> TwelveMonths:
    """`asked` is a code of either level. If it is none of spending, the category with the most
    spending in the month of the period is chosen."""
    spent: dict[str, ByMonth] = defaultdict(lambda: defaultdict(Decimal))
    months = set(period.twelve_months)
    for each in sums:
        if each.currency == currency and each.month in months and each.spent is not None:
            spent[each.category][each.month] += each.spent
    chosen = primary_of(asked) if asked else None
    if chosen and (chosen in spent or _can_be_spent(chosen)):
        return TwelveMonths(period, currency, chosen, dict(spent))
    largest = _largest(spent, period.twelve_months)
    return TwelveMonths(period, currency, largest, dict(spent), refused=asked)


def _can_be_spent(category: str) -> bool:
    return category in PRIMARY and is_spending(category, money_out=True)


def _largest(spent: dict[str, ByMonth], months: Sequence[date]) -> str:
    """The category with the most in the last of the months that has any; "" if none has any."""
    for month in reversed(months):
        found = [(by_month[month], code) for code, by_month in spent.items() if month in by_month]
        if found:
            return max(found)[1]
    return ""
