"""Why an attempt can't go on, besides what the bank says."""

from plaidapp.bank.errors import BankError
from plaidapp.texts import gettext_noop

INTERNAL = "INTERNAL_ERROR"
BROKEN = gettext_noop("Something broke on our side. Your stored data is safe.")
BUSY = "DATABASE_BUSY"
SLOW = gettext_noop("The database took too long. Your stored data is safe.")


class LostPullError(Exception):
    """Another worker has claimed the pull; this one must leave it alone."""


class DisconnectedError(Exception):
    """The person has disconnected the Item, or is gone; nothing more of it may be stored."""


def slow_database() -> BankError:
    """The database has canceled a statement. It may have time later."""
    return BankError(BUSY, SLOW, retryable=True)
