"""The explorer's filter: what its address may say, and the sentence for what it may not."""

import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Literal

from babel.numbers import (
    NumberFormatError,
    get_decimal_symbol,
    get_group_symbol,
    parse_decimal,
)
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, StopValidation, ValidationError

from plaidapp.auth.access import LARGEST_BIG_ID
from plaidapp.store.base.types import exact
from plaidapp.store.transactions.filters import Filter

from ..forms import Day, in_order

LONGEST_SEARCH = 200  # characters
MOST_CHOICES = 100
LONGEST_CATEGORY = 100  # characters
AMOUNT = re.compile(r"\d{1,11}(?:\.\d{1,8})?", re.ASCII)
COMMA = re.compile(r"(\d+),(\d\d?)", re.ASCII)
DIGITS = re.compile(r"[\d.,'’ \u00a0\u202f]{1,30}", re.ASCII)
THOUSANDS_OR_THOUSANDTHS = re.compile(r"\d{1,3}\.\d{3}", re.ASCII)

DIRECTIONS = (
    SelectChoice("any", _("In and out")),
    SelectChoice("in", _("Money in")),
    SelectChoice("out", _("Money out")),
)
PENDING = (
    SelectChoice("any", _("Pending and posted")),
    SelectChoice("only", _("Pending only")),
    SelectChoice("without", _("Posted only")),
)
HIDDEN = (
    SelectChoice("without", _("Without hidden ones")),
    SelectChoice("any", _("With hidden ones")),
    SelectChoice("only", _("Hidden ones only")),
)
SCOPES = (
    SelectChoice("all", _("All that moved")),
    SelectChoice("flow", _("Only what was earned or spent")),
)
SORTS = (
    SelectChoice("newest", _("Newest first")),
    SelectChoice("oldest", _("Oldest first")),
    SelectChoice("largest", _("Largest first")),
    SelectChoice("smallest", _("Smallest first")),
    SelectChoice("a-z", _("Names A to Z")),
    SelectChoice("z-a", _("Names Z to A")),
)
ORDERS: dict[str, tuple[Literal["date", "amount", "name"], bool]] = {
    "newest": ("date", True),
    "oldest": ("date", False),
    "largest": ("amount", True),
    "smallest": ("amount", False),
    "a-z": ("name", False),
    "z-a": ("name", True),
}
"""What to sort by, and whether the largest comes first."""


class OneOf:
    """One of a few words; nothing at all is the default."""

    data: Any
    default: Any

    def pre_validate(self, _form: Any) -> None:
        if self.data not in {choice.value for choice in self.choices}:  # type: ignore[attr-defined]
            self.data = self.default  # which the page with the refusal shows
            raise ValidationError(gettext("Choose one of the list."))

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and valuelist[0]:
            self.data = valuelist[0]


class Choice(OneOf, SelectField):
    """As a list to unfold."""


class Switch(OneOf, RadioField):
    """As buttons beside each other."""


class Amount(StringField):
    """An amount without a sign, as `plain` spells it or as the visitor's locale writes it.

    Where the locale separates thousands by a point, "1.000" is refused: it may be either.
    """

    data: Decimal | None
    raw_data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = "".join(valuelist[:1]).strip()
        self.data = None
        if not typed:
            self.raw_data = []  # blank is the same as nothing
            return
        if THOUSANDS_OR_THOUSANDTHS.fullmatch(typed) and get_group_symbol(get_locale()) == ".":
            whole, sign = typed.replace(".", ""), get_decimal_symbol(get_locale())
            raise ValueError(
                gettext("Write %(whole)s or %(exact)s.", whole=whole, exact=f"{whole}{sign}00")
            )
        self.data = Decimal(typed) if AMOUNT.fullmatch(typed) else _by_locale(typed)

    def _value(self) -> str:
        return str(self.raw_data[0])[:40] if self.raw_data else ""

    def pre_validate(self, _form: Any) -> None:
        if self.process_errors:
            raise StopValidation


def plain(amount: Decimal) -> str:
    """The one spelling of an amount in addresses, which every locale reads the same.

    Of three decimals there is a fourth, lest a point look as if it separated thousands.
    """
    text = exact(amount) or ""
    return f"{text}0" if THOUSANDS_OR_THOUSANDTHS.fullmatch(text) else text


def _by_locale(typed: str) -> Decimal:
    if DIGITS.fullmatch(typed):
        for locale, text in ((get_locale(), typed), ("en", COMMA.sub(r"\1.\2", typed))):
            with suppress(NumberFormatError):
                amount = parse_decimal(text, locale=locale, strict=True)
                if AMOUNT.fullmatch(f"{amount:f}"):
                    return amount
    raise ValueError(gettext("Write an amount like 12.50."))


class Several(SelectMultipleField):
    """Any number of values, each at most once; the choices to show are the page's affair."""

    def __init__(self, label: Any, most: int = MOST_CHOICES, **options: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, **options)
        self.most = most

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = list(dict.fromkeys(value for value in valuelist if value))

    def pre_validate(self, _form: Any) -> None:
        if len(self.data or ()) > self.most:
            raise ValidationError(gettext("Choose at most %(most)s.", most=self.most))


class ExplorerForm(FlaskForm):
    """The explorer's filter, from the address; every part may be left out."""

    class Meta:
        csrf = False

    q = StringField(_("Search"))
    start_date = Day(_("From"), validators=[Optional()])
    end_date = Day(_("To"), validators=[Optional()])
    account = Several(_("Accounts"))
    category = Several(_("Categories"))
    smallest = Amount(_("At least"))
    largest = Amount(_("At most"))
    direction = Switch(_("Direction"), choices=DIRECTIONS, default="any")
    pending = Switch(_("Pending"), choices=PENDING, default="any")
    hidden = Switch(_("Hidden transactions"), choices=HIDDEN, default="without")
    scope = Switch(_("What counts"), choices=SCOPES, default="all")
    sort = Choice(_("Order"), choices=SORTS, default="newest")

    def validate_q(self, field: Field) -> None:
        if len(field.data or "") > LONGEST_SEARCH:
            field.data = field.data[:LONGEST_SEARCH]
            raise ValidationError(
                gettext("Search for at most %(most)s characters.", most=LONGEST_SEARCH)
            )

    def validate_end_date(self, _field: Field) -> None:
        in_order(self)

    def validate_account(self, field: Field) -> None:
        if not all(value.isascii() and value.isdigit() and len(value) < 20 for value in field.data):
            raise ValidationError(gettext("There is no such account."))

    def validate_category(self, field: Field) -> None:
        if any(len(value) > LONGEST_CATEGORY or "\0" in value for value in field.data):
            raise ValidationError(gettext("There is no such category."))

    def validate_largest(self, field: Field) -> None:
        smallest, largest = self.smallest.data, field.data
        if isinstance(smallest, Decimal) and largest is not None and largest < smallest:
            raise ValidationError(gettext("The largest amount is below the smallest. Swap them."))

    def filter_of(self, user_id: int) -> Filter:
        """The rows of this person that the form, found valid, asks for, in its order."""
        sort, descending = ORDERS[self.sort.data]
        return Filter(
            user_id,
            self.start_date.data,
            self.end_date.data,
            search=(self.q.data or "").strip(),
            account_ids=_ids(self.account.data),
            categories=tuple(self.category.data),
            smallest=self.smallest.data,
            largest=self.largest.data,
            direction=self.direction.data,
            pending=self.pending.data,
            hidden=self.hidden.data,
            scope=self.scope.data,
            sort=sort,
            descending=descending,
        )


def _ids(values: Iterable[str]) -> tuple[int, ...]:
    """Those too large for any account are nobody's, as are those of a stranger's."""
    return tuple(min(int(value), LARGEST_BIG_ID) for value in values)
