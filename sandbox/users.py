"""Plaid's test users and their data (https://plaid.com/docs/sandbox/test-credentials/)."""

from datetime import date
from typing import NamedTuple

from sandbox import custom_users, errors, user_good
from sandbox.bank_records import Account, Transaction

DYNAMIC = "user_transactions_dynamic"
_DYNAMIC_TRANSACTIONS = 50


class UserData(NamedTuple):
    """A user's accounts and transactions, oldest first."""

    accounts: list[Account]
    transactions: list[Transaction]


def log_in(username: str, password: str, seed: int, today: date) -> UserData:
    """Return the data of a test user.

    Raises PlaidError for wrong credentials or an invalid custom user.
    """
    if (username, password) == ("user_good", "pass_good"):
        return UserData(list(user_good.ACCOUNTS), list(user_good.history(seed, today)))
    if username == DYNAMIC and password:
        transactions = user_good.history(seed, today)[-_DYNAMIC_TRANSACTIONS:]
        return UserData(list(user_good.ACCOUNTS), list(transactions))
    if username == "user_custom":
        return UserData(*custom_users.parse(password, seed, today))
    raise errors.documented("INVALID_CREDENTIALS")
