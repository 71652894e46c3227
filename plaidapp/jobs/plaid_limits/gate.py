"""The gate through which every call of a pull goes: it opens if Plaid's limits leave room."""

import hashlib
import time
from collections.abc import Mapping

from plaidapp import policy
from plaidapp.policy import PlaidLimit
from plaidapp.store.pulls import pulls

from .window import Count, Window

SHARES = {pulls.WEBHOOK: policy.WEBHOOK_SHARE, pulls.CLOCK: policy.CLOCK_SHARE}
"""Who may not use all of a limit, so that a click never meets one that others have used up."""


class HeldBackError(Exception):
    """A call was not made, because it would have exceeded a limit. Nothing has failed.

    There is room for it after `wait` seconds.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"there is room for the call after {wait:.1f} s")
        self.wait = wait


def client_key(client_id: str, environment: str) -> str:
    """Return the name of a client at Plaid, in which its id can't be read."""
    return hashlib.sha256(f"{environment} {client_id}".encode()).hexdigest()[:16]


class Gate:
    """`client` names the limits that are counted together: those of one set of API keys."""

    def __init__(self, window: Window, client: str, limits: Mapping[str, PlaidLimit]) -> None:
        self._window, self._client, self._limits = window, client, limits

    def wait_for_turn(self, asked_by: str, path: str, item: str | None, patient: bool) -> None:
        """Wait until a call may be made, and count it. Raises HeldBackError if that takes long.

        `item` stands for the Item of the call, if it has one.
        """
        limit = self._limits.get(path)
        if limit is None:
            return
        counts = self._counts(SHARES.get(asked_by, 1.0), limit, path, item)
        longest = policy.HELD_MID_UPDATE if patient else policy.HELD_BRIEFLY
        deadline = time.monotonic() + longest
        while wait := self._window.take(counts):
            if time.monotonic() + wait > deadline:
                raise HeldBackError(wait)
            time.sleep(wait)

    def _counts(self, share: float, limit: PlaidLimit, path: str, item: str | None) -> list[Count]:
        key = f"plaidapp:calls:{self._client}:{path}"
        counts = [Count(key, _part(limit.of_client, share), limit.of_client)]
        if item and limit.of_item:
            counts.append(Count(f"{key}:{item}", _part(limit.of_item, share), limit.of_item))
        return counts


def _part(most: int, share: float) -> int:
    return max(1, int(most * share))
