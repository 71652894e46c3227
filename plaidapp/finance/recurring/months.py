"""Months as grids of days, each with its recurring payments."""

from calendar import Calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from plaidapp.days import first_weekday, today
from plaidapp.store import Stream
from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.recurring import paid, recurring_streams

from . import occurrences
from .occurrences import Occurrence


@dataclass(frozen=True)
class Day:
    """`is_past` says that it is over. Days of other months fill the first and the last week."""

    date: date
    is_of_month: bool
    is_today: bool
    is_past: bool
    payments: Sequence[Occurrence]


class Sum(NamedTuple):
    """What the payments of a month come to in one currency. Both amounts are positive."""

    currency: str | None
    money_in: Decimal
    money_out: Decimal


@dataclass(frozen=True)
class Month:
    first: date
    weeks: Sequence[Sequence[Day]]

    @property
    def payments(self) -> list[Occurrence]:
        return [each for week in self.weeks for day in week for each in day.payments]

    @property
    def counted(self) -> list[Occurrence]:
        """Those that its sums add up."""
        return [each for each in self.payments if each.counts]

    @property
    def sums(self) -> list[Sum]:
        """In each currency, the one with the largest costs first."""
        totals = defaultdict[str | None, defaultdict[str, Decimal]](lambda: defaultdict(Decimal))
        for each in self.counted:
            totals[each.stream.currency][each.stream.direction] += abs(each.amount)
        found = [
            Sum(currency, amounts[recurring_streams.IN], amounts[recurring_streams.OUT])
            for currency, amounts in totals.items()
        ]
        return sorted(found, key=lambda each: (-each.money_out, each.currency or ""))


def coming(count: int) -> list[date]:
    """Return the first days of this month and of those after it, `count` in all."""
    return [months_later(month_of(today()), age) for age in range(count)]


def of_streams(streams: Iterable[Stream], user_id: int, first: date, count: int) -> list[Month]:
    """Return the month that begins on `first` and those after it, `count` in all."""
    last, now = last_of_month(months_later(first, count - 1)), today()
    found = occurrences.of_streams(streams, paid.since(user_id, first), first, last, now)
    return grids(found, now, first, count, first_weekday())


def grids(
    payments: Iterable[Occurrence], today: date, first: date, count: int, first_weekday: int
) -> list[Month]:
    """Weeks begin on `first_weekday`, where Monday is 0."""
    on_day = defaultdict[date, list[Occurrence]](list)
    for payment in payments:
        on_day[payment.day].append(payment)

    def day_of(each: date, month: date) -> Day:
        inside = each.month == month.month
        shown = on_day.get(each, ()) if inside else ()
        return Day(each, inside, inside and each == today, each < today, shown)

    weeks = Calendar(first_weekday).monthdatescalendar
    return [
        Month(
            month,
            [[day_of(each, month) for each in week] for week in weeks(month.year, month.month)],
        )
        for month in (months_later(first, number) for number in range(count))
    ]
