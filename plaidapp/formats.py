"""How numbers, money and days read on a page, by the visitor's locale.

What Babel has to work out for a locale and a currency it works out once: a page holds hundreds of
amounts. Money is Decimal and stays exact until it is rounded, half to even, to be shown.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, dates, numbers, units
from flask import Flask
from flask_babel import get_locale, gettext
from markupsafe import Markup, escape

from .store import Item
from .store.base.types import DECIMALS, exact

ENGLISH = Locale("en")
MINUS = "\N{MINUS SIGN}"
GLUE = "\N{NO-BREAK SPACE}"
BIDI_MARKS = re.compile("[\u061c\u200e\u200f]")
CURRENCIES = numbers.list_currencies()


def init_app(app: Flask) -> None:
    for of_numbers in (money, moved, money_parts, number, percent, exact):
        app.add_template_filter(of_numbers)
    for of_time in (day, coming_day, month_day, long_day, month, since, long_month):
        app.add_template_filter(of_time)
    for of_moments in (moment, ago, duration):
        app.add_template_filter(of_moments)
    for of_words in (words, listed, sentence, bank_name):
        app.add_template_filter(of_words)


class MoneyParts(NamedTuple):
    """An amount cut so that its cents can be set smaller: "−$54,711", ".32", "".

    `after` is what stands behind the digits: the currency where the locale puts it there.
    """

    whole: str
    cents: str
    after: str

    def __str__(self) -> str:
        return "".join(self)


class _Style(NamedTuple):
    """How a locale writes a currency: what stands around the digits, by sign, and between them."""

    above: tuple[str, str]
    below: tuple[str, str]
    digits: int | None
    signs: dict[int, str]
    thousands: bool


@lru_cache(1024)
def _style(locale: Locale, currency: str | None, symbol: bool) -> _Style:
    """`digits` is None where a currency is none of ISO's: as many as the amount has, then."""
    official = currency is None or currency in CURRENCIES
    if currency and official and symbol:
        pattern = locale.currency_formats["standard"]
        above, below = (_around(pattern.apply(sign, locale, currency)) for sign in (1, -1))
    else:
        pattern = locale.decimal_formats[None]
        above, below = (_around(pattern.apply(sign, locale)) for sign in (1, -1))
        if currency and symbol:
            above, below = (
                (before, f"{after}{GLUE}{currency}") for before, after in (above, below)
            )
    return _Style(
        above,
        below,
        numbers.get_currency_precision(currency or "") if official else None,
        str.maketrans(
            {",": numbers.get_group_symbol(locale), ".": numbers.get_decimal_symbol(locale)}
        ),
        pattern.grouping == (3, 3),
    )


def _around(text: str) -> tuple[str, str]:
    """What stands before the digits and after them, with a true minus sign.

    Without marks of direction: they are for the locale's own, and move the sign on other pages.

    Unicode's space between a currency's letters and the digits is not yet Babel's to put there.
    """
    before, after = re.split(r"\d(?:.*\d)?", BIDI_MARKS.sub("", text).replace("-", MINUS))
    return before + GLUE * before[-1:].isalpha(), GLUE * after[:1].isalpha() + after


def _cut(amount: Decimal, currency: str | None, symbol: bool, signed: str | None) -> MoneyParts:
    """`signed` takes the place of the minus sign, and is there above zero instead of below."""
    locale = _locale()
    style = _style(locale, currency, symbol)
    if style.digits is None:
        rounded = Decimal(exact(round(amount, DECIMALS)) or 0)
    else:
        rounded = amount.quantize(Decimal(1).scaleb(-style.digits), ROUND_HALF_EVEN)
    before, after = style.below if rounded < 0 else style.above
    if signed and rounded < 0:
        before, after = before.replace(MINUS, signed), after.replace(MINUS, signed)
    whole, point, cents = f"{abs(rounded):,f}".partition(".")
    if style.thousands:
        whole = whole.translate(style.signs)
    else:  # in India by hundreds, for one
        whole = numbers.format_decimal(int(abs(rounded)), locale=locale)
    return MoneyParts(before + whole, (point + cents).translate(style.signs), after)


def _locale() -> Locale:
    return get_locale() or ENGLISH


def money(amount: Decimal, currency: str | None = None, *, symbol: bool = True) -> str:
    """ "−$1,234.50", "−1.234,50 €", "¥1,234"; with `symbol=False` the digits alone, as many.

    A currency that is none of ISO's keeps the digits it has, eight decimals at most:
    "0.00012345 BTC". Without a currency there are two.
    """
    return "".join(_cut(amount, currency, symbol, None))


def moved(amount: Decimal, currency: str | None = None, *, symbol: bool = True) -> str:
    """A transaction's amount as a person reads it: money in has a plus, money out is plain.

    `amount` has Plaid's sign: positive is money out.
    """
    return "".join(_cut(amount if amount < 0 else abs(amount), currency, symbol, "+"))


def money_parts(amount: Decimal, currency: str | None = None) -> MoneyParts:
    """As `money`, cut in three for the one big number."""
    return _cut(amount, currency, True, None)


def number(value: int | Decimal) -> str:
    """ "1,457"."""
    return numbers.format_decimal(value, locale=_locale()).replace("-", MINUS)


def percent(fraction: Decimal | float, digits: int = 0) -> str:
    """ "12%" of 0.12; `digits` behind the point at most."""
    pattern = numbers.parse_pattern(_locale().percent_formats[None].pattern)
    pattern.frac_prec = (0, digits)
    return str(pattern.apply(fraction, _locale())).replace("-", MINUS)


@lru_cache(1024)
def _pattern(locale: Locale, skeleton: str) -> str:
    """The locale's own order and words for these parts of a date."""
    closest = dates.match_skeleton(skeleton, locale.datetime_skeletons) or skeleton
    return str(locale.datetime_skeletons[closest])


def _date(value: date, skeleton: str) -> str:
    locale = _locale()
    return dates.format_date(value, _pattern(locale, skeleton), locale)


def day(value: date, today: date | None = None) -> str:
    """ "Today", "Yesterday", "Friday", "November 20", "November 20, 2024". Today is UTC's."""
    today = today or datetime.now(UTC).date()
    age = (today - value).days
    if age == 0:
        return gettext("Today")
    if age == 1:
        return gettext("Yesterday")
    if 1 < age < 7:
        return dates.format_date(value, "EEEE", _locale())
    return month_day(value, today)


def coming_day(value: date, today: date | None = None) -> str:
    """ "Today", "Tomorrow", "Friday, November 27", the year where it is another."""
    today = today or datetime.now(UTC).date()
    if value == today:
        return gettext("Today")
    if (value - today).days == 1:
        return gettext("Tomorrow")
    # The locale's own order, its words written out.
    pattern = _pattern(_locale(), "MMMEd" if value.year == today.year else "yMMMEd")
    written_out = re.sub("E+", "EEEE", pattern.replace("MMM", "MMMM"))
    return dates.format_date(value, written_out, _locale())


def month_day(value: date, today: date | None = None) -> str:
    """ "November 27" within a sentence, the year where it is another."""
    today = today or datetime.now(UTC).date()
    return _date(value, "MMMMd") if value.year == today.year else long_day(value)


def long_day(value: date) -> str:
    """ "November 20, 2024", where no guess may be made about the year."""
    return dates.format_date(value, "long", _locale())


def month(value: date) -> str:
    """ "November", where the year is plain."""
    return dates.format_date(value, "LLLL", _locale())


def since(value: date, today: date | None = None) -> str:
    """ "November", the year where it is another."""
    today = today or datetime.now(UTC).date()
    if value.year == today.year:
        return dates.format_date(value, "MMMM", _locale())
    return long_month(value)


def long_month(value: date) -> str:
    """ "November 2026"."""
    return _date(value, "yMMMM")


def moment(value: datetime) -> str:
    """ "Today, 2:05 PM UTC", by the locale's clock."""
    value = value.astimezone(UTC)
    time = dates.format_time(value, "short", tzinfo=UTC, locale=_locale())
    return gettext("%(day)s, %(time)s UTC", day=day(value.date()), time=time)


def ago(value: datetime, now: datetime | None = None) -> str:
    """ "2 minutes ago", "in 3 days". Put `moment` in its title: this is out of date soon."""
    span = value - (now or datetime.now(UTC))
    return dates.format_timedelta(span, add_direction=True, locale=_locale())


def duration(span: timedelta) -> str:
    """ "0.4 sec", "75 sec", "12 min"."""
    seconds = span.total_seconds()
    unit = "second" if seconds < 120 else "minute"
    length = seconds if unit == "second" else seconds / 60
    rounded = round(length, 1) if length < 10 else round(length)
    return units.format_unit(rounded, f"duration-{unit}", length="short", locale=_locale())


def words(code: str) -> str:
    """Plaid's constants as words: "FOOD_AND_DRINK" becomes "Food and drink"."""
    return code.replace("_", " ").capitalize()


def bank_name(item: Item) -> str:
    """Return the name of an Item's bank. It is not known in the first moments of a connection."""
    return item.institution_name or gettext("Your bank")


def listed(parts: Iterable[str]) -> Markup:
    """ "9 accounts, 1,457 transactions". Unicode's lists of this kind have gaps in Babel."""
    return escape(gettext(", ")).join(parts)


ISO_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def sentence(stored: str | None) -> str:
    """A sentence that a job or a webhook stored in English, in the visitor's language.

    The English one is its own key in the catalogue, with the day in it, if any, as %(day)s.
    """
    written = ISO_DAY.search(stored or "")
    if not stored or not written:
        return gettext(stored) if stored else ""
    try:
        told = long_day(date.fromisoformat(written[0]))
    except ValueError:  # not one of ours
        return stored
    return gettext(ISO_DAY.sub("%(day)s", stored)).replace("%(day)s", told)
