"""People who look at pages in their browsers and press buttons, and how long that takes."""

import random
import threading
import time
from collections import defaultdict

from benchmarks.htmx_client import HtmxClient, poll_of

THINKING = (3.0, 9.0)
"""Seconds that a person looks at a page."""
PRESSES = 0.3
"""How likely a person presses a button on a page."""
PAGES = (
    "/finance/",
    "/finance/accounts",
    "/finance/items",
    "/finance/spending",
    "/finance/recurring",
    "/finance/recurring/calendar",
    "/finance/transactions",
    "/finance/transactions?q=shop",
)
DAYS = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
BUTTONS: dict[str, dict[str, str]] = {
    "/finance/pulls/sync": {},
    "/finance/pulls/accounts": {},
    "/finance/pulls/total": DAYS,
    "/finance/pulls/transactions": DAYS,
}
POLL = 2.0
"""Seconds between two polls of a page."""


class Figures:
    """Milliseconds by what was done, and what went wrong. All people share them."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.news: list[int] = []
        """At how many Items each click has stored something new."""

    def note(self, name: str, begun: float) -> None:
        self.took[name].append(1000 * (time.perf_counter() - begun))


class Person(threading.Thread):
    """A browser: it opens a page, polls while its person looks at it, and presses a button."""

    def __init__(self, client: HtmxClient, figures: Figures, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client, self._figures, self._over = client, figures, over
        self._chance = random.Random(id(client))

    def run(self) -> None:
        self._over.wait(self._chance.uniform(0, THINKING[1]))  # people don't come all at once
        while not self._over.wait(self._chance.uniform(0, 1)):
            try:
                self._look(self._chance.choice(PAGES))
                if self._over.is_set():  # for all at once: their clicks would be a crowd
                    return
                if self._chance.random() < PRESSES:
                    self.press(self._chance.choice(list(BUTTONS)))
            except (AssertionError, OSError) as problem:
                self._figures.wrong.append(f"{type(problem).__name__}: {str(problem)[:200]}")

    def _look(self, path: str) -> None:
        begun = time.perf_counter()
        _, html, _ = self._client.request("GET", path)
        self._figures.note(f"page {path}", begun)
        until = time.monotonic() + self._chance.uniform(*THINKING)
        address = poll_of(html)
        while not self._over.wait(min(POLL, max(until - time.monotonic(), 0))):
            if time.monotonic() >= until:
                return
            if address:
                begun = time.perf_counter()
                status, html, _ = self._client.request("GET", address, htmx=True)
                self._figures.note("poll", begun)
                address = poll_of(html) if status == 200 else address

    def press(self, button: str) -> None:
        """Time a click until its panel says that it is done."""
        begun = time.perf_counter()
        self._client.follow(self._client.click(button, BUTTONS[button]))
        self._figures.note(f"click {button}", begun)
