"""Plaid's test users and their data (https://plaid.com/docs/sandbox/test-credentials/).

The password of user_good also says what happens at the log-in: a second step (see
`sandbox.hosted_link.second_step`), or an error with `error_<CODE>`.
"""

import re
import zlib
from datetime import date
from typing import NamedTuple

from sandbox import custom_users, errors, user_good
from sandbox.bank_records import Account, Transaction
from sandbox.error_catalog import CATALOG

GOOD = "user_good"
DYNAMIC = "user_transactions_dynamic"
CUSTOM = "user_custom"
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
GOOD_PASSWORDS = re.compile(
    r"pass_good|microdeposits_good|mfa_device|mfa_questions_[1-9]_[1-9]"
    r"|mfa_selections(_[1-9]_[1-9]_[2-9])?"
)
RECAPTCHA = re.compile(r'\s*\{\s*"recaptcha"\s*:\s*"(good|bad)"\s*\}\s*')
_ERROR = re.compile(r"error_([A-Z_]+)")


class UserData(NamedTuple):
    """A user's accounts and transactions, oldest first."""

    accounts: list[Account]
    transactions: list[Transaction]


def log_in(username: str, password: str, seed: int, today: date) -> UserData:
    """Return the data of a test user, as if a second step had been passed.

    Raises PlaidError for wrong credentials, an invalid custom user, a reCAPTCHA that is not passed
    and the error that the password asks for.
    """
    if username == CUSTOM:
        return UserData(*custom_users.parse(password, seed, today))
    if username in ANY_PASSWORD and password:
        transactions = user_good.history(_own_seed(username, seed), today)
        latest = transactions[-_DYNAMIC_TRANSACTIONS:] if username == DYNAMIC else transactions
        return UserData(list(user_good.ACCOUNTS), list(latest))
    if username == GOOD:
        _check_password(password)
        return UserData(list(user_good.ACCOUNTS), list(user_good.history(seed, today)))
    raise errors.documented("INVALID_CREDENTIALS")


def _own_seed(username: str, seed: int) -> int:
    return seed if username == DYNAMIC else zlib.crc32(f"{seed}:{username}".encode())


def _check_password(password: str) -> None:
    """Raise the error of user_good's password, if it has one."""
    if GOOD_PASSWORDS.fullmatch(password):
        return
    if recaptcha := RECAPTCHA.fullmatch(password):
        if recaptcha[1] == "bad":
            raise errors.documented("RECAPTCHA_BAD")
        return
    wanted = _ERROR.fullmatch(password)
    raise errors.documented(wanted[1] if wanted and wanted[1] in CATALOG else "INVALID_CREDENTIALS")
