"""How often a bank is asked, how failures are retried, when a worker counts as dead, how long a
log-in lasts, what a client may take and keep, and how many passwords may be guessed.

Every number of these rules is here, and so are the formulas that use them. Which of Plaid's errors
are worth a retry is in `bank/error_sentences.py`.
"""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

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

# --- A bank that is still preparing its history ---

PREPARING_LIMIT = timedelta(minutes=5)
"""How long one pull follows such a bank. After that, the clock and webhooks do."""
MIN_PREPARING_DELAY = timedelta(seconds=1)
"""The shortest wait between two requests to such a bank."""
PREPARING_PATIENCE = timedelta(hours=1)
"""A bank that has been preparing for this long is asked once in SYNC_INTERVAL."""


def preparing_delay(waited: timedelta) -> timedelta:
    """Return when to ask again, `waited` after the bank first said that it is preparing.

    The time doubles, so it is asked after 1, 2, 4, 8 s and so on: once in the second minute, and
    less and less after that. Webhooks and clicks don't wait.
    """
    return SYNC_INTERVAL if waited >= PREPARING_PATIENCE else max(waited, MIN_PREPARING_DELAY)


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
"""The most clicks of one person in the queue or running. Their others wait in the database, so that
somebody who presses a hundred buttons delays nobody else."""
BILLED_WITHIN = timedelta(hours=1)
"""The time in which the two numbers below are counted: Plaid bills these requests."""
BALANCE_CALLS = 60
"""One for each connection and click. The first click is allowed, however many connections."""
REFRESH_CALLS = 20

# --- The clock, and workers that die ---

CLOCK_TICK = 1.0
"""Seconds between two looks for Items and pulls that need work. Costs few indexed queries."""
CLEANUP_TICKS = 10
"""Ticks between two deletions of forged key ids, ended sessions and old counts of tries."""
NEGLECTED_BATCH = 250
"""The most Items that one tick looks at, so that it stays short. They wait in line, the longest
first: 15,000 Items get their turn within a minute, and 100,000 within seven."""
QUEUE_FILL = 1_000
"""The clock rings only until this many jobs are in the queue, except for what a person asked for:
what waits in the database costs nothing, and a click passes it."""
SEARCH_BATCH = 1_000
"""Rows of an older release that one tick makes searchable."""
RING_AGAIN = timedelta(seconds=10)
"""How long a queued pull waits for a worker before the clock rings once more."""
HEARTBEAT_INTERVAL = 4.0
"""Seconds between two heartbeats of a running pull. Three may be missed."""
HEARTBEAT_LIMIT = timedelta(seconds=15)
"""A running pull whose last heartbeat is older has lost its worker and is queued again."""
MAX_LOST_WORKERS = 50
"""A pull that has lost this many workers fails: it probably kills them."""
JOB_TIMEOUT = 600
"""Seconds that a job may take. Then RQ ends it, and its pull is tried again."""
FAILED_JOB_KEPT = 600
"""Seconds that RQ keeps a crashed job. The log and the pull's row say why it crashed."""

# --- An Item that nobody has synced lately ---

SYNC_INTERVAL = timedelta(hours=24)
"""The clock syncs an Item that has not been synced for this long."""
UNFINISHED_INTERVAL = timedelta(minutes=1)
"""The clock syncs an Item again that has an open request: after this time, then after ever longer
ones."""
MAX_UNFINISHED_INTERVAL = timedelta(hours=1)
"""The longest of them. After that, the clock tries every SYNC_INTERVAL, and an Item whose error may
have ended in this one."""


def sweep_delay(sweeps: int) -> timedelta:
    """Return how long the clock waits after it synced an Item `sweeps` times without an answer.

    1 minute, then twice as long each time, and then a day.
    """
    delay = _doubled(sweeps)
    return delay if delay <= MAX_UNFINISHED_INTERVAL else SYNC_INTERVAL


def recovery_delay(sweeps: int) -> timedelta:
    """Return how long the clock waits after `sweeps` tries of an Item whose error may have ended.

    1 minute, then twice as long each time, and then an hour: a warning must not outlive the error.
    """
    return min(_doubled(sweeps), MAX_UNFINISHED_INTERVAL)


def _doubled(sweeps: int) -> timedelta:
    return UNFINISHED_INTERVAL * 2.0 ** min(max(sweeps - 1, 0), 10)


STATUS_INTERVAL = timedelta(hours=24)
"""Plaid is asked at most once in this time when the bank last delivered data, after a sync that
brought nothing new. No person waits for that."""
DOWN_INTERVAL = timedelta(minutes=15)
"""A connection that has failed for this long is asked about at Plaid, and so is whether its bank
works: each at most once in this time."""
EXPIRY_WARNING = timedelta(days=7)
"""How long before its end a permission is said to end soon. Plaid's webhooks come then too."""
QUIET_AFTER = timedelta(days=1)
"""A connection that has had no change for this long says since when nothing is new."""
SILENT_AFTER = timedelta(days=3)
"""A bank from which Plaid has got nothing for this long is called silent."""
CURRENT_FOR = timedelta(hours=26)
"""How long after its last sync a connection is called up to date: SYNC_INTERVAL, and some time to
sync."""
BALANCES_RETRY_INTERVAL = timedelta(hours=24)
"""A bank that refused balances on demand is asked for them again after this long."""
OLDEST_BALANCE = timedelta(hours=48)
"""How old such a balance may be at a bank that has none of the moment, such as Capital One."""
REFRESH_INTERVAL = timedelta(minutes=10)
"""A person can have a bank look again after this long. Plaid bills each request, and allows two a
minute for an Item; a bank seldom has something new sooner."""
REFRESH_REFUSED_FOR = timedelta(hours=24)
"""A bank that can't be asked on demand is not asked again for this long."""
REFRESH_SYNC_DELAY = timedelta(seconds=10)
"""How long after the bank looked again an Item is synced, if no webhook comes first."""
RECURRING_INTERVAL = timedelta(hours=24)
"""Recurring payments are read at most once in this time, and only if rows have changed."""

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

# --- Browsers ---

HTTPS_ONLY_FOR = timedelta(days=365)
"""How long a browser that came over https refuses to come without it."""
REFUSED_HOSTS_LOGGED = 20
"""Wrong hosts that a process logs, each once. Strangers can't fill the log with more."""

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
PASSWORDS_AT_ONCE = 3
"""Log-ins and sign-ups that a process does at a time: each takes 32 MB to hash a password."""
PASSWORD_PATIENCE = 2.0
"""Seconds that another one waits for its turn. After that it is answered 503 and not counted."""
KNOWN_DEVICE_LIFE = timedelta(days=365)
"""How long a device stays known after a log-in."""
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


# --- Confirmation and activity ---

CONFIRMATION_LASTS = timedelta(minutes=10)
"""How long a log-in or a confirmation counts before something dangerous is asked for."""
ACTIVITY_KEPT = timedelta(days=365)
"""How long a person can read what happened in their account."""
ACTIVITY_BATCH = 1_000
"""The most rows of it that one clean-up of the clock deletes."""

# --- Second factors ---

HALF_LOG_IN_LIFE = timedelta(minutes=10)
"""How long the second factor may take after the right password."""
CHALLENGE_LIFE = timedelta(minutes=5)
"""How long a passkey may take to answer. Browsers are told too, and stop waiting then."""
RECOVERY_CODES = 10
"""The recovery codes of a person: so many are made at once."""
PASSKEYS_PER_PERSON = 20
SPENT_BATCH = 1_000
"""The most spent tokens that one clean-up of the clock deletes."""

# --- Slow clients of the web process, and clients that mean harm ---

THREADS = 16
"""Threads of a process that run the app. Some of them may wait: for a change to a pull
(finance/pulls/long_poll.py), for a key (KEY_WAITERS), for Plaid. The rest is for pages."""
MAX_WAITING = 500
"""Requests of a process that wait for a thread: about a second of pages. Beyond that, 503."""
HEADER_TIME = 75.0
"""Seconds that a connection may take for a whole header, and so how long it may be idle. PaaS
routers keep their connections open for about a minute."""
BODY_TIME = 60.0
"""Seconds that a body may take. The largest form needs 17 KB a second, most need 1 KB."""
SEND_TIME = 60.0
"""Seconds that a client may take for PART bytes of an answer."""
LINGER = 2.0
"""Seconds that a client has to finish its request after it has been refused, and that a process
which stops waits for a request on an open connection."""
PART = 64 * 1024
"""Bytes that are received or sent at once."""
MAX_HEADER = 32 * 1024
"""Bytes of a request's first line and header. Sites that share a host share their cookies."""
MAX_FIELDS = 100
"""Fields of a header. Browsers send about twenty, and proxies add some."""
MAX_FORM = 64 * 1024
"""Bytes of a form or a webhook: many times what the largest one needs."""
MAX_BODY = 1024 * 1024
"""Bytes of the form that takes a custom user of the sandbox: Plaid allows long ones."""
SHORT_ANSWER = 256 * 1024
"""Bytes of an answer that is collected in memory. The longest pages have about 100 KB."""
LONG_ANSWERS = 16
"""Longer ones, such as exports, that a process sends at a time. Each has a temporary file."""
HELD_LIMIT = 128 * 1024 * 1024
"""Bytes of requests and answers that slow clients may keep in the memory of a process. Beyond that,
the client that holds most is disconnected."""
MAX_CONNECTIONS = 4_000
"""Connections of a process. Beyond that, the one that has been waited for longest is closed."""
