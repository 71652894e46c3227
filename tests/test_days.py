"""How dates, moments and durations are formatted: in the language of the page's texts."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from babel.dates import format_date
from babel.localedata import locale_identifiers
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from flask_babel import get_babel

from plaidapp import days
from tests.pages import plain

pytestmark = pytest.mark.usefixtures("speak")
TODAY = date(2026, 3, 15)  # a Sunday
SAME_NAME_ALONE = [
    *("ar", "bn", "de", "de_AT", "en", "en_GB", "es", "fr", "he", "hi"),
    *("id", "it", "ja", "ko", "nl", "pt", "pt_PT", "sv", "tr", "zh"),
]
"""Locales where a month's name is the same within a date and on its own."""
FIVE_PAST_TWO = datetime(2024, 11, 20, 14, 5, tzinfo=UTC)
LANGUAGES = [name for name in locale_identifiers() if "_" not in name]


@pytest.fixture(scope="session")
def catalogs(tmp_path_factory):
    """A folder with an empty catalog of every language."""
    empty = BytesIO()
    write_mo(empty, Catalog())
    folder = tmp_path_factory.mktemp("translations")
    for name in LANGUAGES:
        file = folder / name / "LC_MESSAGES/messages.mo"
        file.parent.mkdir(parents=True)
        file.write_bytes(empty.getvalue())
    return str(folder)


@pytest.fixture
def translated(speak, catalogs):
    """As `speak`, if there were a translation into every language."""
    get_babel().translation_directories = [catalogs]
    return speak


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
def test_day(translated, day, read, german):
    assert days.day(day, TODAY) == read
    translated("de_DE")
    assert days.day(day, TODAY) == german  # the catalog does not translate "Today"


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
def test_coming_day(translated, day, coming, within, german):
    assert days.coming_day(day, TODAY) == coming
    assert days.month_day(day, TODAY) == within
    translated("de_DE")
    assert days.coming_day(day, TODAY) == german


@pytest.mark.parametrize(
    ("locale", "coming"),
    [
        ("ru", "пятница, 20 марта"),
        ("fi", "perjantai 20.3."),
        ("cs", "pátek 20. 3."),
        ("ja", "3月20日(金曜日)"),
    ],
)
def test_the_words_of_a_coming_day_are_written_out(translated, locale, coming):
    translated(locale)
    assert days.coming_day(date(2026, 3, 20), TODAY) == coming


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (TODAY, "today"),
        (TODAY - timedelta(days=1), "yesterday"),
        (TODAY + timedelta(days=1), "tomorrow"),
        (TODAY - timedelta(days=2), "Friday"),
        (date(2024, 11, 20), "November 20, 2024"),
    ],
)
def test_a_day_within_a_sentence(value, read):
    assert days.inline_day(value, TODAY) == read


def test_a_moment_within_a_sentence_and_to_the_second():
    assert plain(days.inline_moment(FIVE_PAST_TWO)) == "November 20, 2024 at 2:05 PM UTC"
    assert plain(days.exact_moment(FIVE_PAST_TWO)) == "November 20, 2024 at 2:05:00 PM UTC"


def test_since():
    assert days.since(date(2026, 1, 31), TODAY) == "January"
    assert days.since(date(2025, 12, 31), TODAY) == "December 2025"


@pytest.mark.parametrize(
    ("locale", "day", "month", "long_month", "moment"),
    [
        ("en", "March 5, 2026", "March", "March 2026", "November 20, 2024 at 2:05 PM UTC"),
        ("en_GB", "5 March 2026", "March", "March 2026", "20 November 2024 at 14:05 UTC"),
        ("de_DE", "5. März 2026", "März", "März 2026", "20. November 2024 at 14:05 UTC"),
        ("fr", "5 mars 2026", "mars", "mars 2026", "20 novembre 2024 at 14:05 UTC"),
        ("ja", "2026年3月5日", "3月", "2026年3月", "2024年11月20日 at 14:05 UTC"),
        ("ar", "5 مارس 2026", "مارس", "مارس 2026", "20 نوفمبر 2024 at 2:05 م UTC"),
    ],
)
def test_dates_and_times_by_locale(translated, locale, day, month, long_month, moment):
    translated(locale)

    assert days.long_day(date(2026, 3, 5)) == day
    assert days.month(date(2026, 3, 5)) == month
    assert days.long_month(date(2026, 3, 5)) == long_month
    assert plain(days.moment(FIVE_PAST_TWO)) == moment


def test_without_a_translation_dates_are_in_the_english_of_the_texts(speak):
    speak("de_DE")
    assert days.day(date(2026, 3, 13), TODAY) == "Friday"
    assert days.inline_day(date(2026, 3, 13), TODAY) == "Friday"
    assert days.coming_day(date(2026, 3, 20), TODAY) == "Friday, March 20"
    assert days.month_day(date(2026, 3, 5), TODAY) == "March 5"
    assert days.long_day(TODAY) == "March 15, 2026"
    assert (days.month(TODAY), days.long_month(TODAY)) == ("March", "March 2026")
    assert days.since(TODAY, TODAY) == "March"
    assert plain(days.moment(FIVE_PAST_TWO)) == "November 20, 2024 at 2:05 PM UTC"
    assert plain(days.exact_moment(FIVE_PAST_TWO)) == "November 20, 2024 at 2:05:00 PM UTC"
    assert days.ago(FIVE_PAST_TWO, FIVE_PAST_TWO + timedelta(minutes=2)) == "2 minutes ago"
    assert days.duration(timedelta(seconds=0.4)) == "0,4 sec"  # a number as the visitor writes it


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.usefixtures("translated")
def test_a_month_is_not_named_in_the_language_of_an_earlier_page(step, speak, subtests):
    for locale in SAME_NAME_ALONE[::step]:
        with subtests.test(locale):
            speak(locale)
            for number in range(1, 13):
                first = date(2026, number, 1)
                assert days.month(first) == format_date(first, "MMMM", locale)


@pytest.mark.parametrize(
    ("locale", "read"), [("en", "2 minutes ago"), ("de_DE", "vor 2 Minuten"), ("ja", "2 分前")]
)
def test_ago(translated, locale, read):
    translated(locale)
    assert days.ago(FIVE_PAST_TWO, FIVE_PAST_TWO + timedelta(minutes=2)) == read


@pytest.mark.parametrize(
    ("seconds", "read"),
    [(0.44, "0.4 sec"), (75.2, "75 sec"), (119.4, "119 sec"), (150, "2.5 min"), (740, "12 min")],
)
def test_duration(seconds, read):
    assert days.duration(timedelta(seconds=seconds)) == read


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        (0.2, "1 second"),
        (30, "30 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (3541, "1 hour"),
        (3600, "1 hour"),
    ],
)
def test_a_wait_is_never_too_short(seconds, read):
    assert days.wait(timedelta(seconds=seconds)) == read


@pytest.mark.usefixtures("translated")
def test_no_locale_breaks_a_date(speak, subtests):
    """Unicode's locale data has gaps, and the visitor's browser picks the locale."""
    for locale in LANGUAGES:
        with subtests.test(locale):
            speak(locale)
            assert days.day(date(2026, 3, 8), TODAY)
            assert days.day(date(2026, 3, 13), TODAY)
            assert "2026" in days.long_day(TODAY)
            assert days.coming_day(date(2026, 3, 20), TODAY)
            assert "2026" in days.long_month(TODAY)
            assert days.month(TODAY)
            assert "UTC" in days.moment(FIVE_PAST_TWO)
            assert days.exact_moment(FIVE_PAST_TWO)
            assert days.ago(FIVE_PAST_TWO)
            assert days.duration(timedelta(seconds=0.4))
