"""A sum that grows through a month, beside that of the month before. It stands on zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from flask_babel import gettext

from plaidapp.days import month, month_day, today
from plaidapp.formats import money, number, round_money
from plaidapp.store.base.dates import month_of
from plaidapp.store.base.types import exact

from . import paths, scale
from .apart import apart
from .line import MARKS_APART, Mark
from .paths import Place
from .scale import Scale
from .text_width import width_of

NAMED_DAYS = (1, 10, 20)
NEAR = 3
"""A name of a day leaves out those that are fewer days away."""
ROOM = Decimal("1.06")
DIGITS = 3
"""An estimate has so many digits, the others are zeros."""


@dataclass(frozen=True)
class DayName:
    at: float
    name: str
    is_strong: bool


@dataclass(frozen=True)
class TwoMonths:
    """The sums at the end of each day: of this month from its first day to that of its last value,
    and of all of the month before. `days_in_month` is how many this month has."""

    label: str
    currency: str
    first: date
    days_in_month: int
    values: Sequence[Decimal]
    first_before: date
    before: Sequence[Decimal]

    @property
    def _last_day(self) -> int:
        """The number of the last day of the horizontal scale."""
        return max(self.days_in_month, len(self.before))

    def _at(self, index: int) -> float:
        return index / (self._last_day - 1)

    @property
    def is_whole(self) -> bool:
        return len(self.values) >= self.days_in_month

    @cached_property
    def pace(self) -> list[Decimal]:
        """The sums of the coming days if this month goes on as the month before did; an estimate.

        The last day of a month continues through the last day of a longer one.
        """
        now, done = self.values[-1], len(self.values)
        then = self.before[min(done, len(self.before)) - 1]
        coming = [
            now + self.before[min(day, len(self.before)) - 1] - then
            for day in range(done + 1, self.days_in_month + 1)
        ]
        if coming:
            coming[-1] = now + self.before[-1] - then
        return coming

    @cached_property
    def scale(self) -> Scale:
        amounts = (*self.values, *self.before, *self.pace, Decimal(0))
        return Scale(min(amounts) * ROOM, max(amounts) * ROOM or Decimal(1))

    def _places(self, values: Sequence[Decimal], start: int = 0) -> list[Place]:
        return [
            (self._at(index), self.scale.at(value)) for index, value in enumerate(values, start)
        ]

    @property
    def zero(self) -> float:
        return self.scale.at(Decimal(0))

    @property
    def path(self) -> str:
        return paths.straight(self._places(self.values))

    @property
    def area(self) -> str:
        return paths.area(self.path, self.zero)

    @property
    def before_path(self) -> str:
        return paths.straight(self._places(self.before))

    @property
    def pace_path(self) -> str:
        """From this month's last value on; "" if the month is over."""
        start = len(self.values) - 1
        values = [self.values[-1], *self.pace]
        return paths.straight(self._places(values, start)) if self.pace else ""

    @property
    def end(self) -> Place:
        return self._places(self.values)[-1]

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Round amounts: how far from the top, from 0 to 1, and the text."""
        if not any((*self.values, *self.before)):
            return []
        amounts = scale.ticks(self.scale, 4)
        texts = round_money(amounts, self.currency)
        return [(self.scale.at(each), text) for each, text in zip(amounts, texts, strict=True)]

    @property
    def ticks_width(self) -> str:
        return width_of(text for _, text in self.ticks)

    @property
    def day_names(self) -> list[DayName]:
        """The last day with a value, and round days that are not near it."""
        last = len(self.values)
        others = [day for day in (*NAMED_DAYS, self._last_day) if abs(day - last) >= NEAR]
        return [
            DayName(self._at(day - 1), number(day), day == last) for day in sorted((*others, last))
        ]

    @cached_property
    def marks(self) -> list[Mark]:
        """What the lines end at, in words beside them."""
        month_before = month(self.first_before)
        found = [
            (self.values[-1], self._plain(self.values[-1]), self._now),
            (self.before[-1], self._plain(self.before[-1]), month_before),
        ]
        if self.pace:
            about = gettext("about %(amount)s", amount=self._rounded(self.pace[-1]))
            found.append((self.pace[-1], about, gettext("at %(month)s’s pace", month=month_before)))
        found.sort(key=lambda mark: -mark[0])
        places = [self.scale.at(amount) for amount, *_ in found]
        shown = zip(places, apart(places, MARKS_APART), found, strict=True)
        return [Mark(at, text_at, amount, note) for at, text_at, (_, amount, note) in shown]

    @property
    def _now(self) -> str:
        name = month(self.first)
        if self.first != month_of(today()):
            return name
        return gettext("%(month)s, today", month=name)

    def _plain(self, amount: Decimal) -> str:
        return money(amount, self.currency, symbol=False)

    def _rounded(self, amount: Decimal) -> str:
        """An estimate has few digits."""
        step = Decimal(1).scaleb(max(amount.adjusted() + 1 - DIGITS, 0))
        (text,) = round_money([(amount / step).quantize(Decimal(1)) * step], self.currency)
        return text

    @property
    def marks_width(self) -> str:
        return width_of(text for mark in self.marks for text in (mark.amount, mark.note))

    @property
    def summary(self) -> str:
        """The chart in a sentence."""
        others = (f"{mark.note}: {mark.amount}" for mark in self.marks)
        return "; ".join((self.label, *others))

    @property
    def rows(self) -> list[tuple[int, date | None, Decimal | None, date | None, Decimal | None]]:
        """The number of each day with its sums, for a table; None where a month has no such day."""
        return [
            (
                index + 1,
                *self._value(self.first, self.values, index),
                *self._value(self.first_before, self.before, index),
            )
            for index in range(max(len(self.values), len(self.before)))
        ]

    @staticmethod
    def _value(
        first: date, values: Sequence[Decimal], index: int
    ) -> tuple[date | None, Decimal | None]:
        if index >= len(values):
            return None, None
        return first + timedelta(days=index), values[index]

    @property
    def points(self) -> dict[str, Any]:
        """This month's points for static/charts.js. `notes` are the values of the month before."""
        days = [self.first + timedelta(days=index) for index in range(len(self.values))]
        return {
            "currency": self.currency,
            "days": [day.isoformat() for day in days],
            "until": (self.first + timedelta(days=self._last_day - 1)).isoformat(),
            "values": [exact(value) for value in self.values],
            "notes": [self._note(index) for index in range(len(self.values))],
            "top": float(self.scale.top),
            "bottom": float(self.scale.bottom),
            "estimated": 0,
        }

    def _note(self, index: int) -> str:
        index = min(index, len(self.before) - 1)
        day = month_day(self.first_before + timedelta(days=index))
        return f"{day}: {money(self.before[index], self.currency)}"
