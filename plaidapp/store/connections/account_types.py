"""Plaid's account types: which of them are debts, and what their balances mean.

https://plaid.com/docs/api/accounts/#account-type-schema
"""

from decimal import Decimal

DEPOSITORY, CREDIT, LOAN = "depository", "credit", "loan"
INVESTMENT, BROKERAGE = "investment", "brokerage"


def is_debt(account_type: str) -> bool:
    """Return True if a positive balance is money that the person owes."""
    return account_type in (CREDIT, LOAN)


def balance_of(
    account_type: str, current: Decimal | None, available: Decimal | None, limit: Decimal | None
) -> Decimal | None:
    """Return an account's balance, in Plaid's sign: `current`, or what stands in for it.

    A bank may leave `current` out. What is available on a depository account differs from it by
    what is pending; so does the limit less what is available on a credit account. No other account
    has a balance then: of an investment, only the cash is available. None if it is unknown.
    https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-available
    """
    if current is not None or available is None:
        return current
    if account_type == DEPOSITORY:
        return available
    if account_type == CREDIT and limit is not None:
        return limit - available
    return None
