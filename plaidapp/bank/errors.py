"""The only error type that leaves bank/, and what Plaid's error codes mean to a person."""

from dataclasses import dataclass

from plaidapp import policy
from plaidapp.texts import gettext_noop

from .payloads import PlaidError

UNREACHABLE = "BANK_UNREACHABLE"
TIMEOUT = "BANK_TIMEOUT"
NONSENSE = "BANK_NONSENSE"
LOOP = "BANK_PAGES_LOOP"
LOGIN_REQUIRED = "ITEM_LOGIN_REQUIRED"
MUTATION = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
PRODUCT_NOT_READY = "PRODUCT_NOT_READY"

RATE_LIMIT_TYPE = "RATE_LIMIT_EXCEEDED"
RETRYABLE_TYPES = frozenset({"API_ERROR", RATE_LIMIT_TYPE, "INSTITUTION_ERROR"})
RETRYABLE_CODES = frozenset({PRODUCT_NOT_READY, MUTATION, "ITEM_LOCKED_TEMPORARILY"})
# Institution errors that last.
PERMANENT_CODES = frozenset({"INSTITUTION_NO_LONGER_SUPPORTED", "INSTITUTION_NOT_ENABLED"})

GONE = frozenset({"ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN"})
"""The Item does not exist at Plaid, or no longer exists."""

OF_CONNECTION = frozenset(
    {
        LOGIN_REQUIRED,
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
        "TOKEN_UNREADABLE",
        "UNAUTHORIZED_ENVIRONMENT",
        "USER_PERMISSION_REVOKED",
        "USER_SETUP_REQUIRED",
        *GONE,
        *PERMANENT_CODES,
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


SENTENCES = {
    UNREACHABLE: gettext_noop("The bank can't be reached right now."),
    TIMEOUT: gettext_noop("The bank took too long to respond."),
    NONSENSE: gettext_noop("The bank sent a reply we could not read."),
    LOOP: gettext_noop("The bank sent the same page of transactions again and again."),
    LOGIN_REQUIRED: gettext_noop("The bank needs you to log in again."),
    MUTATION: gettext_noop("The bank's records changed while we were reading them."),
    PRODUCT_NOT_READY: gettext_noop("The bank is still preparing your transactions."),
    "INVALID_CREDENTIALS": gettext_noop("The bank did not accept this username and password."),
    "INVALID_INSTITUTION": gettext_noop("There is no bank with this ID."),
    "INVALID_ACCESS_TOKEN": gettext_noop(
        "The bank no longer accepts this connection. Connect the bank again."
    ),
    "ITEM_NOT_FOUND": gettext_noop(
        "The bank no longer recognizes this connection. Connect the bank again."
    ),
    "INVALID_PUBLIC_TOKEN": gettext_noop("This connection attempt has expired. Start again."),
    "INVALID_API_KEYS": gettext_noop(
        "Plaid does not accept this app's API keys. The operator needs to fix them."
    ),
    "INSTITUTION_DOWN": gettext_noop("The bank is down right now."),
    "INSTITUTION_NOT_RESPONDING": gettext_noop("The bank is not responding right now."),
    "NO_ACCOUNTS": gettext_noop("This login has no accounts to share."),
    "USER_SETUP_REQUIRED": gettext_noop(
        "The bank needs you to finish a step on its website first."
    ),
}
REFUSED = gettext_noop("Plaid refused the request: %(reason)s")
RATE_LIMITED = gettext_noop("Plaid is limiting requests right now.")


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


def transport_error(code: str) -> BankError:
    """Return the error for one of this app's own codes. All of them are retryable."""
    return BankError(code, SENTENCES[code], retryable=True)


def from_plaid(error: PlaidError, status: int, retry_after: float | None = None) -> BankError:
    """Return the error for Plaid's error object, which came with this HTTP `status`.

    `retry_after` is the header of the response, in seconds.
    """
    retryable = (
        status in (408, 429)
        or status >= 500
        or error.error_type in RETRYABLE_TYPES
        or error.error_code in RETRYABLE_CODES
    ) and error.error_code not in PERMANENT_CODES
    limited = status == 429 or error.error_type == RATE_LIMIT_TYPE
    wait = retry_after or (policy.RATE_LIMIT_WAIT if limited else 0.0)
    return BankError(error.error_code, _sentence(error, status), retryable, error.request_id, wait)


def _sentence(error: PlaidError, status: int) -> str:
    if error.error_code in SENTENCES:
        return SENTENCES[error.error_code]
    if status == 429 or error.error_type == RATE_LIMIT_TYPE:
        return RATE_LIMITED
    if error.display_message:
        return error.display_message
    if status >= 500:
        return gettext_noop("Plaid is having trouble right now.")
    return REFUSED % {"reason": error.error_message or error.error_code}
