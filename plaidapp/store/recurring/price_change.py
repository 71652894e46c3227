"""Find out when the amount of a recurring payment changed."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple


class PriceChange(NamedTuple):
    """One steady amount followed another: `previous` is what was paid before the day `since`."""

    previous: Decimal
    since: date


def price_change(
    payments: Iterable[tuple[date, Decimal]], *, is_annual: bool
) -> PriceChange | None:
    """Return the last change of the amount of these payments, oldest first.

    None if no amount was steady before. A bill that differs every month has not changed its price,
    even if two bills in a row were equal: amounts have to be paid twice on average before another
    follows, and the last one at least twice. For annual payments, once is enough.
    """
    runs = [list(run) for _, run in groupby(payments, key=lambda payment: payment[1])]
    if len(runs) < 2:
        return None
    *before, latest = runs
    steady = len(before[-1]) >= 2 and sum(map(len, before)) >= 2 * len(before)
    if not steady and not is_annual:
        return None
    return PriceChange(before[-1][0][1], latest[0][0])
