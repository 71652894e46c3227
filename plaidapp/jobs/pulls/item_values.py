"""What a pull's row of an Item says."""

from collections.abc import Mapping, Sequence
from typing import Any

from plaidapp.store import PullItem
from plaidapp.store.pulls import pulls


def begun(pull_item: PullItem) -> dict[str, Any]:
    """Return the values of an Item that is being asked. PREPARING stays: a page shows it longer."""
    phase = pulls.PREPARING if pull_item.phase == pulls.PREPARING else pulls.ASKING
    return {"phase": phase, "pages": 0, "rows": 0, "error_code": None, "error_message": None}


def set_values(pull_item: PullItem, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(pull_item, name, value)


def in_turn(pull_items: Sequence[PullItem]) -> list[PullItem]:
    """Return those that failed after the others: a pull that gives way must not begin with them
    each time.
    """
    return sorted(pull_items, key=lambda pull_item: pull_item.phase == pulls.FAILED)
