"""Who reads a calendar without a log-in, and how often."""

import math

from plaidapp import extensions
from plaidapp.store.people import calendar_feeds
from plaidapp.store.people.calendar_feeds import Read

from . import throttle


def find(token: str) -> Read | None:
    """Return the calendar that this token opens. Nobody guesses one: it has 256 random bits."""
    return calendar_feeds.find(token)


def wait(read: Read) -> int:
    """Count a reading of the whole calendar. Returns the seconds to wait if there were too many."""
    with extensions.writing():  # the database counts while Redis is away
        attempt = throttle.calendar_reading(read.user.id)
    return math.ceil(attempt.wait.total_seconds()) if attempt.refused else 0
