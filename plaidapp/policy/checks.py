"""Checks against the banks: how often what is stored is compared with what a bank has."""

import random
from datetime import datetime, timedelta

FIRST_CHECK_AFTER = timedelta(hours=12)
"""A connection is compared with its bank for the first time this long after it was made, or up to
FIRST_CHECK_SPREAD later."""
FIRST_CHECK_SPREAD = timedelta(hours=12)
"""The first checks are spread over this time, and so are all later ones."""
CHECK_INTERVAL = timedelta(hours=24)
"""The time between two checks of a connection: each has its own time of day."""
CHECKED_DAYS = 90
"""Such a check compares the rows of the last days, and the balances."""
FULL_CHECK_AFTER = timedelta(days=6, hours=12)
"""After this long, a check compares all rows: once a week, and never a night late. It also does if
a person asks for it, and as long as there are differences."""
CHECKS_AHEAD = 100
"""The clock adds checks while fewer pulls than this that nobody waits for are due, so that a check
never delays a sync for long."""
CHECK_CLICKS = 20
"""How often within BILLED_WITHIN a person may press *Check against the bank*, for each of their
connections together, and how often *Repair*: each may read a whole history."""
BALANCE_HOLDS = timedelta(hours=1)
"""A balance that was stored longer ago and is not the bank's anymore is only old. The next sync
stores the new one."""
WINDOW_ROWS = 5_000
"""A check compares about so many of a person's rows at a time, and can go on from there later.
Plaid lists 500 in a call, and allows 30 such calls of an Item in a minute."""
CHECK_TURN = timedelta(seconds=15)
"""After this long, a check lets other pulls go first."""
DIFFERENCES_READ = 10_000
"""A check that has found more differences than this compares no older rows."""
POSTED_LATE = timedelta(days=7)
"""A row may be dated so long before the bank counts it in a balance."""
DATED_AHEAD = timedelta(days=1)
"""A row may be dated so long after the person's day on which the bank counts it: it is tomorrow
already where the bank is."""
REMOVED_LATE = timedelta(days=30)
"""A posted row may be dated so long before the bank removes it. Balances until then count it."""
DIFFERENCES_KEPT = 100
"""The most differences of an account whose two rows are stored. The others are counted."""


def first_check(connected_at: datetime) -> datetime:
    """Return when a connection is compared with its bank for the first time."""
    return connected_at + FIRST_CHECK_AFTER + random.random() * FIRST_CHECK_SPREAD  # noqa: S311
