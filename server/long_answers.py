"""Who is being sent a long answer, such as an export."""

import threading
from collections import Counter

from plaidapp.addresses import network_of

from . import limits

BUSY = "Many long files are being sent. Try again in a minute."
ENOUGH = "Several long files go to your address. Try again when one of them is complete."


class LongAnswers:
    """Counts them, in all and by address, so that one client leaves room for the others.

    Threads of the app call `begin`, and the event loop calls `end`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str | None] = Counter()

    def __bool__(self) -> bool:
        return self._counts.total() > 0

    def begin(self, address: str) -> tuple[int, str] | None:
        """Count one more, or return the status and the sentence that refuse it.

        `address` is empty if it is unknown.
        """
        network = network_of(address)
        with self._lock:
            if network and self._counts[network] >= limits.LONG_ANSWERS_EACH:
                return 429, ENOUGH
            if self._counts.total() >= limits.LONG_ANSWERS:
                return 503, BUSY
            self._counts[network] += 1
        return None

    def end(self, address: str) -> None:
        network = network_of(address)
        with self._lock:
            self._counts[network] -= 1
            self._counts += Counter()  # leaves out those that are zero
