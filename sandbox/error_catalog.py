"""The errors of Plaid's documentation that an Item, a bank or a log-in can cause.

Types, messages and statuses are Plaid's: https://plaid.com/docs/errors/item/ and the pages of the
other types. `sandbox.errors.documented` makes an error of an entry.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """An error. `display` is Plaid's sentence for the end user, and `action` its advice for us."""

    error_type: str
    message: str
    display: str | None = None
    action: str | None = None
    status: int = 400


_LIMITED = Entry(
    "RATE_LIMIT_EXCEEDED",
    "rate limit exceeded for attempts to access this item. please try again later",
    status=429,
)
_NOT_RESPONDING = Entry(
    "INSTITUTION_ERROR",
    "this institution is not currently responding to this request. please try again soon",
    "This financial institution is not currently responding to requests. We apologize for the"
    " inconvenience.",
)


def _no_accounts(kind: str) -> Entry:
    message = (
        f"There are no valid {kind} account(s) associated with this Item. See"
        " https://plaid.com/docs/api/#item-errors for more information."
    )
    return Entry("ITEM_ERROR", message)


ITEM = {
    "ACCESS_NOT_GRANTED": Entry(
        "ITEM_ERROR",
        "access to this product was not granted for the account",
        "The user did not grant the necessary permissions for this product on their account.",
    ),
    "INSTANT_MATCH_FAILED": Entry(
        "ITEM_ERROR",
        "Item cannot be verified through Instant Match. Ensure you are correctly enabling all auth"
        " features in Link.",
    ),
    "INSUFFICIENT_CREDENTIALS": Entry(
        "ITEM_ERROR",
        "insufficient authorization was provided to complete the request",
        "INSUFFICIENT_CREDENTIALS",
    ),
    "INVALID_CREDENTIALS": Entry(
        "ITEM_ERROR",
        "the provided credentials were not correct",
        "The provided credentials were not correct. Please try again.",
    ),
    "INVALID_MFA": Entry(
        "ITEM_ERROR",
        "the provided MFA response(s) were not correct",
        "The provided MFA responses were not correct. Please try again.",
    ),
    "INVALID_OTP": Entry(
        "ITEM_ERROR",
        "the provided OTP was invalid",
        "The provided OTP was invalid. Please try again.",
    ),
    "INVALID_PHONE_NUMBER": Entry(
        "ITEM_ERROR",
        "the provided phone number was invalid",
        "The provided phone number was invalid. Please try again.",
    ),
    "INVALID_SEND_METHOD": Entry("ITEM_ERROR", "the provided MFA send_method was invalid"),
    "INVALID_UPDATED_USERNAME": Entry(
        "ITEM_ERROR",
        "the username provided to /item/credentials/update does not match the original username for"
        " the item",
    ),
    "ITEM_CONCURRENTLY_DELETED": Entry(
        "ITEM_ERROR", "This item was deleted while the operation was in progress"
    ),
    "ITEM_LOCKED": Entry(
        "ITEM_ERROR",
        "the account is locked. prompt the user to visit the institution's site and unlock their"
        " account",
        "The given account has been locked by the financial institution. Please visit your"
        " financial institution's website to unlock your account.",
    ),
    "ITEM_LOGIN_REQUIRED": Entry(
        "ITEM_ERROR",
        "the login details of this item have changed (credentials, MFA, or required user action)"
        " and a user login is required to update this information. use Link's update mode to"
        " restore the item to a good state",
        action="Send the user through Link's update mode.",
    ),
    "ITEM_NOT_FOUND": Entry(
        "ITEM_ERROR",
        "The Item you requested cannot be found. This Item does not exist, has been previously"
        " removed via /item/remove, or has had access removed by the user.",
    ),
    "ITEM_NOT_SUPPORTED": Entry(
        "ITEM_ERROR",
        "this account is currently not supported",
        "The given account is not currently supported for this financial institution. We apologize"
        " for the inconvenience.",
    ),
    "MANUAL_VERIFICATION_REQUIRED": Entry(
        "ITEM_ERROR",
        "This Item could not be automatically verified. The user must manually verify their account"
        " through a separate Link session using the existing access token and with"
        " 'investments_auth' initialized in the 'products' array.",
    ),
    "MFA_NOT_SUPPORTED": Entry(
        "ITEM_ERROR",
        "this account requires a MFA type that we do not currently support for the institution",
        "The multi-factor security features enabled on this account are not currently supported for"
        " this financial institution. We apologize for the inconvenience.",
    ),
    "NO_ACCOUNTS": Entry(
        "ITEM_ERROR",
        "no valid accounts were found for this item",
        "No valid accounts were found at the financial institution. Please visit your financial"
        " institution's website to confirm accounts are available.",
    ),
    "NO_AUTH_ACCOUNTS": _no_accounts("checking or savings"),
    "NO_INVESTMENT_ACCOUNTS": _no_accounts("investment"),
    "NO_INVESTMENT_AUTH_ACCOUNTS": _no_accounts("investment"),
    "NO_LIABILITY_ACCOUNTS": _no_accounts("liability"),
    "PASSWORD_RESET_REQUIRED": Entry(
        "ITEM_ERROR",
        "user must reset their password",
        "The user needs to reset their password for their account",
    ),
    "PRODUCT_NOT_ENABLED": Entry(
        "ITEM_ERROR",
        "A requested product was not enabled for the current access token. Please ensure it is"
        " included when initializing Link and create the Item again.",
    ),
    "PRODUCT_NOT_READY": Entry(
        "ITEM_ERROR",
        "the requested product is not yet ready. please provide a webhook or try the request again"
        " later",
    ),
    "PRODUCTS_NOT_SUPPORTED": Entry(
        "ITEM_ERROR", "the requested product is not supported by this item"
    ),
    "USER_INPUT_TIMEOUT": Entry(
        "ITEM_ERROR",
        "user must retry this operation",
        "The application timed out waiting for user input",
    ),
    "USER_SETUP_REQUIRED": Entry(
        "ITEM_ERROR",
        "the account has not been fully set up. prompt the user to visit the issuing institution's"
        " site and finish the setup process",
        "The given account is not fully setup. Please visit your financial institution's website to"
        " setup your account.",
    ),
}
"""https://plaid.com/docs/errors/item/"""

INSTITUTION = {
    "INSTITUTION_DOWN": _NOT_RESPONDING,
    "INSTITUTION_NO_LONGER_SUPPORTED": Entry(
        "INSTITUTION_ERROR",
        "this institution is no longer supported",
        "This financial institution is no longer supported. We apologize for the inconvenience.",
    ),
    "INSTITUTION_NOT_AVAILABLE": _NOT_RESPONDING,
    "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT": Entry(
        "INSTITUTION_ERROR", "Institution not enabled in this environment"
    ),
    "INSTITUTION_NOT_RESPONDING": _NOT_RESPONDING,
    "INSTITUTION_REGISTRATION_REQUIRED": Entry(
        "INSTITUTION_ERROR",
        "not yet registered to create items for this institution",
        "You must register your application with this institution before you can create items for"
        " it.",
    ),
    "UNAUTHORIZED_INSTITUTION": Entry(
        "INSTITUTION_ERROR",
        "not authorized to create items for this institution",
        "You are not authorized to create items for this institution at this time.",
    ),
    "UNSUPPORTED_RESPONSE": Entry(
        "INSTITUTION_ERROR",
        "the data returned from the financial institution is not valid",
        "The data returned from the financial institution is not valid.",
    ),
}
"""https://plaid.com/docs/errors/institution/"""

OTHER = {
    "ADDITIONAL_CONSENT_REQUIRED": Entry(
        "INVALID_INPUT", "client does not have user consent to access the requested product"
    ),
    "COUNTRY_NOT_SUPPORTED": Entry(
        "ITEM_ERROR", "the country of this institution is not supported by your application"
    ),
    "INTERNAL_SERVER_ERROR": Entry("API_ERROR", "an unexpected error occurred", status=500),
    "PLANNED_MAINTENANCE": Entry(
        "API_ERROR",
        "the Plaid API is temporarily unavailable due to planned maintenance. visit"
        " https://status.plaid.com/ for more information",
        status=503,
    ),
    "RECAPTCHA_BAD": Entry(
        "RECAPTCHA_ERROR", "The provided challenge response was denied. Please try again"
    ),
    "RECAPTCHA_REQUIRED": Entry(
        "RECAPTCHA_ERROR",
        "This request requires additional verification. Please resubmit the request after"
        " completing the challenge",
    ),
    "USER_PERMISSION_REVOKED": Entry(
        "INVALID_INPUT",
        "the holder of this account has revoked their permission for your application to access it",
    ),
    **dict.fromkeys(
        (
            "ACCOUNTS_BALANCE_GET_LIMIT",
            "ACCOUNTS_LIMIT",
            "INSTITUTION_RATE_LIMIT",
            "ITEM_GET_LIMIT",
            "RATE_LIMIT",
            "TRANSACTIONS_LIMIT",
            "TRANSACTIONS_REFRESH_LIMIT",
            "TRANSACTIONS_SYNC_LIMIT",
        ),
        _LIMITED,
    ),
}
"""Of other pages: what Link or a call for an Item can answer. Plaid documents no text for
COUNTRY_NOT_SUPPORTED, a code that only its Sandbox's log-ins name.
"""

CATALOG = ITEM | INSTITUTION | OTHER
