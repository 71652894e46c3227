"""What a person prefers, and what their pages follow."""

from . import users
from .users import User


def set_time_zone(user: User, name: str) -> None:
    """Change where the person's days begin. `name` is one of `time_zones.names`."""
    user.time_zone = name
    users.ledger_changed(user.id)


def set_main_currency(user: User, currency: str | None) -> None:
    """Choose the currency that the overview begins with. None leaves the choice to it."""
    user.main_currency = currency
    users.ledger_changed(user.id)


def set_mails(user: User, *, banks: bool | None = None, checks: bool | None = None) -> None:
    """Turn the mails about banks that need the person on or off, and those about checks.

    None leaves them as they are.
    """
    user.bank_mails = user.bank_mails if banks is None else banks
    user.check_mails = user.check_mails if checks is None else checks
