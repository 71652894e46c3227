"""A poll that has nothing new yet waits for it a little: the panel is as fast as the bank.

A wait holds one of the process's threads. So there are few places for them, one a person, and each
is soon over. Whoever finds no place is answered at once and asks again the later the longer it all
takes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Lock

import redis

from plaidapp.jobs.pulls import done_signal
from plaidapp.store.pulls import pulls
from plaidapp.store.pulls.pulls import Glimpse

PLACES = 4
"""In each process: half of the threads that gunicorn.conf.py gives it."""
LONGEST = 1.0
"""Seconds. A browser has six connections to a server, and the next click needs one."""
STEADY = 0.1
"""Seconds that a change which is not the end has to last to be shown, and between two looks."""
PACES = (("again", 0.1), ("soon", 0.4), ("later", 2.0))
"""The event that makes a panel without a place ask again, up to each age of the pull in seconds.

The panel's own trigger says after how long; to one that is older it is a matter of seconds anyway.
"""

_waiting: set[int] = set()
_lock = Lock()


def for_news(pull_id: int, user_id: int, revision: str) -> str | None:
    """None when there is something to show that `revision` does not have, or no such pull.

    Otherwise the event for the panel to ask again by, empty when its own tick is soon enough.
    """
    with _place(user_id) as may_wait:
        seen = _wait(pull_id, user_id, revision) if may_wait else pulls.glance(pull_id, user_id)
    if seen is None or seen.is_over or str(seen.revision) != revision:
        return None
    if may_wait:
        return PACES[0][0]
    age = (datetime.now(UTC) - seen.created_at).total_seconds()
    return next((event for event, oldest in PACES if age < oldest), "")


@contextmanager
def _place(user_id: int) -> Iterator[bool]:
    with _lock:
        free = len(_waiting) < PLACES and user_id not in _waiting
        if free:
            _waiting.add(user_id)
    try:
        yield free
    finally:
        if free:
            _waiting.remove(user_id)


def _wait(pull_id: int, user_id: int, revision: str) -> Glimpse | None:
    """The pull when it is over, or has changed for good, or the time is up."""
    begun = time.monotonic()
    wait = done_signal.listen(pull_id)
    while (seen := pulls.glance(pull_id, user_id)) and not seen.is_over:
        waited = time.monotonic() - begun
        if waited > LONGEST or (waited > STEADY and str(seen.revision) != revision):
            break
        try:
            wait(STEADY)
        except redis.RedisError:
            Event().wait(STEADY)
    return seen
