"""Which types of account are debts."""

import pytest

from plaidapp.store import Account


@pytest.mark.parametrize(
    ("account_type", "is_debt"),
    [
        ("credit", True),
        ("loan", True),
        ("depository", False),
        ("investment", False),
        ("other", False),
    ],
)
def test_credit_and_loan_accounts_are_debts(account_type, is_debt):
    assert Account(type=account_type).is_debt is is_debt
