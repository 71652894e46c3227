"""Amounts as people type them and as addresses have them."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

from babel.numbers import (
    NumberFormatError,
    format_decimal,
    get_decimal_symbol,
    get_group_symbol,
    parse_decimal,
)
from flask_babel import get_locale, gettext
from wtforms import StringField
from wtforms.validators import StopValidation

from plaidapp.bank.amounts import LARGEST
from plaidapp.store.base.types import exact

PLAIN = re.compile(r"\d{1,11}(?:\.\d{1,8})?", re.ASCII)
COMMA_AND_CENTS = re.compile(r"(\d+),(\d\d?)", re.ASCII)
DIGITS = re.compile(r"[\d.,'’ \u00a0\u202f]{1,30}", re.ASCII)
THOUSANDS_OR_THOUSANDTHS = re.compile(r"\d{1,3}\.\d{3}", re.ASCII)


def is_plain(text: str) -> bool:
    """Is `text` an amount without a sign, in the spelling that is the same in every locale?

    No amount larger than LARGEST is stored, and the databases can't compare with one.
    """
    return bool(PLAIN.fullmatch(text)) and Decimal(text) <= LARGEST


def from_plain(text: str) -> Decimal:
    """Read an amount in plain spelling. Raise ValueError if it is not one."""
    if not is_plain(text):
        raise ValueError(text)
    return Decimal(text)


def to_plain(amount: Decimal) -> str:
    """The spelling of an amount in URLs, which means the same in every locale.

    Three decimals get a fourth, so that the point can't be taken for a thousands separator.
    """
    text = exact(amount) or ""
    return f"{text}0" if THOUSANDS_OR_THOUSANDTHS.fullmatch(text) else text


def from_typed(text: str) -> Decimal:
    """Read an amount in plain spelling or as the visitor's locale writes it.

    Raise ValueError, with a sentence for the person, if it is no amount. Where the locale's
    thousands separator is a point, "1.000" is refused, since it may mean one or a thousand.
    """
    if THOUSANDS_OR_THOUSANDTHS.fullmatch(text) and get_group_symbol(get_locale()) == ".":
        whole, sign = text.replace(".", ""), get_decimal_symbol(get_locale())
        raise ValueError(
            gettext("Enter %(whole)s or %(exact)s.", whole=whole, exact=f"{whole}{sign}00")
        )
    return Decimal(text) if is_plain(text) else _from_local(text)


def _from_local(text: str) -> Decimal:
    if DIGITS.fullmatch(text):
        with_point = COMMA_AND_CENTS.sub(r"\1.\2", text)
        for locale, candidate in ((get_locale(), text), ("en", with_point)):
            with suppress(NumberFormatError):
                amount = parse_decimal(candidate, locale=locale, strict=True)
                if amount > LARGEST:
                    most = format_decimal(LARGEST, locale=get_locale())
                    raise ValueError(gettext("Enter an amount up to %(most)s.", most=most))
                if is_plain(f"{amount:f}"):
                    return amount
    raise ValueError(gettext("Enter an amount like 12.50."))


class Amount(StringField):
    """A form field for an amount without a sign, as `from_typed` reads it."""

    data: Decimal | None
    raw_data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = "".join(valuelist[:1]).strip()
        self.data = None
        if not typed:
            self.raw_data = []  # blank means no amount
            return
        self.data = from_typed(typed)

    def _value(self) -> str:
        return str(self.raw_data[0])[:40] if self.raw_data else ""

    def pre_validate(self, _form: Any) -> None:
        if self.process_errors:
            raise StopValidation
