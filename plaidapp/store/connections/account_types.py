"""Plaid's account types, and which of them are debts.

https://plaid.com/docs/api/accounts/#account-type-schema
"""

DEPOSITORY, CREDIT, LOAN = "depository", "credit", "loan"
INVESTMENT, BROKERAGE = "investment", "brokerage"


def is_debt(account_type: str) -> bool:
    """Return True if a positive balance is money that the person owes."""
    return account_type in (CREDIT, LOAN)
