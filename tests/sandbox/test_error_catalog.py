"""The catalog has the codes of Plaid's pages, and each becomes Plaid's error object."""

import pytest
from plaid.model.plaid_error import PlaidError
from plaid.model.plaid_error_type import PlaidErrorType

from sandbox import error_catalog, errors

# The lists of https://plaid.com/docs/errors/item/ and https://plaid.com/docs/errors/institution/.
ITEM_CODES = [
    "ACCESS_NOT_GRANTED", "INSTANT_MATCH_FAILED", "INSUFFICIENT_CREDENTIALS",
    "INVALID_CREDENTIALS", "INVALID_MFA", "INVALID_OTP", "INVALID_PHONE_NUMBER",
    "INVALID_SEND_METHOD", "INVALID_UPDATED_USERNAME", "ITEM_CONCURRENTLY_DELETED", "ITEM_LOCKED",
    "ITEM_LOGIN_REQUIRED", "ITEM_NOT_FOUND", "ITEM_NOT_SUPPORTED", "MANUAL_VERIFICATION_REQUIRED",
    "MFA_NOT_SUPPORTED", "NO_ACCOUNTS", "NO_AUTH_ACCOUNTS", "NO_INVESTMENT_ACCOUNTS",
    "NO_INVESTMENT_AUTH_ACCOUNTS", "NO_LIABILITY_ACCOUNTS", "PASSWORD_RESET_REQUIRED",
    "PRODUCT_NOT_ENABLED", "PRODUCT_NOT_READY", "PRODUCTS_NOT_SUPPORTED", "USER_INPUT_TIMEOUT",
    "USER_SETUP_REQUIRED",
]  # fmt: skip
INSTITUTION_CODES = [
    "INSTITUTION_DOWN", "INSTITUTION_NO_LONGER_SUPPORTED", "INSTITUTION_NOT_AVAILABLE",
    "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT", "INSTITUTION_NOT_RESPONDING",
    "INSTITUTION_REGISTRATION_REQUIRED", "UNAUTHORIZED_INSTITUTION", "UNSUPPORTED_RESPONSE",
]  # fmt: skip


def test_the_catalog_has_every_item_and_institution_error():
    assert sorted(error_catalog.ITEM) == sorted(ITEM_CODES)
    assert sorted(error_catalog.INSTITUTION) == sorted(INSTITUTION_CODES)
    assert {entry.error_type for entry in error_catalog.ITEM.values()} == {"ITEM_ERROR"}
    types = {entry.error_type for entry in error_catalog.INSTITUTION.values()}
    assert types == {"INSTITUTION_ERROR"}


@pytest.mark.parametrize("code", error_catalog.CATALOG)
def test_each_entry_becomes_plaids_error_object(code):
    error = errors.documented(code)
    fields = error.fields() | {"request_id": "r"}
    fields["error_type"] = PlaidErrorType(fields["error_type"])
    PlaidError(**fields, _check_type=True)
    assert fields["error_code"] == code
    assert fields["error_message"]
    assert 400 <= error.status <= 599
