"""Plaid's errors (https://plaid.com/docs/errors/).

`documented` makes those of `sandbox.error_catalog`. Each error of a wrong request has a function.
"""

from collections.abc import Iterable

from sandbox.error_catalog import CATALOG


class PlaidError(Exception):
    """A response with Plaid's error object. `display` is the sentence for the end user."""

    def __init__(
        self,
        error_type: str,
        error_code: str,
        message: str,
        *,
        display: str | None = None,
        action: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(f"{error_type}/{error_code}: {message}")
        self.error_type = error_type
        self.error_code = error_code
        self.message = message
        self.display = display
        self.action = action
        self.status = status

    def fields(self) -> dict[str, object]:
        """Return the error object without `request_id`, as an Item or a webhook includes it."""
        page = self.error_type.removesuffix("_ERROR").lower().replace("_", "-")
        anchor = self.error_code.lower()
        return {
            "display_message": self.display,
            "documentation_url": f"https://plaid.com/docs/errors/{page}/#{anchor}",
            "error_code": self.error_code,
            "error_code_reason": None,
            "error_message": self.message,
            "error_type": self.error_type,
            "suggested_action": self.action,
        }


def documented(code: str) -> PlaidError:
    """Return the catalog's error with this `error_code`. Raises KeyError for an unknown one."""
    entry = CATALOG[code]
    return PlaidError(
        entry.error_type,
        code,
        entry.message,
        display=entry.display,
        action=entry.action,
        status=entry.status,
    )


def invalid_body(why: str, status: int = 400) -> PlaidError:
    return PlaidError("INVALID_REQUEST", "INVALID_BODY", why, status=status)


def missing_fields(names: Iterable[str]) -> PlaidError:
    message = f"the following required fields are missing: {', '.join(names)}"
    return PlaidError("INVALID_REQUEST", "MISSING_FIELDS", message)


def unknown_fields(name: str) -> PlaidError:
    message = f"the following fields are not recognized by this endpoint: {name}"
    return PlaidError("INVALID_REQUEST", "UNKNOWN_FIELDS", message)


def invalid_field(message: str, display: str | None = None) -> PlaidError:
    return PlaidError("INVALID_REQUEST", "INVALID_FIELD", message, display=display)


def not_found(message: str = "not found") -> PlaidError:
    return PlaidError("INVALID_REQUEST", "NOT_FOUND", message, status=404)


def invalid_headers(why: str) -> PlaidError:
    return PlaidError("INVALID_REQUEST", "INVALID_HEADERS", why)


def invalid_api_keys() -> PlaidError:
    return PlaidError("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided")


def invalid_access_token() -> PlaidError:
    message = "could not find matching access token"
    return PlaidError("INVALID_INPUT", "INVALID_ACCESS_TOKEN", message)


def invalid_public_token(message: str = "could not find matching public token") -> PlaidError:
    return PlaidError("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", message)


def invalid_link_token() -> PlaidError:
    return PlaidError("INVALID_INPUT", "INVALID_LINK_TOKEN", "could not find matching link token")


def invalid_institution() -> PlaidError:
    return PlaidError("INVALID_INPUT", "INVALID_INSTITUTION", "invalid institution_id provided")


def invalid_account_id() -> PlaidError:
    message = "failed to find requested account ID for requested item"
    return PlaidError("INVALID_INPUT", "INVALID_ACCOUNT_ID", message)


def invalid_key_id() -> PlaidError:
    message = "invalid key_id provided: no webhook is signed with it"
    return PlaidError("INVALID_INPUT", "INVALID_WEBHOOK_VERIFICATION_KEY_ID", message)


def products_not_supported(products: Iterable[str]) -> PlaidError:
    message = f"the following products are not supported by this institution: {sorted(products)}"
    return PlaidError("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED", message)


def product_not_enabled(product: str) -> PlaidError:
    message = f"the {product} product is not enabled on this item"
    return PlaidError("ITEM_ERROR", "PRODUCT_NOT_ENABLED", message)


def sandbox_webhook_invalid() -> PlaidError:
    message = "webhook could not be fired: the Item has no webhook"
    return PlaidError("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID", message)


def sandbox_product_not_enabled(product: str) -> PlaidError:
    message = f"the {product} product is not enabled on this item"
    return PlaidError("SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED", message)


def sync_mutation() -> PlaidError:
    return PlaidError(
        "TRANSACTIONS_ERROR",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
        "Underlying transaction data changed since last page was fetched. Please restart"
        " pagination from last update.",
    )
