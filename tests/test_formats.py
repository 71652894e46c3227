"""How money, numbers and lists are formatted in each locale."""

import re
from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from markupsafe import Markup

from plaidapp import formats
from plaidapp.store import Item
from tests.pages import plain

pytestmark = pytest.mark.usefixtures("speak")


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
        ("-5", "CHF", "−CHF 5.00"),
        ("0.005", None, "0.00"),
        ("0.015", None, "0.02"),
        ("23631.9805", "USD", "$23,631.98"),
        ("-0.004", "USD", "$0.00"),
        ("-0.005", None, "0.00"),
        ("-0.006", None, "−0.01"),
        ("92233720368.54775807", "USD", "$92,233,720,368.55"),
        ("-1234.5", "JPY", "−¥1,234"),
        ("1.2345", "BHD", "BHD 1.234"),
        ("0.00012345", "BTC", "0.00012345 BTC"),
        ("-1234.50000000", "BTC", "−1,234.5 BTC"),
        ("0.00000001", "DOGE", "0.00000001 DOGE"),
        ("100", "POINTS", "100 POINTS"),
        ("0", "BTC", "0 BTC"),
    ],
)
def test_money(amount, currency, read):
    assert plain(formats.money(Decimal(amount), currency)) == read


@pytest.mark.parametrize(
    ("locale", "below", "above", "yen", "coin"),
    [
        ("en", "−$1,234,567.50", "€1,234.50", "¥1,234", "−0.00012345 BTC"),
        ("en_GB", "−US$1,234,567.50", "€1,234.50", "JP¥1,234", "−0.00012345 BTC"),
        ("de_DE", "−1.234.567,50 $", "1.234,50 €", "1.234 ¥", "−0,00012345 BTC"),
        ("de_CH", "$−1’234’567.50", "EUR 1’234.50", "¥ 1’234", "−0.00012345 BTC"),
        ("fr", "−1 234 567,50 $US", "1 234,50 €", "1 234 JPY", "−0,00012345 BTC"),
        ("ja", "−$1,234,567.50", "€1,234.50", "￥1,234", "−0.00012345 BTC"),
        ("ar", "−1,234,567.50 US$", "1,234.50 €", "1,234 JP¥", "−0.00012345 BTC"),
        ("he", "−1,234,567.50 $", "1,234.50 €", "1,234 ¥", "−0.00012345 BTC"),
        ("sv", "−1 234 567,50 US$", "1 234,50 €", "1 234 JPY", "−0,00012345 BTC"),
        ("hi", "−$12,34,567.50", "€1,234.50", "JP¥1,234", "−0.00012345 BTC"),
    ],
)
def test_money_by_locale(speak, locale, below, above, yen, coin):
    speak(locale)

    assert plain(formats.money(Decimal("-1234567.5"), "USD")) == below
    assert plain(formats.money(Decimal("1234.5"), "EUR")) == above
    assert plain(formats.money(Decimal("1234.5"), "JPY")) == yen
    assert plain(formats.money(Decimal("-0.00012345"), "BTC")) == coin


@pytest.mark.parametrize(
    ("amount", "currency", "read"),
    [
        ("12.5", "USD", "12.50"),
        ("-12.5", "JPY", "−12"),
        ("0.00012345", "BTC", "0.00012345"),
    ],
)
def test_money_without_a_symbol_has_as_many_decimals_as_its_currency(amount, currency, read):
    assert formats.money(Decimal(amount), currency, symbol=False) == read


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "read"),
    [
        ("en", "12.5", None, "12.50"),
        ("en", "-1000", None, "+1,000.00"),
        ("en", "0", None, "0.00"),
        ("en", "-0.001", "USD", "$0.00"),
        ("en", "12.5", "USD", "$12.50"),
        ("en", "-1000", "USD", "+$1,000.00"),
        ("en", "-0.0001", "BTC", "+0.0001 BTC"),
        ("de_DE", "-1000", "EUR", "+1.000,00 €"),
        ("de_DE", "1000", "EUR", "1.000,00 €"),
        ("ar", "-1000", "USD", "+1,000.00 US$"),
    ],
)
def test_money_in_has_a_plus_and_money_out_is_plain(speak, locale, amount, currency, read):
    speak(locale)
    assert plain(formats.signed_money(Decimal(amount), currency)) == read


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "parts"),
    [
        ("en", "-54711.32", "USD", ("−$54,711", ".32", "")),
        ("de_DE", "-54711.32", "EUR", ("−54.711", ",32", " €")),
        ("ja", "54711.32", "JPY", ("￥54,711", "", "")),
        ("fr", "-54711.32", "CAD", ("−54 711", ",32", " $CA")),
        ("en", "1.25", "BTC", ("1", ".25", " BTC")),
        ("hi", "-1234567.5", "INR", ("−₹12,34,567", ".50", "")),
    ],
)
def test_money_parts_separates_the_cents(speak, locale, amount, currency, parts):
    speak(locale)
    cut = formats.money_parts(Decimal(amount), currency)

    assert tuple(plain(part) for part in cut) == parts
    assert str(cut) == formats.money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("locale", "number", "percent", "finer"),
    [
        ("en", "−1,234,567", "−12%", "−12.3%"),
        ("de_DE", "−1.234.567", "−12 %", "−12,3 %"),
        ("hi", "−12,34,567", "−12%", "−12.3%"),
    ],
)
def test_numbers(speak, locale, number, percent, finer):
    speak(locale)

    assert plain(formats.number(-1234567)) == number
    assert plain(formats.percent(Decimal("-0.1234"))) == percent
    assert plain(formats.percent(-0.1234, 1)) == finer


def test_plaids_constants_become_words():
    assert formats.words("FOOD_AND_DRINK") == "Food and drink"
    assert formats.words("SOME_NEW_CATEGORY") == "Some new category"


def test_a_list_is_escaped():
    assert formats.listed(["a < b", Markup("<b>c</b>"), "d"]) == "a &lt; b, <b>c</b>, d"


def test_no_locale_breaks_a_page(speak, subtests):
    """Unicode's locale data has gaps, and the visitor's browser picks the locale."""
    for locale in locale_identifiers():
        if "_" in locale:
            continue
        with subtests.test(locale):
            speak(locale)
            for currency in ("USD", "JPY", "CHF", "BTC", None):
                money = formats.money(Decimal("-1234567.25"), currency)
                assert re.sub(r"\D", "", money).startswith("1234567")
                assert formats.MINUS in money
                assert "+" in formats.signed_money(Decimal("-1.5"), currency)
            assert "7" in formats.number(1457)
            assert "7" in formats.percent(0.07, 1)


def test_a_bank_without_a_name_is_called_your_bank():
    assert formats.bank_name(Item()) == "Your bank"
    assert formats.bank_name(Item(institution_name="First Platypus Bank")) == "First Platypus Bank"


@pytest.mark.parametrize(
    ("locale", "rise", "fall"),
    [
        ("en", "+$1,234.50", "−$1,234.50"),
        ("de_DE", "+1.234,50 $", "−1.234,50 $"),
        ("ja", "+$1,234.50", "−$1,234.50"),
    ],
)
def test_a_change_always_has_its_sign(speak, locale, rise, fall):
    speak(locale)
    assert plain(formats.change(Decimal("1234.5"), "USD")) == rise
    assert plain(formats.change(Decimal("-1234.5"), "USD")) == fall
    assert not {"+", "−"} & set(formats.change(Decimal(0), "USD"))
