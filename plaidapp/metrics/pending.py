"""What this process has counted and not sent yet.

Appending to a deque takes no lock. So a job that RQ's alarm interrupts leaves none behind, and
threads never wait for each other.
"""

import os
from collections import defaultdict, deque

from plaidapp import policy

SEPARATOR = "\t"
"""Between the parts of a field's name. No label contains it."""

_pending: deque[tuple[str, float]] = deque(maxlen=policy.MOST_COUNTED)


def add(field: str, amount: float) -> None:
    _pending.append((field, amount))


def take() -> dict[str, float]:
    """Return the sum for each field since the last call."""
    sums: defaultdict[str, float] = defaultdict(float)
    for _ in range(len(_pending)):
        field, amount = _pending.popleft()
        sums[field] += amount
    return sums


os.register_at_fork(after_in_child=_pending.clear)  # the parent sends what it has counted
