"""Months as grids of days, each with its recurring payments."""

from calendar import Calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from plaidapp.store.base.dates import month_of, months_later

from .occurrences import Occurrence


@dataclass(frozen=True)
class Day:
    """`is_past` says that it is over. Days of other months fill the first and the last week."""

    date: date
    is_of_month: bool
    is_today: bool
    is_past: bool
    payments: Sequence[Occurrence]


@dataclass(frozen=True)
class Month:
    first: date
    weeks: Sequence[Sequence[Day]]

    @property
    def is_empty(self) -> bool:
        return not any(day.payments for week in self.weeks for day in week)


def grids(
    payments: Iterable[Occurrence], today: date, count: int, first_weekday: int
) -> list[Month]:
    """Return this month and those after it, `count` in all. Weeks begin on `first_weekday`, where
    Monday is 0."""
    on_day = defaultdict[date, list[Occurrence]](list)
    for payment in payments:
        on_day[payment.day].append(payment)

    def day_of(each: date, first: date) -> Day:
        inside = each.month == first.month
        shown = on_day.get(each, ()) if inside else ()
        return Day(each, inside, inside and each == today, each < today, shown)

    firsts = [months_later(month_of(today), number) for number in range(count)]
    weeks = Calendar(first_weekday).monthdatescalendar
    return [
        Month(
            first,
            [[day_of(each, first) for each in week] for week in weeks(first.year, first.month)],
        )
        for first in firsts
    ]
