"""Webhooks wait in line while somebody waits for a click: nobody looks at their answers.

When the click is over, they run one after another. If all ran at once, the next page or click would
share its process with all of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from math import ceil

from plaidapp import clicks_under_way, policy

from .exchange import Exchange

PAUSE = 0.01
"""Seconds between two looks at the line."""
PART = 10
"""While nobody waits for a click, one webhook of so many runs at each look, or the first one."""


class WebhookLine:
    """Webhooks that wait, the oldest first. `run` gives one to the app."""

    def __init__(self, run: Callable[[Exchange], None]) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Exchange, float]] = deque()
        self._is_moving = False

    def add(self, webhook: Exchange) -> None:
        self._waiting.append((webhook, self._loop.time() + policy.WEBHOOK_GIVES_WAY))
        if not self._is_moving:
            self._is_moving = True
            self._move()

    def _move(self) -> None:
        """Run the first ones if nobody waits for a click, and those that have waited too long."""
        self._is_moving = bool(self._waiting)
        if not self._is_moving:
            return
        self._loop.call_later(PAUSE, self._move)
        now = self._loop.time()
        turns = 0 if clicks_under_way.are_there() else ceil(len(self._waiting) / PART)
        while self._waiting and (turns > 0 or self._waiting[0][1] <= now):
            self._run(self._waiting.popleft()[0])
            turns -= 1
