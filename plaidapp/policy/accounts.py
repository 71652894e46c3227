"""How a person's account is guarded: confirmation, second factors, and what is kept of it."""

from datetime import timedelta

# --- Confirmation and activity ---

CONFIRMATION_LASTS = timedelta(minutes=10)
"""How long a log-in or a confirmation counts before something dangerous is asked for."""
ACTIVITY_KEPT = timedelta(days=365)
"""How long a person can read what happened in their account."""
ACTIVITY_AGAIN = timedelta(hours=24)
"""Wrong passwords within this time share a row with a count, and so do exports in one format."""
ACTIVITY_BATCH = 1_000
"""The most rows of it that one clean-up of the clock deletes."""

# --- Downloading everything ---

DOWNLOADS_AT_ONCE = 2
"""How many people can download everything from a process at a time. Each takes a thread, and for a
long history some minutes of it."""

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
