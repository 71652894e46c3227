"""Amounts are kept to the last digit or refused. Only the noise of binary floats is rounded off."""

from decimal import Decimal

import pytest

from plaidapp.bank.amounts import AmountError, kept, rounded


@pytest.mark.parametrize(
    "digits",
    ["0", "19.99", "-0.00000001", "12345678901.12345678", "92000000000", "-92000000000", "5.000"],
)
def test_an_amount_of_up_to_eight_decimals_is_kept(digits):
    amount = Decimal(digits)
    assert kept(amount) is amount


@pytest.mark.parametrize(
    ("digits", "amount"),
    [
        ("19.989999999999998", "19.99"),
        ("89.40000000000001", "89.4"),
        ("-0.30000000000000004", "-0.3"),
        ("1000000.0999999999", "1000000.1"),
        ("99999.999999999985", "100000"),
        ("0.12345678000000001", "0.12345678"),
        ("0.09999999999999432", "0.1"),  # 100.1 - 100
        ("1.1368683772161603e-13", "0"),
        ("89.400000000000005684341886080801486968994140625", "89.4"),
    ],
)
def test_the_noise_of_a_float_is_rounded_off(digits, amount):
    assert kept(Decimal(digits)) == Decimal(amount)


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("1e-9", "more than eight decimals"),
        ("0.123456789", "more than eight decimals"),
        ("0.1234567890123456", "more than eight decimals"),
        ("123456.123456789", "more than eight decimals"),
        ("1234567.1234567891", "more than eight decimals"),
        ("12345678901.123456781", "more than eight decimals"),
        ("33.333333333333336", "more than eight decimals"),
        ("1e-99999999", "more than eight decimals"),
        ("92000000000.00000001", "too large"),
        ("-1e11", "too large"),
        ("1e99999999", "too large"),
        ("NaN", "not a number"),
        ("sNaN", "not a number"),
        ("-Infinity", "not a number"),
    ],
)
def test_an_amount_that_would_lose_digits_is_refused(digits, words):
    with pytest.raises(AmountError, match=words):
        kept(Decimal(digits))


def test_an_average_is_rounded_half_to_even():
    assert rounded(Decimal("33.333333333333336")) == Decimal("33.33333333")
    assert rounded(Decimal("0.000000025")) == Decimal("0.00000002")
    with pytest.raises(AmountError):
        rounded(Decimal("1e11"))
