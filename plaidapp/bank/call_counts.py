"""Count and time the calls to Plaid, and say which of them Plaid bills."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from plaidapp.metrics.counted import (
    OTHER,
    PLAID_BILLED,
    PLAID_ERRORS,
    PLAID_REQUESTS,
    PLAID_SECONDS,
)

from .error_sentences import MEANINGS, is_limit
from .errors import BankError

BILLED = {"/accounts/balance/get": "balance", "/transactions/refresh": "transactions_refresh"}
"""Endpoints with a fee for each call that succeeds. Other products are billed by Item and month.
https://plaid.com/docs/account/billing/"""


@contextmanager
def counted(endpoint: str) -> Iterator[None]:
    """Count the block, which is one call."""
    begun = time.monotonic()
    PLAID_REQUESTS.add(endpoint)
    try:
        yield
    except BankError as error:
        known = error.code in MEANINGS or is_limit(error.code)
        PLAID_ERRORS.add(endpoint, error.code if known else OTHER)
        raise
    else:
        if product := BILLED.get(endpoint):
            PLAID_BILLED.add(endpoint, product)
    finally:
        PLAID_SECONDS.observe(time.monotonic() - begun, endpoint)
