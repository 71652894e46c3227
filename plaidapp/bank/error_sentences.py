"""What each error code means to a person, and who can do something about it.

https://plaid.com/docs/errors/ has Plaid's codes. The others are this app's own.
"""

from enum import Enum
from typing import NamedTuple

from plaidapp.texts import gettext_noop


class Remedy(Enum):
    """What ends an error: waiting, the person, the operator, or nothing that anybody can do.

    With LOG_IN and CHOOSE_ACCOUNTS, the person opens Link for the connection that they have. With
    CONNECT, that connection is over, and they connect the bank again.
    """

    WAIT, LOG_IN, CHOOSE_ACCOUNTS, CONNECT, OPERATOR, NONE = range(6)


class Meaning(NamedTuple):
    sentence: str
    remedy: Remedy

    @property
    def retryable(self) -> bool:
        """The same call may succeed later."""
        return self.remedy is Remedy.WAIT


UNREACHABLE = "BANK_UNREACHABLE"
TIMEOUT = "BANK_TIMEOUT"
NONSENSE = "BANK_NONSENSE"
LOOP = "BANK_PAGES_LOOP"
UNREADABLE_TOKEN = "TOKEN_UNREADABLE"  # noqa: S105
LOGIN_REQUIRED = "ITEM_LOGIN_REQUIRED"
MUTATION = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
PERMISSION_REVOKED = "USER_PERMISSION_REVOKED"
PRODUCT_NOT_READY = "PRODUCT_NOT_READY"

_WAIT = {
    UNREACHABLE: gettext_noop("Plaid can’t be reached right now."),
    TIMEOUT: gettext_noop("Plaid took too long to respond."),
    NONSENSE: gettext_noop("Plaid sent a reply we could not read."),
    LOOP: gettext_noop("The bank sent the same page of transactions again and again."),
    MUTATION: gettext_noop("The bank’s records changed while we were reading them."),
    PRODUCT_NOT_READY: gettext_noop("The bank is still preparing your transactions."),
    "INSTITUTION_DOWN": gettext_noop("The bank is down right now."),
    "INSTITUTION_NOT_AVAILABLE": gettext_noop("The bank is not available right now."),
    "INSTITUTION_NOT_RESPONDING": gettext_noop("The bank is not responding right now."),
    "ITEM_LOCKED_TEMPORARILY": gettext_noop("The bank has locked your account for a short time."),
    "UNSUPPORTED_RESPONSE": gettext_noop("The bank sent Plaid data that Plaid could not read."),
    "INTERNAL_SERVER_ERROR": gettext_noop("Plaid is having trouble right now."),
    "PLANNED_MAINTENANCE": gettext_noop("Plaid is down for maintenance."),
    "INSTITUTION_RATE_LIMIT": gettext_noop("Plaid is limiting requests to this bank right now."),
}
_LOG_IN = {
    LOGIN_REQUIRED: gettext_noop("The bank needs you to log in again."),
    PERMISSION_REVOKED: gettext_noop(
        "You revoked access to this bank. Your stored data stays here."
    ),
    UNREADABLE_TOKEN: gettext_noop(  # a new connection then takes over everything
        "This connection was encrypted with a key that the app no longer has. Log in to the bank "
        "again. Everything stored stays."
    ),
    "ACCESS_NOT_GRANTED": gettext_noop("You have not allowed the bank to share this data."),
    "ADDITIONAL_CONSENT_REQUIRED": gettext_noop("The bank needs your consent to share this data."),
    "INSUFFICIENT_CREDENTIALS": gettext_noop("You did not finish logging in at the bank."),
    "INVALID_CREDENTIALS": gettext_noop("The bank did not accept this username and password."),
    "INVALID_MFA": gettext_noop("The bank did not accept the code or the answer that you gave."),
    "INVALID_OTP": gettext_noop("The code that you entered was not right."),
    "INVALID_PHONE_NUMBER": gettext_noop("The phone number that you entered was not right."),
    "INVALID_SEND_METHOD": gettext_noop("The bank can’t send you a code this way. Choose another."),
    "INVALID_UPDATED_USERNAME": gettext_noop(
        "You logged in with another username than before. Use the same one."
    ),
    "ITEM_LOCKED": gettext_noop(
        "The bank has locked your account. Unlock it on the bank’s website, then log in again."
    ),
    "MANUAL_VERIFICATION_REQUIRED": gettext_noop("Plaid needs you to verify your account."),
    "PASSWORD_RESET_REQUIRED": gettext_noop(
        "The bank wants a new password. Set one on the bank’s website, then log in again."
    ),
    "RECAPTCHA_BAD": gettext_noop("Plaid could not tell that you are not a robot. Try again."),
    "RECAPTCHA_REQUIRED": gettext_noop("Plaid has to check that you are not a robot."),
    "USER_INPUT_TIMEOUT": gettext_noop("The bank waited too long for your answer."),
    "USER_SETUP_REQUIRED": gettext_noop(
        "The bank needs you to finish a step on its website first."
    ),
}
_CHOOSE_ACCOUNTS = {
    "NO_ACCOUNTS": gettext_noop("This log-in has no accounts to share."),
    "NO_AUTH_ACCOUNTS": gettext_noop("This log-in shares no checking or savings account."),
    "NO_INVESTMENT_ACCOUNTS": gettext_noop("This log-in shares no investment account."),
    "NO_INVESTMENT_AUTH_ACCOUNTS": gettext_noop(
        "This log-in shares no investment account that can be verified."
    ),
    "NO_LIABILITY_ACCOUNTS": gettext_noop("This log-in shares no loan and no credit card."),
}
_CONNECT = {
    "INVALID_ACCESS_TOKEN": gettext_noop(
        "The bank no longer accepts this connection. Connect the bank again."
    ),
    "INVALID_PUBLIC_TOKEN": gettext_noop("This connection attempt has expired. Start again."),
    "ITEM_CONCURRENTLY_DELETED": gettext_noop(
        "This connection was ended while it was being read. Connect the bank again."
    ),
    "ITEM_NOT_FOUND": gettext_noop(
        "The bank no longer recognizes this connection. Connect the bank again."
    ),
}
_OPERATOR = {
    "INVALID_API_KEYS": gettext_noop(
        "Plaid does not accept this app’s API keys. The operator needs to fix them."
    ),
    "COUNTRY_NOT_SUPPORTED": gettext_noop(
        "This app is not set up for the bank’s country. The operator can change that."
    ),
    "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT": gettext_noop(
        "Plaid does not offer this bank in the environment that this app uses. The operator can "
        "change that."
    ),
    "INSTITUTION_REGISTRATION_REQUIRED": gettext_noop(
        "This app has to be registered with the bank first. The operator can do that at Plaid."
    ),
    "INVALID_PRODUCT": gettext_noop(
        "This app’s Plaid account does not include this kind of data. The operator can change that."
    ),
    "UNAUTHORIZED_ENVIRONMENT": gettext_noop(
        "Plaid has not enabled this app for real banks yet. The operator needs to ask for it."
    ),
    "UNAUTHORIZED_INSTITUTION": gettext_noop(
        "Plaid has not enabled this app for this bank yet. The operator needs to ask for it."
    ),
}
_NONE = {
    "INSTANT_MATCH_FAILED": gettext_noop("Plaid could not verify this account."),
    "INSTITUTION_NO_LONGER_SUPPORTED": gettext_noop("Plaid no longer supports this bank."),
    "INVALID_FIELD": gettext_noop("Plaid could not use what was entered."),
    "INVALID_INSTITUTION": gettext_noop("There is no bank with this ID."),
    "ITEM_NOT_SUPPORTED": gettext_noop("Plaid does not support your account at this bank."),
    "MFA_NOT_SUPPORTED": gettext_noop(
        "Plaid does not support the way in which this bank checks who you are."
    ),
    "PRODUCT_NOT_ENABLED": gettext_noop("This connection does not include this kind of data."),
    "PRODUCTS_NOT_SUPPORTED": gettext_noop("The bank does not provide this kind of data."),
}
MEANINGS = {
    code: Meaning(sentence, remedy)
    for remedy, sentences in (
        (Remedy.WAIT, _WAIT),
        (Remedy.LOG_IN, _LOG_IN),
        (Remedy.CHOOSE_ACCOUNTS, _CHOOSE_ACCOUNTS),
        (Remedy.CONNECT, _CONNECT),
        (Remedy.OPERATOR, _OPERATOR),
        (Remedy.NONE, _NONE),
    )
    for code, sentence in sentences.items()
}
OVER = frozenset({*_CONNECT, UNREADABLE_TOKEN, "INSTITUTION_NO_LONGER_SUPPORTED"})
"""Codes of connections that only a new one can replace. The bank may have another id now."""
DOWN = frozenset({"INSTITUTION_DOWN", "INSTITUTION_NOT_AVAILABLE", "INSTITUTION_NOT_RESPONDING"})
"""Codes that say that the bank itself does not work."""
LIMITED = Meaning(gettext_noop("Plaid is limiting requests right now."), Remedy.WAIT)
TROUBLE = Meaning(gettext_noop("Plaid is having trouble right now."), Remedy.WAIT)
PROBLEM = Meaning(gettext_noop("The bank reports a problem with this connection."), Remedy.LOG_IN)
"""Of an error without a code."""
UNKNOWN = Meaning(gettext_noop("Plaid can’t do this for the bank right now."), Remedy.NONE)
"""Of a code that is not in the table."""


def may_end_unseen(code: str | None) -> bool:
    """Return True if the error may end without anything that the person does here.

    It passes, or the operator mends it, as with a key that was missing in TOKEN_KEYS.
    """
    if code == UNREADABLE_TOKEN:
        return True
    return code in MEANINGS and MEANINGS[code].remedy in (Remedy.WAIT, Remedy.OPERATOR)


def is_limit(code: str) -> bool:
    """Return True if the code says that Plaid limits requests, such as TRANSACTIONS_SYNC_LIMIT.

    https://plaid.com/docs/errors/rate-limit-exceeded/
    """
    return code.endswith("LIMIT")
