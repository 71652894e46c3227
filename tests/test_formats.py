"""How numbers, money and days read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from plaidapp import formats

TODAY = date(2026, 3, 15)  # a Sunday


@pytest.mark.parametrize(
    ("amount", "currency", "read"),
    [
        ("0", None, "0.00"),
        ("1234.5", None, "1,234.50"),
        ("-1234.5", None, "−1,234.50"),
        ("1234567.891", None, "1,234,567.89"),
        ("110", "USD", "$110.00"),
        ("-110", "USD", "−$110.00"),
        ("5", "EUR", "€5.00"),
        ("5", "GBP", "£5.00"),
        ("5", "CAD", "CA$5.00"),
        ("-5", "CHF", "−5.00 CHF"),
        ("0.005", None, "0.00"),
        ("0.015", None, "0.02"),
        ("23631.9805", "USD", "$23,631.98"),
        ("-0.004", "USD", "$0.00"),
        ("-0.005", None, "0.00"),
        ("-0.006", None, "−0.01"),
        ("92233720368.54775807", "USD", "$92,233,720,368.55"),
    ],
)
def test_money(amount, currency, read):
    assert formats.money(Decimal(amount), currency) == read


@pytest.mark.parametrize(
    ("amount", "read"), [("12.5", "12.50"), ("-1000", "+1,000.00"), ("0", "0.00")]
)
def test_money_in_has_a_plus_and_money_out_is_plain(amount, read):
    assert formats.moved(Decimal(amount)) == read


@pytest.mark.parametrize(
    ("day", "read"),
    [
        (date(2026, 3, 15), "Today"),
        (date(2026, 3, 14), "Yesterday"),
        (date(2026, 3, 13), "Friday"),
        (date(2026, 3, 9), "Monday"),
        (date(2026, 3, 8), "8 March"),
        (date(2026, 1, 1), "1 January"),
        (date(2025, 12, 31), "31 December 2025"),
        (date(2026, 3, 16), "16 March"),
        (date(2027, 1, 2), "2 January 2027"),
    ],
)
def test_a_day(day, read):
    assert formats.day(day, TODAY) == read


def test_a_long_day_names_its_year():
    assert formats.long_day(date(2026, 3, 5)) == "5 March 2026"


def test_a_moment_names_its_zone():
    assert formats.moment(datetime(2024, 11, 20, 9, 5, tzinfo=UTC)) == "20 November 2024, 09:05 UTC"


@pytest.mark.parametrize(
    ("count", "word", "read"),
    [
        (0, "account", "0 accounts"),
        (1, "account", "1 account"),
        (9, "account", "9 accounts"),
        (1457, "transaction", "1,457 transactions"),
    ],
)
def test_plural(count, word, read):
    assert formats.plural(count, word) == read


def test_a_number_has_commas():
    assert formats.number(1234567) == "1,234,567"


def test_plaids_constants_become_words():
    assert formats.words("FOOD_AND_DRINK") == "Food and drink"
