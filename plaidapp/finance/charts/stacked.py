"""Amounts by month as bars of several parts, one above the other, which stand on zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from plaidapp.days import long_month, short_month
from plaidapp.formats import money, round_money

from . import scale
from .apart import apart
from .bars import FILLED, Bar
from .scale import Scale
from .text_width import shortened, width_of

NAMES_APART = 0.09
"""A line of text, as a part of the height of the chart in static/app.css."""
MOST_DIGITS = 18


@dataclass(frozen=True)
class Amount:
    """A part of a bar, and the address of what it is made of. Below zero it is not drawn."""

    amount: Decimal
    url: str


@dataclass(frozen=True)
class Month:
    """The parts of a month, the lowest first."""

    first: date
    amounts: Sequence[Amount]


@dataclass(frozen=True)
class Part:
    """A part as it is drawn. `text` says all of it in words."""

    bar: Bar
    text: str
    url: str
    number: int


@dataclass(frozen=True)
class Column:
    """A month as it is drawn."""

    x: float
    middle: float
    name: str
    is_minor: bool
    parts: Sequence[Part]


@dataclass(frozen=True)
class StackedBars:
    """`names` are those of a bar's parts, the lowest first, which has the color. `average` is the
    average of the lowest part."""

    label: str
    currency: str
    names: Sequence[str]
    months: Sequence[Month]
    average: Decimal | None = None

    @cached_property
    def scale(self) -> Scale:
        """With room for the line of the average."""
        tops = [sum(map(_drawn, month.amounts), Decimal(0)) for month in self.months]
        return scale.of_bars((*tops, self.average or Decimal(0)))

    @property
    def column_width(self) -> float:
        """As a part of the plot's."""
        return 1 / len(self.months)

    @cached_property
    def columns(self) -> list[Column]:
        last = len(self.months) - 1
        return [
            Column(
                index * self.column_width,
                (index + 0.5) * self.column_width,
                short_month(month.first, with_year=month.first.month == 1),
                (last - index) % 2 == 1,
                self._parts(index, month),
            )
            for index, month in enumerate(self.months)
        ]

    def _parts(self, index: int, month: Month) -> list[Part]:
        width = FILLED * self.column_width
        x = index * self.column_width + (self.column_width - width) / 2
        below, parts = Decimal(0), []
        for number, (name, each) in enumerate(zip(self.names, month.amounts, strict=True)):
            if (drawn := _drawn(each)) > 0:
                top, bottom = self.scale.at(below + drawn), self.scale.at(below)
                text = f"{name}, {long_month(month.first)}: {money(each.amount, self.currency)}"
                parts.append(Part(Bar(x, top, width, bottom - top), text, each.url, number))
                below += drawn
        return parts

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Round amounts beside the bars: how far from the top, from 0 to 1, and the text."""
        if not any(_drawn(each) for month in self.months for each in month.amounts):
            return []
        amounts = scale.ticks(self.scale)
        texts = round_money(amounts, self.currency)
        return [(self.scale.at(each), text) for each, text in zip(amounts, texts, strict=True)]

    @property
    def average_at(self) -> float | None:
        return None if self.average is None else self.scale.at(self.average)

    @property
    def ticks_width(self) -> str:
        return width_of(text for _, text in self.ticks)

    @cached_property
    def direct_names(self) -> list[tuple[float, str, int]]:
        """The names of the last bar's parts: how far from the top, the text, and the number."""
        parts = list(reversed(self.columns[-1].parts))
        places = apart([part.bar.y + part.bar.height / 2 for part in parts], NAMES_APART)
        return [
            (at, shortened(self.names[part.number], MOST_DIGITS), part.number)
            for at, part in zip(places, parts, strict=True)
        ]

    @property
    def names_width(self) -> str:
        return width_of(name for _, name, _ in self.direct_names)


def _drawn(part: Amount) -> Decimal:
    return max(part.amount, Decimal(0))
