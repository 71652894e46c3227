"""Somebody who connects a bank, logs in again and disconnects it, however often the app is away.

Plaid's pages are the sandbox's Hosted Link; tests/link_walker.py walks through them.
"""

import random
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from tests.link_walker import walk
from tests.pages import Page
from tests.sandbox_control import Control

from .person import DYNAMIC, Person
from .world import World, poll

PATIENCE = 90
"""Seconds within which everything that the person waits for has to happen."""
LOOK_EVERY = 0.5
AWAY = (500, 502, 503, 504)
STATES = re.compile(r"bank-\d+")
NEEDS_LOG_IN = "ITEM_LOGIN_REQUIRED"


class Customer:
    """`stays` says that they don't disconnect. `done` is what they did, for a failure's message."""

    def __init__(self, world: World, name: str, *, stays: bool) -> None:
        self.name = name
        self.person = Person(world.url, name)
        self.stays = stays
        self.control = Control(world.bank_url)
        self.world = world
        self.dice = random.Random(name)
        self.done: list[str] = []

    def live(self) -> None:
        """Connect and repair; then, unless they stay, disconnect and perhaps connect once more."""
        item_id = self.connect()
        if self.dice.random() < 0.6:
            self.repair(item_id)
        if not self.stays:
            history = self.dice.choice(["keep", "delete"])
            self.disconnect(item_id, history)
            if self.dice.random() < 0.5:
                self.connect()

    def connect(self) -> int:
        """Return the id of the new connection."""
        before = self.states()
        self._at_plaid("/finance/connections")
        (item_id,) = self._until(lambda: self.states().keys() - before.keys(), "a new connection")
        self._until(lambda: self.states().get(item_id) == "good", "a good connection")
        return item_id

    def repair(self, item_id: int) -> None:
        (plaid_id,) = self.world.plaid_ids([item_id])
        self.control.change(plaid_id, error=NEEDS_LOG_IN)
        self._until(lambda: self.states().get(item_id) == "login_required", "a lost log-in")
        self._at_plaid(f"/finance/items/{item_id}/reconnect")
        self._until(lambda: self.states().get(item_id) == "good", "a repaired connection")

    def disconnect(self, item_id: int, history: str) -> None:
        path = f"/finance/items/{item_id}/disconnect"
        # If the answer to the first click was lost, the second one finds it done.
        self.insist(lambda: self.person.click(path, history=history), {200, 404, 422})
        over = {"disconnected"} if history == "keep" else {None}
        self._until(lambda: self.states().get(item_id) in over, f"the end ({history})")
        self.done.append(history)

    def states(self) -> dict[int, str]:
        """Return the states of the person's connections by id."""
        page = Page(self.insist(lambda: self.person.look("/finance/items"), {200}).text)
        shown = [each for _, each, _ in page.elements if "data-item-state" in each]
        return {
            int((each["id"] or "").removeprefix("bank-")): each["data-item-state"] or ""
            for each in shown
            if STATES.fullmatch(each.get("id") or "")
        }

    def _at_plaid(self, path: str) -> None:
        """Press a button that leads to Plaid, log in there, and come back or close the tab."""
        answer = self.insist(lambda: self.person.click(path), {200})
        returned = walk(answer.headers["HX-Redirect"], username=DYNAMIC, password="any")
        assert returned
        self.done.append(path)
        if self.dice.random() < 0.7:
            self.insist(lambda: self.person.look(urlsplit(returned).path), {200})

    def insist(self, act: Callable[[], requests.Response], expected: set[int]) -> requests.Response:
        """Repeat until the app answers, as somebody does who reloads a page."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = act()
                if answer.status_code not in AWAY:
                    assert answer.status_code in expected, f"{answer.status_code}: {answer.text}"
                    return answer
            except requests.RequestException:
                assert time.monotonic() < deadline, f"the app is away; after {self.done}"
            time.sleep(LOOK_EVERY)  # the pace of somebody who reloads

    def _until(self, condition: Callable[[], object], what: str) -> object:
        return poll(condition, PATIENCE, f"{what}, after {self.done}, {self.states()}")
