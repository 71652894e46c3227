"""All figures of the page, for a month and a currency, from a few bounded queries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from flask_babel import gettext

from plaidapp.store.base.dates import last_of_month
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import daily_sums, detailed_totals
from plaidapp.store.transactions.category_tree import primary_of
from plaidapp.store.transactions.daily_sums import DailySum
from plaidapp.store.transactions.detailed_totals import DetailedSum

from ..base import leading_currency
from ..charts.two_months import TwoMonths
from ..transactions.filter_form import NO_CURRENCY
from . import addresses, by_category, flows, twelve_months
from .by_category import Categories
from .flows import Flows
from .period import Period
from .twelve_months import TwelveMonths

MOST_ROWS = 2_000
"""The most rows of two months that the page adds up day by day."""
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Month:
    """The sums of the twelve months of the period, in all currencies.

    `by_day` has the days of its month and of the month before. It is None if there are too many
    rows to add up.
    """

    period: Period
    currency: str
    currencies: Sequence[str]
    detailed: Sequence[DetailedSum]
    by_day: Sequence[DailySum] | None
    asked: str | None
    """The category in the address, of either level."""

    @property
    def compared(self) -> date:
        """The day of the month before through which it is compared."""
        if self.by_day is None:
            return last_of_month(self.period.before)
        return self.period.compared

    @property
    def is_of_part(self) -> bool:
        """True if it is compared with a part of the month before."""
        return self.compared < last_of_month(self.compared)

    def _of_month(self, month: date) -> list[DetailedSum]:
        return [
            each for each in self.detailed if each.currency == self.currency and each.month == month
        ]

    def _of_days(self, first: date, last: date) -> list[DailySum]:
        return [
            (day, each)
            for day, each in self.by_day or ()
            if each.currency == self.currency and first <= day <= last
        ]

    @cached_property
    def _now(self) -> list[DetailedSum]:
        return self._of_month(self.period.month)

    @cached_property
    def spent(self) -> Categories:
        """Beside the same part of the month before."""
        before = self.period.before
        if self.is_of_part:
            return by_category.of(
                self._now, [each for _, each in self._of_days(before, self.compared)]
            )
        return by_category.of(self._now, self._of_month(before))

    @cached_property
    def flows(self) -> Flows:
        income = flows.income_of(self._now)
        return Flows(self.period.month, self.currency, income, self.spent)

    @cached_property
    def twelve_months(self) -> TwelveMonths:
        return twelve_months.of(self.detailed, self.period, self.currency, self.asked)

    @property
    def opened(self) -> str | None:
        """The category of the address, whose parts are shown at once."""
        return primary_of(self.asked) if self.asked else None

    @property
    def is_empty(self) -> bool:
        """Nothing was earned or spent in this month."""
        return not self._now

    @property
    def is_of_other_currency(self) -> bool:
        """Nothing was earned or spent in the currency of the address in these twelve months."""
        counted = {each.currency for each in self.detailed}
        return bool(counted) and self.currency not in counted

    @cached_property
    def curves(self) -> TwoMonths | None:
        """None if there are too many rows to add up, or none at all."""
        days = [day for day, _ in self._of_days(self.period.before, self.period.last)]
        if not days:
            return None
        through = max(self.period.through, *days)
        return TwoMonths(
            gettext("Spent since the first of the month"),
            self.currency,
            self.period.month,
            self.period.last.day,
            self._cumulated(self.period.month, through),
            self.period.before,
            self._cumulated(self.period.before, last_of_month(self.period.before)),
        )

    def _cumulated(self, first: date, last: date) -> list[Decimal]:
        """What was spent from the day `first` through each day."""
        amounts = [NOTHING] * ((last - first).days + 1)
        for day, each in self._of_days(first, last):
            amounts[(day - first).days] += each.spent or NOTHING
        return list(accumulate(amounts))

    @property
    def is_fair(self) -> bool:
        """True if it is compared with the same part of the month before."""
        return self.by_day is not None or not self.period.is_so_far

    @property
    def spent_url(self) -> str:
        return addresses.spent(self.period.month, self.currency)

    @property
    def day_url(self) -> str:
        """Of what was spent through a day, with the-day in its place."""
        url = self.spent_through(self.period.month, self.period.month)
        return url.replace(self.period.month.isoformat(), "the-day")

    def spent_through(self, first: date, day: date) -> str:
        return addresses.spent(first, self.currency, through=day)

    def category_url(self, code: str) -> str:
        return addresses.spent(self.period.month, self.currency, code)

    def changed_url(self, *categories: str) -> str:
        return addresses.change(self.period.month, self.compared, self.currency, *categories)

    @property
    def choices_of_currency(self) -> list[tuple[str, str, bool]]:
        """Currency, address, and whether it is shown."""
        return [
            (
                code or gettext("No currency"),
                addresses.page(self.period.month, code or NO_CURRENCY),
                code == self.currency,
            )
            for code in self.currencies
        ]


def of_user(
    user_id: int,
    period: Period,
    currency: str | None,
    category: str | None,
    main_currency: str | None = None,
) -> Month:
    """Without a currency, in the one that leads; without a category, with the largest."""
    detailed = detailed_totals.flow(user_id, period.twelve_months[0])
    known = _in_order(user_id, detailed, main_currency)
    counted = {each.currency for each in detailed}
    currencies = [code for code in known if code in counted]
    if currency is None:
        currency = next(iter(currencies or known), main_currency or "")
    elif currency not in currencies:
        currencies = [*currencies, currency]
    by_day = daily_sums.flow(user_id, period.before, period.last, MOST_ROWS)
    return Month(period, currency, currencies, detailed, by_day, category)


def _in_order(user_id: int, sums: Sequence[DetailedSum], main_currency: str | None) -> list[str]:
    """The currencies of open accounts, and of what was earned or spent. The first one leads."""
    opened = (each for each in accounts.of_user(user_id) if not each.closed_at)
    counted = Counter(account.currency or "" for account in opened)
    counted.update(dict.fromkeys((each.currency for each in sums), 0))
    return leading_currency.in_order(counted, main_currency)
