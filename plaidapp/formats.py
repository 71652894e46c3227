"""How money, numbers and lists read on a page, in the visitor's locale. For dates see days.py.

Amounts are Decimal and exact. They are rounded, half to even, only to be shown. The style of a
currency in a locale is cached, since a page shows hundreds of amounts.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, numbers
from flask import Flask
from flask_babel import gettext
from markupsafe import Markup, escape

from .bank.amounts import DECIMALS
from .languages import current_locale
from .name_case import in_normal_case
from .store import Item, Stream, Transaction
from .store.base.types import exact

MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
BIDI_MARKS = re.compile("[\u061c\u200e\u200f]")
SHORTENED_FROM = 1_000_000
CURRENCIES = numbers.list_currencies()


def init_app(app: Flask) -> None:
    for of_numbers in (
        money,
        signed_money,
        change,
        money_parts,
        number,
        percent,
        exact,
        svg_percent,
    ):
        app.add_template_filter(of_numbers)
    for of_text in (words, listed, bank_name, currency_name, in_normal_case, shown_title):
        app.add_template_filter(of_text)


class MoneyParts(NamedTuple):
    """An amount in parts, so that its cents can be set smaller: "−$54,711", ".32", "".

    `after` follows the digits. It is the currency where the locale puts it there.
    """

    whole: str
    cents: str
    after: str

    def __str__(self) -> str:
        return "".join(self)


class _Style(NamedTuple):
    """How a locale writes a currency.

    `positive` and `negative` are the texts before and after the digits. `decimals` is None for a
    currency that is not ISO's, which shows as many decimals as the amount has. `separators`
    replaces English separators. `by_thousands` is False where groups don't have three digits.
    """

    positive: tuple[str, str]
    negative: tuple[str, str]
    decimals: int | None
    separators: dict[int, str]
    by_thousands: bool


@lru_cache(1024)
def _style(locale: Locale, currency: str | None, symbol: bool) -> _Style:
    official = currency is None or currency in CURRENCIES
    if currency and official and symbol:
        pattern = locale.currency_formats["standard"]
        positive, negative = (_around(pattern.apply(sign, locale, currency)) for sign in (1, -1))
    else:
        pattern = locale.decimal_formats[None]
        positive, negative = (_around(pattern.apply(sign, locale)) for sign in (1, -1))
        if currency and symbol:
            positive, negative = (
                (before, f"{after}{NO_BREAK_SPACE}{currency}")
                for before, after in (positive, negative)
            )
    return _Style(
        positive,
        negative,
        numbers.get_currency_precision(currency or "") if official else None,
        str.maketrans(
            {",": numbers.get_group_symbol(locale), ".": numbers.get_decimal_symbol(locale)}
        ),
        pattern.grouping == (3, 3),
    )


def _around(text: str) -> tuple[str, str]:
    """The texts before and after the digits, with a true minus sign.

    Marks of writing direction are removed: they would misplace the sign in text of the other
    direction. A space separates a currency's letters from the digits, as Unicode says and Babel
    doesn't do yet.
    """
    before, after = re.split(r"\d(?:.*\d)?", BIDI_MARKS.sub("", text).replace("-", MINUS))
    before += NO_BREAK_SPACE * before[-1:].isalpha()
    return before, NO_BREAK_SPACE * after[:1].isalpha() + after


def _parts(amount: Decimal, currency: str | None, symbol: bool, sign: str | None) -> MoneyParts:
    """`sign` replaces the minus sign of a negative amount."""
    locale = current_locale()
    style = _style(locale, currency or None, symbol)
    if style.decimals is None:
        rounded = Decimal(exact(round(amount, DECIMALS)) or 0)
    else:
        rounded = amount.quantize(Decimal(1).scaleb(-style.decimals), ROUND_HALF_EVEN)
    before, after = style.negative if rounded < 0 else style.positive
    if sign and rounded < 0:
        before, after = before.replace(MINUS, sign), after.replace(MINUS, sign)
    whole, point, cents = f"{abs(rounded):,f}".partition(".")
    if style.by_thousands:
        whole = whole.translate(style.separators)
    else:  # such as in India
        whole = numbers.format_decimal(int(abs(rounded)), locale=locale)
    return MoneyParts(before + whole, (point + cents).translate(style.separators), after)


def money(amount: Decimal, currency: str | None = None, *, symbol: bool = True) -> str:
    """Such as "−$1,234.50", "−1.234,50 €", "¥1,234". With `symbol=False`, the digits alone.

    A currency that is not ISO's shows all decimals of the amount, up to eight: "0.00012345 BTC".
    Without a currency there are two decimals.
    """
    return "".join(_parts(amount, currency, symbol, None))


def signed_money(amount: Decimal, currency: str | None = None, *, symbol: bool = True) -> str:
    """The amount of a transaction: money in has a plus sign, money out has none.

    `amount` has Plaid's sign: positive is money out.
    """
    return "".join(_parts(amount if amount < 0 else abs(amount), currency, symbol, "+"))


def change(amount: Decimal, currency: str | None = None, *, symbol: bool = True) -> str:
    """A change of an amount, which always has its sign: "+$1,234.50", "−$1,234.50"."""
    if amount > 0:
        return "".join(_parts(-amount, currency, symbol, "+"))
    return money(amount, currency, symbol=symbol)


def currency_name(currency: str | None) -> str:
    """Such as "US Dollar". A currency that is not ISO's has its code: "BTC"."""
    if not currency:
        return gettext("Currency not named")
    return numbers.get_currency_name(currency, locale=current_locale())


def money_parts(amount: Decimal, currency: str | None = None) -> MoneyParts:
    """As `money`, in parts."""
    return _parts(amount, currency, True, None)


def number(value: float | Decimal) -> str:
    """Such as "1,457"."""
    return numbers.format_decimal(value, locale=current_locale()).replace("-", MINUS)


def round_money(amounts: Sequence[Decimal], currency: str | None) -> list[str]:
    """The round amounts of a scale, in short: "2,000", "2.5M". All have decimals if one has."""
    if amounts and amounts[-1] >= SHORTENED_FROM:
        locale = current_locale()
        return [
            numbers.format_compact_decimal(amount, locale=locale, fraction_digits=2)
            for amount in amounts
        ]
    if all(amount % 1 == 0 for amount in amounts):
        return [number(amount) for amount in amounts]
    return [money(amount, currency, symbol=False) for amount in amounts]


def percent(fraction: Decimal | float, digits: int = 0) -> str:
    """Such as "12%" for 0.12, with at most `digits` decimals."""
    pattern = numbers.parse_pattern(current_locale().percent_formats[None].pattern)
    pattern.frac_prec = (0, digits)
    return str(pattern.apply(fraction, current_locale())).replace("-", MINUS)


def svg_percent(part: float) -> str:
    """Such as "12.34%" for 0.1234, for an attribute of SVG."""
    return f"{part:.2%}"


def words(code: str) -> str:
    """One of Plaid's constants as words: "FOOD_AND_DRINK" becomes "Food and drink"."""
    return code.replace("_", " ").capitalize()


def bank_name(item: Item) -> str:
    """Return the name of an Item's bank. It is not known in the first moments of a connection."""
    return in_normal_case(item.institution_name or "") or gettext("Your bank")


def shown_title(row: Transaction | Stream) -> str:
    """Return a row's title as a person would write it.

    There is one also for a row that the bank sent without any description.
    """
    return in_normal_case(row.title.strip()) or gettext("No description")


def listed(parts: Iterable[str]) -> Markup:
    """Such as "9 accounts, 1,457 transactions". Babel lacks this kind of list in some locales."""
    return escape(gettext(", ")).join(parts)
