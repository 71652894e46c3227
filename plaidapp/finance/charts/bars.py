"""Amounts by month as bars, which stand on zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from plaidapp.days import long_month, short_month
from plaidapp.formats import money, round_money

from . import scale
from .scale import Scale
from .text_width import width_of
from .time_axis import FEW_TICKS

FILLED = 0.76
"""The part of a month's width that its bars take."""
GAP = 0.04
"""The part of it between two bars."""


@dataclass(frozen=True)
class Month:
    """The amounts of a month, one for each bar. None is below zero.

    `note` is a text for below its name. `filter` has the explorer's fields that show the rows.
    """

    first: date
    amounts: Sequence[Decimal]
    filter: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """Places and sizes are parts of the plot's, from 0 to 1."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """A month as it is drawn. `text` says all of it in words."""

    x: float
    middle: float
    name: str
    is_minor: bool
    text: str
    bars: Sequence[Bar]
    month: Month


@dataclass(frozen=True)
class BarChart:
    """`names` are the names of a month's bars, such as "in" and "out". Two at most have a color."""

    label: str
    currency: str
    names: Sequence[str]
    months: Sequence[Month]

    @cached_property
    def scale(self) -> Scale:
        return scale.of_bars(amount for month in self.months for amount in month.amounts)

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
                self._text(month),
                self._bars(index, month),
                month,
            )
            for index, month in enumerate(self.months)
        ]

    def _bars(self, index: int, month: Month) -> list[Bar]:
        count, column = len(month.amounts), self.column_width
        width = (FILLED - GAP * (count - 1)) / count * column
        start = (index + (1 - FILLED) / 2) * column
        tops = [min(self.scale.at(amount), 1.0) for amount in month.amounts]
        return [
            Bar(start + number * (width + GAP * column), top, width, 1 - top)
            for number, top in enumerate(tops)
        ]

    def _text(self, month: Month) -> str:
        amounts = zip(self.names, month.amounts, strict=True)
        texts = [f"{name} {money(amount, self.currency)}" for name, amount in amounts]
        return f"{long_month(month.first)}: {', '.join(texts)}"

    @cached_property
    def ticks(self) -> list[tuple[float, str]]:
        """Round amounts beside the bars: how far from the top, from 0 to 1, and the text."""
        if not any(amount for month in self.months for amount in month.amounts):
            return []
        amounts = scale.ticks(self.scale)
        texts = round_money(amounts, self.currency)
        return [(self.scale.at(each), text) for each, text in zip(amounts, texts, strict=True)]

    @property
    def has_many_names(self) -> bool:
        return len(self.months) > FEW_TICKS

    @property
    def has_notes(self) -> bool:
        return any(month.note for month in self.months)

    @property
    def width(self) -> str:
        """The width of the ticks' texts."""
        return width_of(text for _, text in self.ticks)
