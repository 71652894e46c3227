"""A balance over time in the size of a word. It begins where the history begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from . import paths, scale


@dataclass(frozen=True)
class Sparkline:
    """`values` are as far apart as each other, the last is today's. The first `unknown` are not
    known and not drawn: without any history there is a lone dot."""

    values: Sequence[Decimal]
    unknown: int = 0

    @cached_property
    def path(self) -> str:
        """The line; "" without any history."""
        return paths.straight(self._places) if len(self._places) > 1 else ""

    @property
    def end(self) -> float:
        """How far from the top the line ends, from 0 to 1."""
        return self._places[-1][1]

    @cached_property
    def _places(self) -> list[paths.Place]:
        last = len(self.values) - 1
        first = min(self.unknown, last)
        known = self.values[first:]
        height = scale.of_sparkline(known)
        return [
            (index / last if last else 1.0, height.at(value))
            for index, value in enumerate(known, first)
        ]
