"""Which types of account are debts, and what stands in for a balance that is not reported."""

from decimal import Decimal

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


@pytest.mark.parametrize(
    ("account_type", "current", "available", "limit", "balance"),
    [
        ("depository", "5", "3", None, "5"),
        ("depository", "0", "3", None, "0"),
        ("depository", None, "500", None, "500"),
        ("depository", None, "-20", "100", "-20"),  # an overdraft: the limit is not in `available`
        ("depository", None, None, "100", None),
        ("credit", "410", "590", "1000", "410"),
        ("credit", None, "590", "1000", "410"),
        ("credit", None, "1010", "1000", "-10"),
        ("credit", None, "590", None, None),
        ("credit", None, None, "1000", None),
        ("loan", None, "590", "1000", None),
        ("investment", None, "590", None, None),  # only the cash in it
        ("brokerage", None, "590", None, None),
        ("other", None, "590", None, None),
    ],
)
def test_what_is_available_stands_in_where_it_means_the_balance(
    account_type, current, available, limit, balance
):
    exact = [amount and Decimal(amount) for amount in (current, available, limit)]
    account = Account(type=account_type, current=exact[0], available=exact[1], limit=exact[2])
    assert account.balance == (balance and Decimal(balance))
