"""What came in during a month and where it went, as flows that add up.

Income comes in. If more was spent than came in, the rest is from savings; otherwise what is left is
saved. Refunds are taken off what was spent. Where a category has more of them than purchases, they
came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from flask_babel import gettext

from plaidapp.store.transactions.detailed_totals import DetailedSum

from ..charts.sankey import Flow, Sankey
from ..transactions.category_labels import category_label
from . import addresses
from .by_category import Categories, Spent

MOST_SOURCES, MOST_TARGETS, MOST_PARTS = 5, 9, 5
NOTHING = Decimal(0)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Earned:
    """Income under detailed categories, less what of it went back."""

    label: str
    amount: Decimal
    codes: Sequence[str]


@dataclass(frozen=True)
class Flows:
    """Of a month in one currency."""

    month: date
    currency: str
    income: Sequence[Earned]
    spent: Categories

    @cached_property
    def earned(self) -> Decimal:
        return sum((each.amount for each in self.income), NOTHING)

    @property
    def saved(self) -> Decimal:
        """Below zero if more was spent than came in."""
        return self.earned - self.spent.amount

    @property
    def saved_url(self) -> str:
        return addresses.saved(self.month, self.currency)

    @property
    def earned_url(self) -> str:
        return addresses.earned(self.month, self.currency)

    @cached_property
    def sources(self) -> list[Flow]:
        found = self._income()
        refunded = [each for each in self.spent.categories if each.amount < 0]
        if refunded:
            found.append(self._refunds(refunded))
        if self.saved < 0:
            found.append(Flow(gettext("From savings"), -self.saved, self.saved_url, is_own=True))
        return found

    def _income(self) -> list[Flow]:
        if self.earned <= 0:
            return []
        shown, rest = _few([(each.amount, each) for each in self.income], MOST_SOURCES)
        found = [self._of_income(each.label, each.amount, each.codes) for each in shown]
        if rest:
            codes = [code for each in rest for code in each.codes]
            amount = sum((each.amount for each in rest), NOTHING)
            found.append(self._of_income(gettext("Other income"), amount, codes))
        return [flow for flow in found if flow.amount]

    def _of_income(self, label: str, amount: Decimal, codes: Sequence[str]) -> Flow:
        return Flow(label, amount, addresses.earned(self.month, self.currency, codes))

    def _refunds(self, refunded: Sequence[Spent]) -> Flow:
        amount = -sum((each.amount for each in refunded), NOTHING)
        codes = (each.code for each in refunded)
        return Flow(gettext("Refunds"), amount, addresses.spent(self.month, self.currency, *codes))

    @cached_property
    def targets(self) -> list[Flow]:
        found = []
        if self.saved > 0:
            found.append(Flow(gettext("Saved"), self.saved, self.saved_url, is_own=True))
        spent = [(each.amount, each) for each in self.spent.categories if each.amount > 0]
        shown, rest = _few(spent, MOST_TARGETS)
        found += [self._of_spent(each.label, [each], self._parts(each)) for each in shown]
        if rest:
            found.append(self._everything_else(rest))
        if self.earned < 0:
            found.append(Flow(gettext("Income paid back"), -self.earned, self.earned_url))
        return found

    def _everything_else(self, rest: Sequence[Spent]) -> Flow:
        """Its parts are categories."""
        shown, others = _few([(each.amount, each) for each in rest], MOST_PARTS)
        parts = [self._of_spent(each.label, [each]) for each in shown]
        if others:
            parts.append(self._of_spent(gettext("Others"), others))
        return self._of_spent(gettext("Everything else"), rest, parts)

    def _parts(self, category: Spent) -> list[Flow]:
        if not category.opens:
            return []
        shown, rest = _few([(each.amount, each) for each in category.parts], MOST_PARTS)
        if not shown:
            return []
        parts = [self._of_spent(each.label, [each]) for each in shown]
        if rest:
            parts.append(self._of_spent(gettext("Others"), rest))
        return [part for part in parts if part.amount]

    def _of_spent(self, label: str, spent: Sequence[Spent], parts: Sequence[Flow] = ()) -> Flow:
        amount = sum((each.amount for each in spent), NOTHING)
        codes = (each.code for each in spent)
        return Flow(label, amount, addresses.spent(self.month, self.currency, *codes), parts)

    @property
    def chart(self) -> Sankey | None:
        """None if nothing came in and nothing went out."""
        if not self.sources:
            return None
        label = gettext("What came in, and where it went")
        return Sankey(label, self.currency, self.sources, self.targets)


def _few(things: Iterable[tuple[Decimal, Thing]], most: int) -> tuple[list[Thing], list[Thing]]:
    """Return the things to show, the largest first, and the rest, which are shown as one.

    The rest is not below zero: it has all that are, and enough of the smallest others to make up
    for them. The things add up to something above zero.
    """
    shown = sorted(things, key=lambda thing: -thing[0])
    rest: list[tuple[Decimal, Thing]] = []
    while shown and (
        shown[-1][0] <= 0
        or sum((amount for amount, _ in rest), NOTHING) < 0
        or len(shown) + bool(rest) > most
    ):
        rest.insert(0, shown.pop())
    return [thing for _, thing in shown], [thing for _, thing in rest]


def income_of(sums: Iterable[DetailedSum]) -> list[Earned]:
    """By the name of its detailed category, the largest first."""
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for each in sums:
        label = category_label(each.detailed, each.category)
        amounts[label] += each.earned
        if each.earned and each.detailed not in codes[label]:
            codes[label].append(each.detailed)
    found = [Earned(label, amounts[label], codes[label]) for label in amounts if codes[label]]
    return sorted(found, key=lambda each: (-each.amount, each.label))
