"""The vertical scale of a chart. It is honest: no base other than zero, and small stays small."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

ZERO = Decimal(0)
SMALLEST_SPAN = Decimal("0.1")
"""The height of a scale stands for at least this part of the largest amount."""
ROOM = Decimal("0.1")
"""The space above the highest and below the lowest value, as a part of the span."""
NEAR_ZERO = Decimal("0.2")
"""A scale begins at zero if its end is no further from it than this part of the span."""
NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True)
class Scale:
    """From `bottom` to `top`, which is more."""

    bottom: Decimal
    top: Decimal

    @property
    def has_zero(self) -> bool:
        """Only then a line is filled, down or up to zero."""
        return self.bottom <= 0 <= self.top

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return float(self.top), float(self.top - self.bottom)

    def at(self, amount: Decimal) -> float:
        """Return where an amount is: 0 at the top, 1 at the bottom."""
        top, span = self._ends
        return (top - float(amount)) / span


def of_line(amounts: Sequence[Decimal]) -> Scale:
    """Return the scale from the lowest to the highest amount with some room, or from zero."""
    low, high, span = _extremes(amounts)
    middle, room = (low + high) / 2, (Decimal("0.5") + ROOM) * span
    bottom, top = middle - room, middle + room
    if low >= 0 and bottom < NEAR_ZERO * span:
        bottom = ZERO
    elif high <= 0 and top > -NEAR_ZERO * span:
        top = ZERO
    return Scale(bottom, top)


def of_sparkline(amounts: Sequence[Decimal]) -> Scale:
    """Return the scale from the lowest to the highest amount, without any room."""
    low, high, span = _extremes(amounts)
    middle = (low + high) / 2
    return Scale(middle - span / 2, middle + span / 2)


def of_bars(amounts: Iterable[Decimal]) -> Scale:
    """Return the scale from zero to the highest amount."""
    return Scale(ZERO, max(amounts, default=ZERO) or Decimal(1))


def _extremes(amounts: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the lowest amount, the highest, and what lies between them, made large enough."""
    low, high = min(amounts), max(amounts)
    return low, high, max(high - low, SMALLEST_SPAN * max(abs(low), abs(high))) or Decimal(1)


def ticks(scale: Scale, most: int = 3) -> Sequence[Decimal]:
    """Return round amounts above zero, such as 2,000 and 4,000, the lowest first."""
    power = Decimal(1).scaleb((scale.top / most).adjusted())
    step = next(power * nice for nice in NICE if power * nice * (most + 1) > scale.top)
    return [step * number for number in range(1, int(scale.top / step) + 1)]
