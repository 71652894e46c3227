"""How numbers, money and dates are formatted in each locale."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from flask import Flask
from flask_babel import force_locale
from markupsafe import Markup

from plaidapp import formats, languages
from plaidapp.store import Item

TODAY = date(2026, 3, 15)  # a Sunday
FIVE_PAST_TWO = datetime(2024, 11, 20, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def speak():
    """Format for English; `speak("de_DE")` switches for the rest of the test."""
    app = Flask(__name__)
    languages.init_app(app)
    with app.app_context():
        forced = []

        def force(locale):
            forced.append(force_locale(locale))
            forced[-1].__enter__()

        yield force
        for context in forced:
            context.__exit__(None, None, None)


def plain(text):
    """Return the text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


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
    assert plain(formats.moved(Decimal(amount), currency)) == read


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
    ("day", "read", "german"),
    [
        (date(2026, 3, 15), "Today", "Today"),
        (date(2026, 3, 14), "Yesterday", "Yesterday"),
        (date(2026, 3, 13), "Friday", "Freitag"),
        (date(2026, 3, 9), "Monday", "Montag"),
        (date(2026, 3, 8), "March 8", "8. März"),
        (date(2026, 1, 1), "January 1", "1. Januar"),
        (date(2025, 12, 31), "December 31, 2025", "31. Dezember 2025"),
        (date(2026, 3, 16), "March 16", "16. März"),
        (date(2027, 1, 2), "January 2, 2027", "2. Januar 2027"),
    ],
)
def test_day(speak, day, read, german):
    assert formats.day(day, TODAY) == read
    speak("de_DE")
    assert formats.day(day, TODAY) == german  # no catalog translates "Today" yet


@pytest.mark.parametrize(
    ("day", "coming", "within", "german"),
    [
        (TODAY, "Today", "March 15", "Today"),
        (date(2026, 3, 16), "Tomorrow", "March 16", "Tomorrow"),
        (date(2026, 3, 20), "Friday, March 20", "March 20", "Freitag, 20. März"),
        (date(2027, 1, 1), "Friday, January 1, 2027", "January 1, 2027",
         "Freitag, 1. Januar 2027"),
    ],
)  # fmt: skip
def test_coming_day(speak, day, coming, within, german):
    assert formats.coming_day(day, TODAY) == coming
    assert formats.month_day(day, TODAY) == within
    speak("de_DE")
    assert formats.coming_day(day, TODAY) == german


def test_since():
    assert formats.since(date(2026, 1, 31), TODAY) == "January"
    assert formats.since(date(2025, 12, 31), TODAY) == "December 2025"


@pytest.mark.parametrize(
    ("locale", "day", "month", "long_month", "moment"),
    [
        ("en", "March 5, 2026", "March", "March 2026", "November 20, 2024, 2:05 PM UTC"),
        ("en_GB", "5 March 2026", "March", "March 2026", "20 November 2024, 14:05 UTC"),
        ("de_DE", "5. März 2026", "März", "März 2026", "20. November 2024, 14:05 UTC"),
        ("fr", "5 mars 2026", "mars", "mars 2026", "20 novembre 2024, 14:05 UTC"),
        ("ja", "2026年3月5日", "3月", "2026年3月", "2024年11月20日, 14:05 UTC"),
        ("ar", "5 مارس 2026", "مارس", "مارس 2026", "20 نوفمبر 2024, 2:05 م UTC"),
    ],
)
def test_dates_and_times_by_locale(speak, locale, day, month, long_month, moment):
    speak(locale)

    assert formats.long_day(date(2026, 3, 5)) == day
    assert formats.month(date(2026, 3, 5)) == month
    assert formats.long_month(date(2026, 3, 5)) == long_month
    assert plain(formats.moment(FIVE_PAST_TWO)) == moment


@pytest.mark.parametrize(
    ("locale", "read"), [("en", "2 minutes ago"), ("de_DE", "vor 2 Minuten"), ("ja", "2 分前")]
)
def test_ago(speak, locale, read):
    speak(locale)
    assert formats.ago(FIVE_PAST_TWO, FIVE_PAST_TWO + timedelta(minutes=2)) == read


@pytest.mark.parametrize(
    ("seconds", "read"),
    [(0.44, "0.4 sec"), (75.2, "75 sec"), (119.4, "119 sec"), (150, "2.5 min"), (740, "12 min")],
)
def test_duration(seconds, read):
    assert formats.duration(timedelta(seconds=seconds)) == read


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
        with subtests.test(locale), force_locale(locale):
            for currency in ("USD", "JPY", "CHF", "BTC", None):
                money = formats.money(Decimal("-1234567.25"), currency)
                assert re.sub(r"\D", "", money).startswith("1234567")
                assert formats.MINUS in money
                assert "+" in formats.moved(Decimal("-1.5"), currency)
            assert "7" in formats.number(1457)
            assert "7" in formats.percent(0.07, 1)
            assert formats.day(date(2026, 3, 8), TODAY)
            assert formats.day(date(2026, 3, 13), TODAY)
            assert "2026" in formats.long_day(TODAY)
            assert formats.coming_day(date(2026, 3, 20), TODAY)
            assert "2026" in formats.long_month(TODAY)
            assert formats.month(TODAY)
            assert "UTC" in formats.moment(FIVE_PAST_TWO)
            assert formats.ago(FIVE_PAST_TWO)
            assert formats.duration(timedelta(seconds=0.4))


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("The bank is down.", "The bank is down."),
        ("Ends on 2031-02-03. 5% off.", "Ends on 3. Februar 2031. 5% off."),
        ("Ends on 2031-02-31.", "Ends on 2031-02-31."),
        ("", ""),
        (None, ""),
    ],
)
def test_the_date_in_a_stored_sentence_is_formatted_by_locale(speak, stored, read):
    speak("de_DE")
    assert formats.sentence(stored) == read


def test_a_bank_without_a_name_is_called_your_bank(speak):
    assert formats.bank_name(Item()) == "Your bank"
    assert formats.bank_name(Item(institution_name="First Platypus Bank")) == "First Platypus Bank"
