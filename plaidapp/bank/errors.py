"""The only error type that leaves bank/. error_sentences.py has the meaning of each code."""

from collections.abc import Sequence
from dataclasses import dataclass

from plaidapp import policy
from plaidapp.redaction import redact

from .error_sentences import (
    LIMITED,
    LOGIN_REQUIRED,
    LOOP,
    MEANINGS,
    MUTATION,
    PERMISSION_REVOKED,
    TROUBLE,
    UNKNOWN,
    UNREADABLE_TOKEN,
    Meaning,
)
from .payloads import PlaidError

LONGEST_TOLD = 300
"""Characters of a sentence of Plaid's that a person may see."""
RATE_LIMIT_TYPE = "RATE_LIMIT_EXCEEDED"
RETRYABLE_TYPES = frozenset({"API_ERROR", RATE_LIMIT_TYPE, "INSTITUTION_ERROR"})
"""Types whose codes are worth a retry, unless error_sentences.py says otherwise."""

GONE = frozenset({"ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN"})
"""The Item does not exist at Plaid, or no longer exists."""
NEEDS_LINK = frozenset({LOGIN_REQUIRED, PERMISSION_REVOKED, *GONE})
"""The Item works only after the person has been to Link."""

OF_CONNECTION = frozenset(
    {
        LOGIN_REQUIRED,
        PERMISSION_REVOKED,
        UNREADABLE_TOKEN,
        "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT",
        "INSTITUTION_NO_LONGER_SUPPORTED",
        "INSTITUTION_REGISTRATION_REQUIRED",
        "INSUFFICIENT_CREDENTIALS",
        "INVALID_API_KEYS",
        "INVALID_CREDENTIALS",
        "INVALID_MFA",
        "INVALID_UPDATED_USERNAME",
        "ITEM_CONCURRENTLY_DELETED",
        "ITEM_LOCKED",
        "ITEM_NOT_SUPPORTED",
        "MFA_NOT_SUPPORTED",
        "PASSWORD_RESET_REQUIRED",
        "UNAUTHORIZED_ENVIRONMENT",
        "UNAUTHORIZED_INSTITUTION",
        "USER_INPUT_TIMEOUT",
        "USER_SETUP_REQUIRED",
        *GONE,
    }
)
"""Final errors of a whole connection, whichever product was asked for. Any other final error is a
refusal of that one product. https://plaid.com/docs/errors/item/
"""

NOT_OFFERED = frozenset({"INVALID_PRODUCT", "PRODUCT_NOT_ENABLED", "PRODUCTS_NOT_SUPPORTED"})
"""The bank does not offer a product, or the app's contract with Plaid does not include it."""

HOPELESS = frozenset(
    {"INVALID_CREDENTIALS", "INVALID_FIELD", "INVALID_INSTITUTION", "INVALID_PUBLIC_TOKEN"}
)
"""A new connection with the same input would fail again."""


@dataclass(eq=False)
class BankError(Exception):
    """A call that failed at the bank, at Plaid or on the network.

    `code` is Plaid's error_code or one of ours. `message` is a sentence for a person, without ids
    or tokens. `retryable` means that the same call may succeed later, after at least `wait`
    seconds. `request_id` is Plaid's.
    """

    code: str
    message: str
    retryable: bool
    request_id: str | None = None
    wait: float = 0.0

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def refuses_product(self) -> bool:
        """The same call would fail again, but others of the connection may work."""
        return not self.retryable and self.code not in OF_CONNECTION

    @property
    def may_be_of_cursor(self) -> bool:
        """The bank may refuse the cursor alone, and then answers from the beginning.

        Plaid says INVALID_FIELD of a cursor that it does not know ("cursor not associated with
        access_token"), and MUTATION to try again; a stored cursor may get that answer every time.
        https://plaid.com/docs/errors/transactions/#transactions_sync_mutation_during_pagination
        """
        is_refused = self.refuses_product and self.code not in NOT_OFFERED
        return is_refused or self.code in (MUTATION, LOOP)


def worst(problems: Sequence[BankError]) -> BankError:
    """Return the error that stands for several: one that is worth a retry, if there is one."""
    return max(problems, key=lambda error: error.retryable)


def transport_error(code: str) -> BankError:
    """Return the error for one of this app's own codes. All of them are retryable."""
    return BankError(code, MEANINGS[code].sentence, retryable=True)


def unreadable_token() -> BankError:
    """Return the error for a token that none of the app's keys decrypts."""
    return BankError(UNREADABLE_TOKEN, MEANINGS[UNREADABLE_TOKEN].sentence, retryable=False)


def from_plaid(error: PlaidError, status: int, retry_after: float | None = None) -> BankError:
    """Return the error for Plaid's error object, which came with this HTTP `status`.

    `retry_after` is the header of the response, in seconds.
    """
    limited = status == 429 or error.error_type == RATE_LIMIT_TYPE
    meaning = MEANINGS.get(error.error_code) or _meaning_of_unknown(error, status, limited)
    retryable = meaning.retryable or (status in (408, 429) or status >= 500)
    wait = retry_after or (policy.RATE_LIMIT_WAIT if limited else 0.0)
    return BankError(error.error_code, meaning.sentence, retryable, error.request_id, wait)


def _meaning_of_unknown(error: PlaidError, status: int, limited: bool) -> Meaning:
    """A code that is not in the table. `display_message` is what Plaid would tell the person.

    It is free text, so it counts only if nothing in it looks private.
    """
    if limited:
        return LIMITED
    may_pass = status >= 500 or error.error_type in RETRYABLE_TYPES
    usual = TROUBLE if may_pass else UNKNOWN
    told = error.display_message or ""
    if len(told) > LONGEST_TOLD or redact(told) != told:
        told = ""
    return usual._replace(sentence=told or usual.sentence)
