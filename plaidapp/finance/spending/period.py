"""The month that the page shows, and the days that it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plaidapp.store.base.dates import last_of_month, month_of, months_later

from ..reports import income_and_spending

MONTHS = 12


@dataclass(frozen=True)
class Period:
    """A month by its first day. `today` is the person's day, which is not before it."""

    month: date
    today: date

    @property
    def is_so_far(self) -> bool:
        """True for the present month."""
        return self.month == month_of(self.today)

    @property
    def last(self) -> date:
        """The last day of the month."""
        return last_of_month(self.month)

    @property
    def through(self) -> date:
        """The last day of the month that is not after today."""
        return min(self.last, self.today)

    @property
    def before(self) -> date:
        """The first day of the month before."""
        return months_later(self.month, -1)

    @property
    def compared(self) -> date:
        """The last day of the month before that counts in a comparison.

        A part of a month is compared with the same part, and a whole month with a whole one.
        """
        if self.is_so_far:
            return income_and_spending.compared_through(self.today)
        return last_of_month(self.before)

    @property
    def twelve_months(self) -> Sequence[date]:
        """The first days of the twelve months that end with this one."""
        return [months_later(self.month, -age) for age in range(MONTHS - 1, -1, -1)]
