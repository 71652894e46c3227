"""Let a poll wait briefly for a change of its pull, so that the panel shows it at once.

A waiting poll occupies a thread of the process. So only a few may wait, one for each person, and
none waits for long. A poll without a free place is answered at once, and its panel polls again:
soon if the pull is new, later if it is old.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

import redis

from plaidapp import clicks_under_way, policy
from plaidapp.jobs.pulls import done_signal
from plaidapp.store.base.types import now
from plaidapp.store.people.login_sessions import Claim
from plaidapp.store.pulls import glimpses
from plaidapp.store.pulls.glimpses import Glimpse

PLACES = 4
"""How many polls may wait in a process: a quarter of policy.THREADS."""
LONGEST = 1.0
"""Seconds. A browser opens six connections to a server, and the next click needs one of them."""
STEADY = 0.1
"""Seconds between two queries."""
LASTING = 0.4
"""Seconds after which a poll shows a change that is not the end. Most clicks end sooner: then the
panel changes once, and a busy server draws and sends it once."""
PACES = (("again", 0.1), ("soon", 0.4), ("later", 2.0))
"""The event after which a panel without a place polls again, up to each age of the pull in seconds.

The panel's hx-trigger has the delay of each event. An older pull's panel uses its regular interval.
"""

_waiting: set[int] = set()
_lock = Lock()


def next_poll(pull_id: int, claim: Claim, revision: str) -> str | None:
    """Return None if the panel needs an answer: the pull changed since `revision`, or is not found,
    or the claim is not true.

    Otherwise return the event after which the panel polls again. It is empty if the panel's regular
    interval is soon enough.
    """
    with _place(claim.user_id) as may_wait:
        seen = _wait(pull_id, claim, revision) if may_wait else glimpses.glance(pull_id, claim)
    if seen is None or seen.is_over or str(seen.revision) != revision:
        return None
    if may_wait:
        return PACES[0][0]
    age = (now() - seen.created_at).total_seconds()
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


def _wait(pull_id: int, claim: Claim, revision: str) -> Glimpse | None:
    """Return the pull once it is over, has a change that lasted, or the time is up."""
    begun = time.monotonic()
    wait = done_signal.listen(pull_id)
    expected = 0.0
    while (seen := glimpses.glance(pull_id, claim)) and not seen.is_over:
        waited = time.monotonic() - begun
        if waited > LONGEST or (waited > LASTING and str(seen.revision) != revision):
            break
        if (now() - seen.created_at).total_seconds() < policy.CLICK_LASTS:
            expected = clicks_under_way.expect(2 * STEADY)
        try:
            wait(STEADY)
        except redis.RedisError:
            Event().wait(STEADY)
    clicks_under_way.ended(expected)
    return seen
