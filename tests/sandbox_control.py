"""The sandbox's control plane, for tests: what happens at a bank. docs/sandbox.md explains it.

`Control(bank_server.url).change(item_id, error="ITEM_LOCKED")`, with Plaid's id of the Item.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests


class Control:
    """The control plane of the sandbox at `url`."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_control"

    def items(self) -> list[dict[str, Any]]:
        """Return all Items, oldest first, removed ones too."""
        return self._checked(requests.get(f"{self._url}/items", timeout=10))

    def item(self, item_id: str) -> dict[str, Any]:
        return next(item for item in self.items() if item["item_id"] == item_id)

    def change(self, item_id: str, **change: object) -> dict[str, Any]:
        """Make something happen to an Item, and return it as `items` does."""
        return self._checked(requests.post(f"{self._url}/items/{item_id}", json=change, timeout=10))

    @contextmanager
    def bank(self, institution_id: str, status: str) -> Iterator[None]:
        """Give a bank this status in the `with` block: HEALTHY, DEGRADED or DOWN."""
        self._set_status(institution_id, status)
        try:
            yield
        finally:
            self._set_status(institution_id, "HEALTHY")

    def _set_status(self, institution_id: str, status: str) -> None:
        url = f"{self._url}/institutions/{institution_id}"
        self._checked(requests.post(url, json={"status": status}, timeout=10))

    @staticmethod
    def _checked(answer: requests.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()
