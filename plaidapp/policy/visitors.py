"""Browsers and the people who use them: what a request may take, how often passwords may be
guessed, and how long a log-in lasts.
"""

from datetime import datetime, timedelta

# --- Browsers ---

HTTPS_ONLY_FOR = timedelta(days=365)
"""How long a browser that came over https refuses to come without it."""
REFUSED_HOSTS_LOGGED = 20
"""Wrong hosts that a process logs, each once. Strangers can't fill the log with more."""

# --- What a request may take ---

THREADS = 16
"""Threads of a process that run the app. Some of them may wait: for a change to a pull
(finance/pulls/long_poll.py), for a key (KEY_WAITERS), for Plaid. The rest is for pages."""
MAX_FORM = 64 * 1024
"""Bytes of a form or a webhook: many times what the largest one needs."""
MAX_BODY = 1024 * 1024
"""Bytes of the form that takes a custom user of the sandbox: Plaid allows long ones."""

# --- Log-ins and sign-ups ---

FREE_GUESSES = 5
"""Wrong log-ins in a row that cost nothing: of an account, and of a known device."""
FIRST_GUESS_DELAY = timedelta(seconds=30)
"""How long the next try has to wait after the first wrong log-in that is not free. It doubles."""
MAX_GUESS_DELAY = timedelta(hours=1)
"""The longest such wait."""
GUESSES_FORGOTTEN = timedelta(days=1)
"""After this long without a try, the wrong log-ins of an account no longer count. So at most 6
passwords of an account are tried at once, and 35 in a day."""
ADDRESS_GUESSES = 100
"""Wrong log-ins from one address in ADDRESS_PERIOD that cost nothing: a school has one address."""
ADDRESS_SIGN_UPS = 60
"""Sign-ups from one address in ADDRESS_PERIOD. The next one has to wait."""
ADDRESS_PERIOD = timedelta(hours=1)
TRIES_BATCH = 1_000
"""The most counts of tries that one clean-up of the clock deletes."""
REDIS_LEFT_ALONE = 5.0
"""Seconds for which the database counts tries after Redis has failed to."""
PASSWORD_MEMORY = 19 * 1024**2
"""Bytes that it takes to hash a password. Stored hashes change to a new number one by one, when
their owners log in."""
PASSWORDS_AT_ONCE = 3
"""Log-ins and sign-ups that a process does at a time: each takes PASSWORD_MEMORY."""
PASSWORD_PATIENCE = 2.0
"""Seconds that another one waits for its turn. After that it is answered 503 and not counted."""
KNOWN_DEVICE_LIFE = timedelta(days=365)
"""How long a device stays known after a log-in."""
KNOWN_DEVICES_PER_PERSON = 100
"""Another one forgets the device from which the person logged in longest ago."""
KNOWN_DEVICES_BATCH = 1_000
"""The most devices that one clean-up of the clock forgets."""
KNOWN_DEVICE_PEOPLE = 5
"""The most people for whom a browser is a known device: those who logged in last."""


def guess_delay(excess: int) -> timedelta:
    """Return how long the next try has to wait after `excess` tries that were not free."""
    if excess <= 0:
        return timedelta()
    return min(FIRST_GUESS_DELAY * 2.0 ** min(excess - 1, 20), MAX_GUESS_DELAY)


# --- Log-in sessions ---

SESSION_IDLE = timedelta(hours=24)
"""A log-in ends after this long without use. Polls of an open page are not use."""
SESSION_TOTAL = timedelta(days=7)
"""A log-in ends this long after it began, however much it is used."""
KEPT_SESSION_IDLE = timedelta(days=14)
"""SESSION_IDLE for who chose "Keep me logged in"."""
KEPT_SESSION_TOTAL = timedelta(days=30)
"""SESSION_TOTAL for who chose "Keep me logged in"."""
SESSION_NOTED = timedelta(minutes=1)
"""When a session was last used is stored at most once in this time."""
SESSIONS_PER_PERSON = 100
"""One log-in more ends the session that was used least recently."""
SESSIONS_BATCH = 1_000
"""The most sessions that one clean-up of the clock deletes."""


def last_session_end(created: datetime, *, kept: bool) -> datetime:
    """Return when a session ends at the latest."""
    return created + (KEPT_SESSION_TOTAL if kept else SESSION_TOTAL)


def session_end(created: datetime, used: datetime, *, kept: bool) -> datetime:
    """Return when a session ends that was last used then."""
    idle = KEPT_SESSION_IDLE if kept else SESSION_IDLE
    return min(used + idle, last_session_end(created, kept=kept))
