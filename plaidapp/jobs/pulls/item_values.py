"""What a pull's row of an Item says."""

from collections.abc import Mapping
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
