"""What the clock does, and when it has a connection looked at again."""

from datetime import datetime, timedelta

# --- The clock, and workers that die ---

CLOCK_TICK = 1.0
"""Seconds between two looks for Items and pulls that need work. Costs few indexed queries."""
CLEANUP_TICKS = 10
"""Ticks between two deletions of forged key ids, ended sessions and old counts of tries."""
NEGLECTED_BATCH = 250
"""The most Items that one tick looks at, so that it stays short. They wait in line, the longest
first: 15,000 Items get their turn within a minute, and 100,000 within seven."""
HERD_AFTER = timedelta(minutes=10)
"""If a whole batch is due, daily syncs that are later than this are spread over the next day."""
QUEUE_FILL = 1_000
"""The clock rings only until this many jobs are in the queue, except for what a person asked for:
what waits in the database costs nothing, and a click passes it."""
SEARCH_BATCH = 1_000
"""Rows of an older release that one tick makes searchable."""
DETAILED_ROWS = 20_000
"""Rows of an older release that one tick adds up by detailed category. It may be a month more."""
TEXTS_BATCH = 500
"""Rows of an older release whose texts one tick redacts."""
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


# --- An Item that nobody has synced lately ---

SYNC_INTERVAL = timedelta(hours=24)
"""The clock syncs an Item that has not been synced for this long."""
UNFINISHED_INTERVAL = timedelta(minutes=1)
"""The clock syncs an Item again that has an open request: after this time, then after ever longer
ones."""
MAX_UNFINISHED_INTERVAL = timedelta(hours=1)
"""The longest of them. After that, the clock tries every SYNC_INTERVAL, and an Item whose error may
have ended in this one."""


_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples are spread evenly between whole numbers, however many there are."""


def own_time_of_day(item_id: int, moment: datetime) -> datetime:
    """Return when an Item's own time of day comes next. Those of many Items are spread evenly."""
    own = item_id * _GOLDEN % 1 * SYNC_INTERVAL
    passed = timedelta(seconds=moment.timestamp()) % SYNC_INTERVAL
    return moment + (own - passed) % SYNC_INTERVAL


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
