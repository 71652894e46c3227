"""A balance over time as a line, with its highest and its lowest value beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from flask_babel import gettext

from plaidapp.days import day_and_month, long_day
from plaidapp.formats import money
from plaidapp.store.base.dates import month_of
from plaidapp.store.base.types import exact

from . import paths, scale
from .paths import Place
from .scale import Scale
from .text_width import width_of
from .time_axis import FEW_TICKS, Tick, TimeAxis

MARKS_APART = 0.17
"""Two lines of text, as a part of the height of a chart in static/app.css."""


@dataclass(frozen=True)
class Mark:
    """An amount beside the line, what it is, and how far it is from the top, from 0 to 1.

    `text_at` is where its text is: elsewhere if it would cover another one.
    """

    at: float
    text_at: float
    amount: str
    note: str


@dataclass(frozen=True)
class LineChart:
    """`values` are those at the end of each of `days`, of which there is at least one.

    Those before `exact_from` are estimates. `label` is what the chart shows, such as "Balance".
    """

    label: str
    currency: str
    days: Sequence[date]
    values: Sequence[Decimal]
    exact_from: date = date.min

    @cached_property
    def scale(self) -> Scale:
        return scale.of_line(self.values)

    @cached_property
    def _places(self) -> list[Place]:
        axis = TimeAxis(self.days[0], self.days[-1])
        pairs = zip(self.days, self.values, strict=True)
        return [(axis.at(day), self.scale.at(value)) for day, value in pairs]

    @cached_property
    def estimated(self) -> int:
        """How many of the first days are estimates."""
        return sum(day < self.exact_from for day in self.days)

    @property
    def _exact_index(self) -> int:
        """Where the exact line begins. Nothing sets it off if there is only one exact point."""
        return self.estimated if self.estimated < len(self.days) - 1 else 0

    @cached_property
    def estimated_path(self) -> str:
        """The line up to the first exact day; "" if there is none, or no exact line after it."""
        return self._drawn(self._places[: self._exact_index + 1]) if self._exact_index else ""

    @property
    def path(self) -> str:
        return self._drawn(self._places[self._exact_index :])

    def _drawn(self, places: Sequence[Place]) -> str:
        """A balance stays until the next day. Of days between two points it says nothing."""
        return paths.steps(places) if self._is_daily else paths.straight(places)

    @cached_property
    def _is_daily(self) -> bool:
        return (self.days[-1] - self.days[0]).days < len(self.days)

    @cached_property
    def zero(self) -> float | None:
        """How far from the top zero is, from 0 to 1; None if it is not on the scale."""
        return self.scale.at(Decimal(0)) if self.scale.has_zero else None

    @cached_property
    def area(self) -> str:
        """What lies between the line and zero; "" if zero is not on the scale."""
        return "" if self.zero is None else paths.area(self._drawn(self._places), self.zero)

    @property
    def end(self) -> Place:
        return self._places[-1]

    @cached_property
    def ticks(self) -> list[Tick]:
        return TimeAxis(self.days[0], self.days[-1]).ticks

    @property
    def has_many_names(self) -> bool:
        return len(self.ticks) > FEW_TICKS

    @cached_property
    def marks(self) -> list[Mark]:
        """The highest value, the lowest, and zero if it is on the scale and has room."""
        (high, high_day), (low, low_day) = self._last_of(max), self._last_of(min)
        top, bottom = self.scale.at(high), self.scale.at(low)
        if high == low:
            return [self._mark(top, top, high, "")]
        high_note, low_note = high_day, low_day
        if self._is_daily:  # or a day that is left out may have a higher one
            high_note = gettext("highest, %(day)s", day=high_day)
            low_note = gettext("lowest, %(day)s", day=low_day)
        nudge = max(MARKS_APART - (bottom - top), 0) / 2
        found = [
            self._mark(top, top - nudge, high, high_note),
            self._mark(bottom, bottom + nudge, low, low_note),
        ]
        zero = self.zero
        if zero is not None and all(abs(zero - each.text_at) >= MARKS_APART for each in found):
            found.append(self._mark(zero, zero, Decimal(0), ""))
        return found

    def _mark(self, at: float, text_at: float, amount: Decimal, note: str) -> Mark:
        return Mark(at, text_at, money(amount, self.currency, symbol=False), note)

    def _last_of(self, extreme: Callable[[Sequence[Decimal]], Decimal]) -> tuple[Decimal, str]:
        """The highest or the lowest value, and the last day that has it."""
        value = extreme(self.values)
        pairs = zip(reversed(self.days), reversed(self.values), strict=True)
        return value, day_and_month(next(day for day, each in pairs if each == value))

    @property
    def width(self) -> str:
        """The width of the marks' texts."""
        return width_of(text for mark in self.marks for text in (mark.amount, mark.note))

    @property
    def summary(self) -> str:
        """The chart in a sentence."""
        now = gettext(
            "%(label)s: %(amount)s on %(day)s",
            label=self.label,
            amount=money(self.values[-1], self.currency),
            day=long_day(self.days[-1]),
        )
        others = (f"{mark.note}: {mark.amount}" for mark in self.marks if mark.note)
        return "; ".join((now, *others))

    @property
    def by_month(self) -> list[tuple[date, Decimal]]:
        """The last point of each month, newest first, for a table."""
        points = zip(self.days, self.values, strict=True)
        last_of_month = {month_of(day): (day, value) for day, value in points}
        return list(reversed(last_of_month.values()))

    @property
    def points(self) -> dict[str, Any]:
        """The points for static/charts.js, amounts as exact decimal strings.

        The first `estimated` points are estimates. `mark` is the word for them.
        """
        return {
            "currency": self.currency,
            "days": [day.isoformat() for day in self.days],
            "values": [exact(value) for value in self.values],
            "top": float(self.scale.top),
            "bottom": float(self.scale.bottom),
            "estimated": self.estimated,
            "mark": gettext("estimate"),
        }
