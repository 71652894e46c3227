"""What was spent by category and by detailed category, beside the same part of the month before."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from plaidapp.store.transactions.detailed_totals import DetailedSum

from ..transactions.category_labels import category_label

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Spent:
    """Purchases less refunds under a category, or under a detailed one; negative if the refunds
    are larger. `parts` are its detailed categories, the largest first."""

    code: str
    label: str
    amount: Decimal
    before: Decimal
    parts: Sequence["Spent"] = ()

    @property
    def change(self) -> Decimal:
        return self.amount - self.before

    @property
    def opens(self) -> bool:
        """A lone part that says nothing else is not shown."""
        return len(self.parts) > 1 or any(part.label != self.label for part in self.parts)


@dataclass(frozen=True)
class Categories:
    """Of a month in one currency, the largest first."""

    categories: Sequence[Spent]

    @cached_property
    def amount(self) -> Decimal:
        return sum((each.amount for each in self.categories), NOTHING)

    @cached_property
    def before(self) -> Decimal:
        return sum((each.before for each in self.categories), NOTHING)

    @property
    def change(self) -> Decimal:
        return self.amount - self.before

    @cached_property
    def largest(self) -> Decimal:
        """The largest amount of any category, which has the longest bar."""
        both = [max(each.amount, each.before) for each in self.categories]
        return max(both, default=NOTHING)

    def share(self, amount: Decimal) -> str:
        """The length of the bar for `amount`, in percent of the longest."""
        return f"{max(amount, NOTHING) / (self.largest or 1) * 100:.1f}"


Amounts = defaultdict[str, defaultdict[str, Decimal]]
"""What was spent by category and detailed category."""


def of(now: Iterable[DetailedSum], before: Iterable[DetailedSum]) -> Categories:
    """Of the sums of a month, or a part of one, and of what it is compared with."""
    amounts, earlier = _spent(now), _spent(before)
    found = [
        _category(code, amounts[code], earlier[code]) for code in amounts.keys() | earlier.keys()
    ]
    return Categories(_in_order(found))


def _category(code: str, now: dict[str, Decimal], before: dict[str, Decimal]) -> Spent:
    parts = [
        Spent(part, category_label(part, code), now.get(part, NOTHING), before.get(part, NOTHING))
        for part in now.keys() | before.keys()
    ]
    return Spent(
        code,
        category_label(code),
        sum(now.values(), NOTHING),
        sum(before.values(), NOTHING),
        _in_order(parts),
    )


def _in_order(found: Iterable[Spent]) -> list[Spent]:
    return sorted(found, key=lambda each: (-each.amount, -each.before, each.code))


def _spent(sums: Iterable[DetailedSum]) -> Amounts:
    amounts: Amounts = defaultdict(lambda: defaultdict(Decimal))
    for each in sums:
        if (spent := each.spent) is not None:
            amounts[each.category][each.detailed] += spent
    return amounts
