"""Twelve months of spending by category, of which one is chosen.

If that is a detailed one, it is shown among those of its primary category.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from flask_babel import gettext

from plaidapp.store.transactions.categories import PRIMARY, is_spending
from plaidapp.store.transactions.category_tree import RENAMED, TREE, is_detailed, primary_of
from plaidapp.store.transactions.detailed_totals import DetailedSum

from ..charts import stacked
from ..charts.stacked import Amount, StackedBars
from ..transactions.category_labels import category_label
from . import addresses
from .period import Period

NAMED = 3
"""So many categories have a part of their own beside the chosen one."""
NOTHING = Decimal(0)

ByMonth = defaultdict[date, Decimal]
ByCode = defaultdict[str, ByMonth]


class Choice(NamedTuple):
    """A category to choose. `is_part` says that it is a detailed one, of the last that is none."""

    label: str
    url: str
    is_chosen: bool
    is_part: bool


@dataclass(frozen=True)
class TwelveMonths:
    """What was spent in one currency, by category and month, up to the month of the period.

    `by_part` has the detailed categories of each category. `chosen` is a category, or a detailed
    one. `refused` is what the address has in its place, if that is none of spending.
    """

    period: Period
    currency: str
    chosen: str
    by_part: dict[str, ByCode]
    refused: str | None = None

    @property
    def chosen_label(self) -> str:
        return category_label(self.chosen)

    @property
    def within(self) -> str | None:
        """The category whose detailed ones are compared; None if categories are."""
        return primary_of(self.chosen) if is_detailed(self.chosen) else None

    @property
    def within_label(self) -> str | None:
        return category_label(self.within) if self.within else None

    @cached_property
    def spent(self) -> dict[str, ByMonth]:
        """By the codes that are compared."""
        if self.within:
            return self.by_part.get(self.within, {})
        return {category: _sum(parts) for category, parts in self.by_part.items()}

    @cached_property
    def _by_size(self) -> list[str]:
        """The categories, the one with the most spending in these months first."""
        sizes = {code: sum(by_month.values(), NOTHING) for code, by_month in self.spent.items()}
        return sorted(sizes, key=lambda code: (-sizes[code], code))

    @property
    def choices(self) -> list[Choice]:
        """The categories to choose from, each before its detailed ones."""
        codes = {*self.by_part, self.within or self.chosen}
        found = []
        for category in sorted(codes, key=category_label):
            found += [self._choice(category), *self._parts_of(category)]
        return found

    def _parts_of(self, category: str) -> list[Choice]:
        """None if the only one says nothing else."""
        codes = set(filter(is_detailed, self.by_part.get(category, ())))
        if self.within == category:
            codes.add(self.chosen)
        found = sorted(self._choice(code, category) for code in codes)
        return found if [each.label for each in found] != [category_label(category)] else []

    def _choice(self, code: str, category: str | None = None) -> Choice:
        url = addresses.page(self.period.month, self.currency, code)
        label = category_label(code, category)
        return Choice(label, url, code == self.chosen, is_part=category is not None)

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
        active = [
            month
            for parts in self.by_part.values()
            for by_month in parts.values()
            for month in by_month
        ]
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
        category = [self.within] if self.within else []
        return Amount(amount, addresses.spent(month, self.currency, *category))

    def of(self, code: str, month: date) -> Decimal:
        return self.spent[code].get(month, NOTHING) if code in self.spent else NOTHING

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
    sums: Iterable[DetailedSum], period: Period, currency: str, asked: str | None
) -> TwelveMonths:
    """`asked` is a code of either level. If it is none of spending, the category with the most
    spending in the month of the period is chosen."""
    by_part: dict[str, ByCode] = defaultdict(_by_code)
    months = set(period.twelve_months)
    for each in sums:
        if each.currency == currency and each.month in months and each.spent is not None:
            by_part[each.category][each.detailed][each.month] += each.spent
    chosen = primary_of(asked) if asked else None
    if asked and chosen and (chosen in by_part or _can_be_spent(chosen)):
        part = RENAMED.get(asked, asked)
        is_known = part in TREE.get(chosen, ()) or part in by_part.get(chosen, ())
        return TwelveMonths(period, currency, part if is_known else chosen, dict(by_part))
    largest = _largest(by_part, period.twelve_months)
    return TwelveMonths(period, currency, largest, dict(by_part), refused=asked)


def _by_code() -> ByCode:
    return defaultdict(lambda: defaultdict(Decimal))


def _sum(parts: Mapping[str, ByMonth]) -> ByMonth:
    found: ByMonth = defaultdict(Decimal)
    for by_month in parts.values():
        for month, amount in by_month.items():
            found[month] += amount
    return found


def _can_be_spent(category: str) -> bool:
    return category in PRIMARY and is_spending(category, money_out=True)


def _largest(by_part: Mapping[str, ByCode], months: Sequence[date]) -> str:
    """The category with the most in the last of the months that has any; "" if none has any."""
    spent = {category: _sum(parts) for category, parts in by_part.items()}
    for month in reversed(months):
        found = [(by_month[month], code) for code, by_month in spent.items() if month in by_month]
        if found:
            return max(found)[1]
    return ""
