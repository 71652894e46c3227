"""Mails: how long the links in them work, how many there may be, and how they are retried."""

import random
from datetime import timedelta

from .calls import JITTER

# --- Links in mails ---

CONFIRM_LINK_LIFE = timedelta(hours=24)
"""How long a link confirms an email address."""
RESET_LINK_LIFE = timedelta(minutes=30)
"""How long a link leads to a new password."""
LINKS_BATCH = 1_000
"""The most links that one clean-up of the clock deletes."""

# --- How many mails there may be ---

FREE_MAILS = 5
"""Mails with a link to one address, mails with a link that one person asks for, and mails about new
devices of one person, before each further one has to wait: first FIRST_GUESS_DELAY, then twice as
long each time. After ADDRESS_PERIOD without one, the count starts again."""
ADDRESS_RESETS = 60
"""Requests for a new password from one address in ADDRESS_PERIOD. The next one has to wait."""

# --- Sending them ---

MAIL_DEADLINE = 30.0
"""Seconds for the mail server to take one mail, from connecting to its last answer."""
MAIL_CLAIMED = timedelta(minutes=2)
"""How long a process may take for a mail. After that it counts as dead, and the mail is due again:
it is sent twice if the server had it already."""
MAIL_BATCH = 50
"""The most mails that are looked up at a time."""
FIRST_MAIL_DELAY = timedelta(seconds=10)
"""How long a mail waits after the first failed try. It doubles each time."""
MAX_MAIL_DELAY = timedelta(minutes=15)
"""The longest such wait, before JITTER."""
MAIL_GIVEN_UP = timedelta(hours=24)
"""A mail that could not be sent for this long is dropped, and one with a link when that ends."""


def mail_delay(attempts: int) -> timedelta:
    """Return how long a mail waits after the `attempts`-th failed try."""
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return min(FIRST_MAIL_DELAY * 2.0 ** min(attempts - 1, 20), MAX_MAIL_DELAY) * jitter
