"""The horizontal scale of a line: where days are, and which of them have their name below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from plaidapp.days import short_day, short_month
from plaidapp.store.base.dates import month_of, months_later

MOST_TICKS = 14
FEW_TICKS = 7
"""If there are more, every second one is left out on a phone."""
DAYS_APART = (1, 2, 7, 14)
MONTHS_APART = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 12000)
DAYS_OF_SHORT = 62
"""A line over fewer days has days below it, a longer one months or years."""

DAYS_WITHOUT_YEAR = 340
"""No month has its name twice among the names of so many days."""


@dataclass(frozen=True)
class Tick:
    """A name and where it is, from 0 at the start to 1 at the end. Every second is minor."""

    at: float
    name: str
    is_minor: bool


@dataclass(frozen=True)
class TimeAxis:
    """From the day `first` to the day `last`."""

    first: date
    last: date

    def at(self, day: date) -> float:
        """Return where a day is, from 0 at the start to 1 at the end. A lone day is the end."""
        return (day - self.first) / (self.last - self.first) if self.last > self.first else 1.0

    @property
    def ticks(self) -> list[Tick]:
        """The starts of the calendar's weeks, months or years, or of every few of them."""
        days = list(self._starts())
        return [
            Tick(self.at(day), name, index % 2 == 1)
            for index, (day, name) in enumerate(zip(days, _names(days), strict=True))
        ]

    def _starts(self) -> Iterator[date]:
        span = (self.last - self.first).days
        step = next((step for step in DAYS_APART if span / step < MOST_TICKS), None)
        if span < DAYS_OF_SHORT and step:
            # The first day of Python's calendar is a Monday.
            late = -(self.first.toordinal() - 1) % step
            return (self.first + timedelta(days) for days in range(late, span + 1, step))
        months = next(step for step in MONTHS_APART if span / 30 / step < MOST_TICKS)
        return self._months(months)

    def _months(self, step: int) -> Iterator[date]:
        month = month_of(self.first)
        month = months_later(month, -((month.year * 12 + month.month - 1) % step))
        while month <= self.last:
            if month >= self.first:
                yield month
            if month.year + step // 12 >= date.max.year:
                return
            month = months_later(month, step)


def _names(days: Sequence[date]) -> list[str]:
    """Return short names of days or of months. January has the name of its year.

    The first month has its year too if another year has a month of that name.
    """
    if not all(day.day == 1 for day in days):
        return [short_day(day) for day in days]
    is_long = bool(days) and (days[-1] - days[0]).days > DAYS_WITHOUT_YEAR
    return [
        str(day.year) if day.month == 1 else short_month(day, with_year=is_long and index == 0)
        for index, day in enumerate(days)
    ]
