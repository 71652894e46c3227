"""What a clock notes: when it did each of its duties, and how long that took.

It is in the database, so that it can be read while Redis is away.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.health import duties


class Diary:
    """What one thread of a clock has done since it last stored that."""

    def __init__(self) -> None:
        self._ran: dict[str, tuple[datetime, float]] = {}
        self._saved = float("-inf")

    @contextmanager
    def duty(self, name: str) -> Iterator[None]:
        """Note that the block is this duty, if it succeeds."""
        begun = time.monotonic()
        yield
        self._ran[name] = now(), time.monotonic() - begun

    def save(self) -> None:
        """Store it, at most once in policy.DUTIES_NOTED, and nothing that a duty has left over."""
        db.session.rollback()
        if self._ran and time.monotonic() - self._saved > policy.DUTIES_NOTED:
            duties.save(self._ran)
            db.session.commit()
            self._ran, self._saved = {}, time.monotonic()
