"""Changes at the bank while the app is being killed: purchases, and pending rows that post."""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import requests

from tests.sandbox_control import Control

from .world import World, poll


class BankLife:
    """Changes a random Item about `per_second` times a second while the `with` block runs."""

    def __init__(self, world: World, item_ids: Sequence[int], per_second: float = 2) -> None:
        self.changes = 0
        self._world = world
        self._items = [(item_id, world.token(item_id)) for item_id in item_ids]
        self._control = Control(world.bank_url)
        self._plaid_ids = {token: world.plaid_item_id(item_id) for item_id, token in self._items}
        self._pause = 1 / per_second
        self._dice = random.Random(len(self._items))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bank life")
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> "BankLife":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.close()

    def close(self) -> None:
        self._http.close()

    def wait_for(self, changes: int) -> None:
        poll(lambda: self.changes >= changes, 30, f"{changes} changes at the bank")

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self.change(self._dice.choice(self._items)[1])

    def change(self, token: str) -> None:
        """Make one change at the bank, whether or not the thread is running.

        Activity also posts pending rows, which removes them; a creation only adds rows.
        """
        keys = {"client_id": "local", "secret": "local", "access_token": token}
        if self._dice.random() < 0.6:
            self._control.change(self._plaid_ids[token], activity=True)
        else:
            new = [self._purchase() for _ in range(self._dice.randint(1, 3))]
            self._post("/sandbox/transactions/create", keys | {"transactions": new})
        self.changes += 1

    def _purchase(self) -> dict[str, object]:
        today = datetime.now(UTC).date().isoformat()
        amount = self._dice.randint(1, 99_999) / 100
        return {
            "date_transacted": today,
            "date_posted": today,
            "amount": amount,
            "description": "Chaos Coffee",
        }

    def _post(self, path: str, body: dict[str, object]) -> None:
        answer = self._http.post(f"{self._world.bank_url}{path}", json=body, timeout=30)
        assert answer.ok, answer.text
