"""How numbers, money and days read on a page."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from flask import Flask

from .store.types import exact

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$", "JPY": "¥"}
MINUS = "\N{MINUS SIGN}"
CENT = Decimal("0.01")


def init_app(app: Flask) -> None:
    for filter_ in (money, moved, day, long_day, moment, duration, number, plural, words):
        app.add_template_filter(filter_)
    app.add_template_filter(exact)


def money(amount: Decimal, currency: str | None = None) -> str:
    """ "−1,234.50", with the currency's sign or code when one is given. Rounded to cents."""
    cents = amount.quantize(CENT, ROUND_HALF_EVEN)
    digits = f"{abs(cents):,.2f}"
    sign = MINUS if cents < 0 else ""
    if currency is None:
        return sign + digits
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"


def moved(amount: Decimal) -> str:
    """A transaction's amount as a person reads it: money in has a plus, money out is plain."""
    return f"+{money(-amount)}" if amount < 0 else money(amount)


def day(value: date, today: date | None = None) -> str:
    """ "Today", "Yesterday", "Friday", "20 November", "20 November 2024"."""
    today = today or datetime.now(UTC).date()
    age = (today - value).days
    if age in (0, 1):
        return ("Today", "Yesterday")[age]
    if 1 < age < 7:
        return f"{value:%A}"
    return f"{value.day} {value:%B}" + (f" {value.year}" if value.year != today.year else "")


def long_day(value: date) -> str:
    """ "20 November 2024", where no guess may be made about the year."""
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime) -> str:
    """ "Today, 14:05 UTC"."""
    return f"{day(value.date())}, {value:%H:%M} UTC"


def duration(span: timedelta) -> str:
    """ "0.4 s", "75 s", "12 min"."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def number(value: int) -> str:
    return f"{value:,}"


def plural(count: int, one: str) -> str:
    """ "1 account", "9 accounts"."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def words(code: str) -> str:
    """Plaid's constants as words: "FOOD_AND_DRINK" becomes "Food and drink"."""
    return code.replace("_", " ").capitalize()
