"""What happens at the log-in of a test user: a reCAPTCHA, a second step, or an error.

user_good has it in the password (https://plaid.com/docs/sandbox/test-credentials/), and user_custom
in fields of its JSON (https://plaid.com/docs/sandbox/user-custom/).
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sandbox import errors
from sandbox.custom_users import decode_user, field_error
from sandbox.error_catalog import CATALOG

GOOD = "user_good"
CUSTOM = "user_custom"
_PLAIN_PASSWORDS = ("pass_good", "microdeposits_good")
_QUESTIONS = re.compile(r"mfa_questions_([1-9])_([1-9])")
_SELECTIONS = re.compile(r"mfa_selections_([1-9])_([1-9])_([2-9])")
_RECAPTCHA = re.compile(r'\s*\{\s*"recaptcha"\s*:\s*"(good|bad)"\s*\}\s*')
_ERROR = re.compile(r"error_([A-Z_]+)")

Count = Annotated[int, Meta(ge=1, le=9)]


class SecondStep(msgspec.Struct):
    """Plaid's MFA object. Of `selections`, the first answer is always the right one."""

    type: Literal["device", "questions", "selections"] | None = None
    question_rounds: Count | None = None
    questions_per_round: Count | None = None
    selection_rounds: Count | None = None
    selections_per_question: Annotated[int, Meta(ge=2, le=9)] | None = None


class LogIn(msgspec.Struct):
    """What happens at a log-in, in this order. `yes_or_no` is the selection of `mfa_selections`."""

    recaptcha: Literal["good", "bad", ""] | None = None
    force_error: str | None = None
    mfa: SecondStep | None = None
    yes_or_no: bool = False


def log_in_of(username: str, password: str) -> LogIn:
    """Return what happens at a log-in of any user. Raises PlaidError for a wrong password."""
    if username == GOOD:
        return _log_in_of_good(password)
    if username == CUSTOM:
        return decode_user(LogIn, password)
    return LogIn()


def _log_in_of_good(password: str) -> LogIn:
    if password in _PLAIN_PASSWORDS:
        return LogIn()
    if password == "mfa_device":  # noqa: S105
        return LogIn(mfa=SecondStep("device"))
    if password == "mfa_selections":  # noqa: S105
        return LogIn(yes_or_no=True)
    if found := _QUESTIONS.fullmatch(password):
        rounds, count = map(int, found.groups())
        return LogIn(mfa=SecondStep("questions", rounds, count))
    if found := _SELECTIONS.fullmatch(password):
        rounds, count, options = map(int, found.groups())
        return LogIn(mfa=SecondStep("selections", None, count, rounds, options))
    if found := _RECAPTCHA.fullmatch(password):
        return LogIn(recaptcha="good" if found[1] == "good" else "bad")
    found = _ERROR.fullmatch(password)
    if found and found[1] in CATALOG:
        return LogIn(force_error=found[1])
    raise errors.documented("INVALID_CREDENTIALS")


def check(log_in: LogIn) -> None:
    """Raise the error of a log-in, if it has one."""
    if log_in.recaptcha == "bad":
        raise errors.documented("RECAPTCHA_BAD")
    code = log_in.force_error
    if code == "INVALID_LINK_TOKEN":
        raise errors.invalid_link_token()
    if code and code not in CATALOG:
        raise field_error("force_error", "is not an error code of an Item or an institution")
    if code:
        raise errors.documented(code)
