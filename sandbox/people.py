"""Who can log in, and what they own: Plaid's test users (https://plaid.com/docs/sandbox/test-credentials/)."""

from datetime import date
from typing import NamedTuple

from sandbox import custom, errors, household
from sandbox.entries import Account, Entry

DYNAMIC = "user_transactions_dynamic"
_DYNAMIC_ENTRIES = 50


class World(NamedTuple):
    """A person's accounts and their transactions."""

    accounts: list[Account]
    entries: list[Entry]


def log_in(username: str, password: str, seed: int, today: date) -> World:
    """Raises PlaidError for a wrong user or password, and for a bad custom user."""
    if (username, password) == ("user_good", "pass_good"):
        return World(list(household.ACCOUNTS), list(household.history(seed, today)))
    if username == DYNAMIC and password:
        entries = household.history(seed, today)[-_DYNAMIC_ENTRIES:]
        return World(list(household.ACCOUNTS), list(entries))
    if username == "user_custom":
        return World(*custom.parse(password, seed, today))
    raise errors.invalid_credentials()
