"""People who click without pause, each request on a connection of its own."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable

import requests

from .person import Person
from .world import poll

PATIENCE = 60


class Visitors:
    """A thread for each person, who looks at pages and presses buttons in the `with` block.

    `answers` counts each status; 0 is a connection that was refused or broke. `problems` says which
    answers were not 200.
    """

    def __init__(self, people: Iterable[tuple[Person, int]]) -> None:
        self.answers: Counter[int] = Counter()
        self.problems: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=each) for each in people]

    def __enter__(self) -> "Visitors":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Wait for this many more answers."""
        goal = self.answers.total() + more
        poll(lambda: self.answers.total() >= goal, 120, f"{more} answers")

    def _visit(self, person: Person, item_id: int) -> None:
        person.http.headers["Connection"] = "close"
        while not self._over.is_set():
            for page in ("/finance/", "/finance/transactions", f"/finance/items/{item_id}"):
                self._note(page, lambda page=page: person.look(page, PATIENCE))
            sync = f"/finance/items/{item_id}/sync"
            self._note(sync, lambda sync=sync: person.click(sync, PATIENCE))
            self._note("transactions", person.click_transactions)

    def _note(self, what: str, ask: Callable[[], requests.Response]) -> None:
        try:
            answer = ask()
            status, text = answer.status_code, answer.text[:300]
        except requests.RequestException as error:
            status, text = 0, f"{type(error).__name__}: {error}"
        self.answers[status] += 1
        if status != 200:
            self.problems.append(f"{what}: {status} {text}")
