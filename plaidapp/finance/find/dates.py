"""The dates in what somebody types: "october", "last quarter", "q3 2025", "november 20"."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from babel.dates import get_date_format
from flask_babel import get_locale
from flask_babel import gettext as _

from plaidapp.days import long_day, long_month, month, short_month, today
from plaidapp.store.base.dates import days_later, last_of_month, months_later
from plaidapp.store.base.search_terms import words_of

from ..transactions import date_ranges
from ..transactions.date_ranges import DateRange

MOST_WORDS = 3
SHORTEST_MONTH = 3
"""Letters of the name of a month that stand for it."""
YEARS_BACK = 30
"""A number is taken for one of that many years."""


class Dated(NamedTuple):
    """Dates, and the words that were typed beside them."""

    range: DateRange
    rest: tuple[str, ...]


class Calendar(NamedTuple):
    """Today, the names of ranges and months in words, and what they mean."""

    day: date
    ranges: dict[tuple[str, ...], DateRange]
    months: list[tuple[str, str]]

    @classmethod
    def of_today(cls) -> "Calendar":
        day = today()
        ranges = (*date_ranges.named(day), *_single_days(day))
        firsts = [date(day.year, number, 1) for number in range(1, 13)]
        return cls(
            day,
            {tuple(words_of(each.title)): each for each in ranges},
            [
                ("".join(words_of(month(each))), "".join(words_of(short_month(each))))
                for each in firsts
            ],
        )

    def month(self, word: str) -> int | None:
        for number, (name, short) in enumerate(self.months, 1):
            if word == short or (len(word) >= SHORTEST_MONTH and name.startswith(word)):
                return number
        return None

    def year(self, word: str) -> int | None:
        if not (_is_number(word) and len(word) == 4):
            return None
        return int(word) if 0 <= self.day.year - int(word) < YEARS_BACK else None

    def latest(self, year: int | None, month_number: int, number: int) -> date:
        """Return that day; of the years up to now, the last one if no year is given."""
        return date(year or self.day.year - (month_number > self.day.month), month_number, number)


def in_words(typed: Sequence[str]) -> Dated | None:
    """Find the dates that some of the words name together; as many words as possible."""
    if all(len(word) == 1 for word in typed):
        return None
    calendar = Calendar.of_today()
    for length in range(min(MOST_WORDS, len(typed)), 0, -1):
        for start in range(len(typed) - length + 1):
            words = tuple(typed[start : start + length])
            if found := _range_of(words, calendar):
                return Dated(found, (*typed[:start], *typed[start + length :]))
    return None


def _range_of(words: tuple[str, ...], calendar: Calendar) -> DateRange | None:
    if named := calendar.ranges.get(words):
        return named
    with suppress(ValueError):  # there is no February 30
        return _quarter(words, calendar) or _month_or_year(words, calendar) or _day(words, calendar)
    return None


def _single_days(day: date) -> list[DateRange]:
    before = days_later(day, -1)
    return [DateRange(_("Today"), day, day), DateRange(_("Yesterday"), before, before)]


def _quarter(words: tuple[str, ...], calendar: Calendar) -> DateRange | None:
    """Read "q3" or "q3 2025"."""
    name, *rest = words
    if name not in ("q1", "q2", "q3", "q4") or len(rest) > 1:
        return None
    year = calendar.year(rest[0]) if rest else calendar.day.year
    if year is None:
        return None
    first = date(year, int(name[1]) * 3 - 2, 1)
    if not rest and first > calendar.day:
        first = months_later(first, -12)
    title = _(
        "%(first)s to %(last)s", first=long_month(first), last=long_month(months_later(first, 2))
    )
    return DateRange(title, first, days_later(months_later(first, 3), -1))


def _month_or_year(words: tuple[str, ...], calendar: Calendar) -> DateRange | None:
    """Read "2025", "october" or "october 2025"."""
    *names, last = words
    year = calendar.year(last)
    if year and not names:
        return DateRange(last, date(year, 1, 1), date(year, 12, 31))
    number = calendar.month(names[0] if year else last)
    if number is None or len(names) != (1 if year else 0):
        return None
    first = calendar.latest(year, number, 1)
    return DateRange(long_month(first), first, last_of_month(first))


def _day(words: tuple[str, ...], calendar: Calendar) -> DateRange | None:
    """Read "october 5", "5 october 2025" or a date in numbers, of which words_of left digits."""
    if len(words) == 1 and len(words[0]) == 8 and _is_number(words[0]):
        found = _in_numbers(words[0])
    else:
        months = [number for word in words if (number := calendar.month(word))]
        days = [int(word) for word in words[:2] if _is_number(word) and len(word) <= 2]
        years = [year for word in words[2:] if (year := calendar.year(word))]
        if len(words) < 2 or len(months) + len(days) + len(years) < len(words):
            return None
        if len(months) != 1 or len(days) != 1:
            return None
        found = calendar.latest(years[0] if years else None, months[0], days[0])
    return DateRange(long_day(found), found, found)


def _in_numbers(digits: str) -> date:
    """Read 2026-10-05, or 10/05/2026 in the order of the person's language, both without what is
    between the numbers. Raises ValueError."""
    with suppress(ValueError):
        return date.fromisoformat(digits)
    first, second, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    pattern = get_date_format("short", get_locale()).pattern.lower()
    is_month_first = pattern.index("m") < pattern.index("d")
    return date(year, *((first, second) if is_month_first else (second, first)))


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()
