"""Plaid's test users and their data (https://plaid.com/docs/sandbox/test-credentials/)."""

import zlib
from datetime import date
from typing import NamedTuple

from sandbox import custom_users, errors, log_ins, user_good
from sandbox.bank_records import Account, Transaction

DYNAMIC = "user_transactions_dynamic"
_DYNAMIC_TRANSACTIONS = 50

PERSONAS = ("user_ewa_user", "user_yuppie", "user_small_business")
"""Users with a transaction history of their own."""
CREDIT_USERS = (
    "user_bank_income",
    "user_credit_bonus",
    "user_credit_joint_account",
    "user_credit_profile_excellent",
    "user_credit_profile_good",
    "user_credit_profile_poor",
)
"""Users for products that the sandbox doesn't have. Each has a history, but not its special one."""
ACTIVE = (DYNAMIC, *PERSONAS)
"""Users whose transactions change when /transactions/refresh is called."""
ANY_PASSWORD = (DYNAMIC, *PERSONAS, *CREDIT_USERS)
"""Users that accept any password but an empty one."""


class UserData(NamedTuple):
    """A user's accounts and transactions, oldest first."""

    accounts: list[Account]
    transactions: list[Transaction]


def log_in(username: str, password: str, seed: int, today: date) -> UserData:
    """Return the data of a test user, as if a second step had been passed.

    Raises PlaidError for wrong credentials, an invalid custom user, a reCAPTCHA that is not passed
    and the error that the log-in asks for.
    """
    log_ins.check(log_ins.log_in_of(username, password))
    if username == log_ins.CUSTOM:
        return UserData(*custom_users.parse(password, seed, today))
    if username == log_ins.GOOD:
        return UserData(list(user_good.ACCOUNTS), list(user_good.history(seed, today)))
    if username in ANY_PASSWORD and password:
        transactions = user_good.history(_own_seed(username, seed), today)
        latest = transactions[-_DYNAMIC_TRANSACTIONS:] if username == DYNAMIC else transactions
        return UserData(list(user_good.ACCOUNTS), list(latest))
    raise errors.documented("INVALID_CREDENTIALS")


def _own_seed(username: str, seed: int) -> int:
    return seed if username == DYNAMIC else zlib.crc32(f"{seed}:{username}".encode())
