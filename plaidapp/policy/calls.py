"""Calls to Plaid: how long one may take, how many there may be, and what follows a failure."""

import random
from collections.abc import Iterable
from datetime import timedelta

# --- One call to Plaid ---

CALL_DEADLINE = 20.0
"""Seconds from connecting to the last byte. A hung bank must not hold a worker for long."""
CONNECT_LIMIT = 5.0
"""Seconds to connect, so that an unreachable host does not use up the whole deadline."""
RATE_LIMIT_WAIT = 20.0
"""Seconds to wait after a 429 without Retry-After. Plaid counts requests by the minute."""
LINK_CREATE_DEADLINE = 10.0
"""Seconds for Plaid to make a link: the only call for which a page waits, and so a thread of the
web process."""
REFRESH_DEADLINE = 60.0
"""Seconds for a call that has Plaid ask the bank: "occasionally up to 30 seconds or more"."""
MAX_RESTARTS = 3
"""How often a sync starts over from its first cursor, because the bank changed its records between
two pages, before the attempt fails."""

# --- An attempt that fails ---

MAX_FAILURES_ATTENDED = 3
"""Attempts before a pull fails if a person waits for it: they should learn soon what is wrong."""
MAX_FAILURES_UNATTENDED = 10
"""Attempts before a pull of the clock or a webhook fails. The clock starts a new one later."""
MAX_BACKOFF = 60.0
"""The longest wait between two attempts in seconds, before JITTER, unless Plaid asks for more."""
JITTER = 0.25
"""The fraction by which a wait may be shorter or longer, so that pulls don't all retry at once."""


def max_failures(*, attended: bool) -> int:
    """Return how many attempts may fail before the pull itself does."""
    return MAX_FAILURES_ATTENDED if attended else MAX_FAILURES_UNATTENDED


def retry_delay(failures: int, waits: Iterable[float]) -> timedelta:
    """Return how long to wait after the `failures`-th failed attempt: 2 s, 4 s, 8 s and so on.

    `waits` are the seconds that Plaid asked for; the longest of them counts if it is longer.
    """
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    backoff = min(2.0**failures, MAX_BACKOFF) * jitter
    return timedelta(seconds=max(backoff, *waits))


# --- Ending a connection at Plaid ---

FIRST_REMOVAL_DELAY = 12.0
"""Seconds from the first failed try to the next. The wait doubles each time, so that there are
three tries in the first minute."""
MAX_REMOVAL_DELAY = timedelta(days=1)
"""The longest wait. The tries don't end until Plaid confirms: it would bill the connection."""


def removal_delay(failures: int, waits: Iterable[float]) -> timedelta:
    """Return how long to wait after the `failures`-th failed try. `waits` is as above."""
    jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    backoff = FIRST_REMOVAL_DELAY * 2.0 ** min(failures - 1, 20) * jitter
    return timedelta(seconds=max(min(backoff, MAX_REMOVAL_DELAY.total_seconds()), *waits))


DELETE_BATCH = 1_000
"""Rows of a history that are deleted in one transaction, so that nobody waits for long."""
DELETE_PAUSE = 0.1
"""Seconds between two such transactions. Others write meanwhile: SQLite has a single writer."""

# --- A session of Hosted Link ---

LINK_LOOK_OFTEN = timedelta(minutes=2)
"""How long Plaid is asked often what has come of a session, after it began."""
LINK_LOOK_INTERVAL = timedelta(seconds=10)
"""The time between two looks then. Webhooks and the return of the browser don't wait."""
LINK_LOOK_LATER = timedelta(minutes=1)
"""The time between two looks after that, while the link is open."""
LINK_RETURN_PATIENCE = timedelta(seconds=10)
"""How long Plaid is asked every LINK_RETURN_INTERVAL after the browser has come back."""
LINK_RETURN_INTERVAL = timedelta(seconds=1)
LINK_UNATTENDED_INTERVAL = timedelta(minutes=10)
"""The clock looks this often at a link that nobody waits for anymore: a second tab may finish, or
the exchange has failed and is tried again."""
LINK_KEPT = timedelta(hours=1)
"""How long a link is looked at after it has expired. A tab that was open before may finish."""
LINK_GIVEN_UP = timedelta(hours=6)
"""How long that is tried after it has expired. Plaid keeps a session for as long after its end."""
LINK_BATCH = 100
"""The most sessions that one tick of the clock sees to."""
PUBLIC_TOKEN_LIFE = timedelta(minutes=30)
"""How long Plaid exchanges a public token."""


def link_look_delay(age: timedelta, since_return: timedelta | None) -> timedelta:
    """Return when to look again at a session of this age; `since_return` if the browser is back."""
    if since_return is not None and since_return < LINK_RETURN_PATIENCE:
        return LINK_RETURN_INTERVAL
    return LINK_LOOK_INTERVAL if age < LINK_LOOK_OFTEN else LINK_LOOK_LATER


# --- What one person may ask for ---

PULLS_AHEAD = 3
"""The most clicks of one person in the queue or running, and pulls of webhooks. Their others wait
in the database, so that somebody who presses a hundred buttons delays nobody else."""
PULL_TURN = 2.0
"""Seconds after which a pull over several Items lets a click that waits go first, between two of
them."""
BILLED_WITHIN = timedelta(hours=1)
"""The time in which the two numbers below, which Plaid bills, and CHECK_CLICKS are counted."""
BALANCE_CALLS = 60
"""One for each connection and click. The first click is allowed, however many connections."""
REFRESH_CALLS = 20

# --- Plaid's webhook keys ---

KEY_TRUSTED = timedelta(hours=24)
"""How long a key is used before Plaid is asked again whether it has expired."""
KEY_CACHED = 60.0
"""Seconds that a process uses a key without looking at the database."""
KEY_ASK_AGAIN = timedelta(minutes=1)
"""How long a key that Plaid does not know stays unknown."""
KEY_WINDOW = timedelta(seconds=2)
"""Forged ids must not become many calls to Plaid, nor delay genuine webhooks. So within this time
Plaid is asked KEY_LOOKUPS times for strangers, as many times for webhooks that name an Item or a
session of Link that is stored here, and KEY_SHARE times for one of them or one address."""
KEY_LOOKUPS = 10
KEY_SHARE = 2
KEY_ANSWER_LIMIT = timedelta(seconds=5)
"""After this long, other requests stop waiting for a lookup that has not returned."""
KEY_PATIENCE = 2.5
"""Seconds that a request waits for a key that another request is getting, or, if it names something
stored here, for its share. Plaid waits 10 s for an answer."""
KEY_WAITERS = 8
"""Requests of a process that wait at the same time. Others are answered 503, and Plaid repeats."""
KEY_LOOK_AGAIN = 0.05
"""Seconds between two looks for that key."""
KEY_FORGOTTEN = timedelta(minutes=10)
"""How long the ids of unknown keys are kept."""

# --- Webhooks that come while somebody waits for a click ---

WEBHOOK_GIVES_WAY = 0.5
"""Seconds that a webhook waits at most, so that the click has the processor. Plaid waits 10 s."""
CLICK_BEGINS = 0.15
"""Seconds within which a page that shows a new pull asks for its end. It is expected until then."""
CLICK_LASTS = 1.0
"""Seconds after which a pull that somebody waits for is no click anymore: it would take long."""

# --- Webhooks that come while a sync has locked what they change ---

WEBHOOK_LOCK_WAIT = 0.05
"""Seconds that a webhook waits for a lock before it is answered and handled later."""
INBOX_INTERVAL = 1.0
"""Seconds between two looks for webhooks that wait to be handled."""
