"""What an operator sees: how fresh it is, and when a process counts as gone."""

from datetime import timedelta

DUTIES_NOTED = 10.0
"""Seconds between two times that the clock stores when it did what."""
CLOCK_GONE = timedelta(minutes=1)
"""A clock that has stored nothing for this long is not running."""
DUTY_LATE = timedelta(minutes=30)
"""A duty that has not succeeded for this long needs the operator. One round of mails may take
almost as long: MAIL_BATCH, each with MAIL_DEADLINE."""

# --- What processes count (plaidapp/metrics) ---

SEND_INTERVAL = 5.0
"""Seconds between two times that a process sends what it has counted. A kill loses as much."""
MOST_COUNTED = 100_000
"""Events that a process holds until then. More push the oldest out."""
PROCESS_GONE = 30.0
"""A process that has sent nothing for so many seconds is gone, or can't reach Redis."""
PROCESS_FORGOTTEN = timedelta(hours=1)
"""After this long, it is not listed anymore."""
