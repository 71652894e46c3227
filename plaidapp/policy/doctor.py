"""The checks of `flask doctor` and its page: how long they take, and what counts as wrong."""

from datetime import timedelta

DOCTOR_DEADLINE = 5.0
"""Seconds for the checks of the doctor's page, which hold a thread of the web process."""
DOCTOR_PATIENCE = 20.0
"""Seconds for those of `flask doctor`."""
LEAST_DISK = 1024**3
"""Free bytes where SQLite or a long sync writes, below which the doctor warns."""
CLOCK_SKEW = timedelta(seconds=30)
"""How far this machine's time may be from Plaid's. Codes of authenticator apps last as long."""
SECRETS_TRIED = 100
"""How many secrets of each kind the doctor decrypts: the newest and the oldest, half and half."""
WEBHOOK_SILENCE = timedelta(days=7)
"""How long no webhook may come from a single connection."""
LEAST_SILENCE = timedelta(hours=1)
"""The same from very many."""


def webhook_silence(connections: int) -> timedelta:
    """Return how long no webhook may come: the more connections, the shorter."""
    return max(WEBHOOK_SILENCE / max(connections, 1), LEAST_SILENCE)
