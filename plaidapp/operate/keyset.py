"""Pages of long lists, each of which begins after the last row of the one before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

from plaidapp.auth.access import LARGEST_BIG_ID

Row = TypeVar("Row")
ROWS = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`before` is what the address of the next page has; None on the last one."""

    rows: Sequence[Row]
    before: int | None


def page(
    read: Callable[[int, int | None], Sequence[Row]], largest: int = LARGEST_BIG_ID
) -> Page[Row]:
    """`read` takes how many rows to return, and the id that they come after. See `before` above."""
    before = request.args.get("before", type=int)
    if before is not None:
        before = max(0, min(before, largest))
    rows = read(ROWS + 1, before)
    more = rows[ROWS - 1].id if len(rows) > ROWS else None  # type: ignore[attr-defined]
    return Page(rows[:ROWS], more)
