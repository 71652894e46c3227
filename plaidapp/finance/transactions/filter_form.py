"""The form of the explorer's filter, and the sentences for what it refuses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import Field, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from plaidapp.auth.access import LARGEST_BIG_ID
from plaidapp.forms import TextForm
from plaidapp.store.transactions.filters import Filter

from ..base.fields import Choice, Day, Several, Switch, check_order
from .amounts import Amount
from .search_words import words_of

LONGEST_SEARCH = 200  # characters
LONGEST_CODE = 100  # characters
NO_CURRENCY = "none"
"""What an address says for the rows whose bank names no currency."""

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
    SelectChoice("without", _("Not hidden")),
    SelectChoice("any", _("Including hidden")),
    SelectChoice("only", _("Hidden only")),
)
SCOPES = (
    SelectChoice("listed", _("Totals without transfers")),
    SelectChoice("all", _("Totals with transfers")),
    SelectChoice("flow", _("Exclude transfers")),
)
SORTS = (
    SelectChoice("newest", _("Newest first")),
    SelectChoice("oldest", _("Oldest first")),
    SelectChoice("largest", _("Largest first")),
    SelectChoice("smallest", _("Smallest first")),
    SelectChoice("a-z", _("Name A to Z")),
    SelectChoice("z-a", _("Name Z to A")),
)
Order = tuple[Literal["date", "amount", "name"], bool]
ORDERS: dict[str, Order] = {
    "newest": ("date", True),
    "oldest": ("date", False),
    "largest": ("amount", True),
    "smallest": ("amount", False),
    "a-z": ("name", False),
    "z-a": ("name", True),
}
"""What each order sorts by, and whether it is descending."""


class ExplorerForm(TextForm):
    """The filter as an address has it. Every part may be left out."""

    class Meta:
        csrf = False

    q = StringField(_("Search"))
    start_date = Day(_("From"), validators=[Optional()])
    end_date = Day(_("To"), validators=[Optional()])
    account = Several(_("Accounts"))
    category = Several(_("Categories"))
    currency = Several(_("Currencies"))
    smallest = Amount(_("At least"))
    largest = Amount(_("At most"))
    direction = Switch(_("Direction"), choices=DIRECTIONS, default="any")
    pending = Switch(_("Pending"), choices=PENDING, default="any")
    hidden = Switch(_("Hidden transactions"), choices=HIDDEN, default="without")
    scope = Switch(_("Transfers"), choices=SCOPES, default="listed")
    sort = Choice(_("Sort by"), choices=SORTS, default="newest")

    def validate_q(self, field: Field) -> None:
        if len(field.data or "") > LONGEST_SEARCH:
            field.data = field.data[:LONGEST_SEARCH]
            raise ValidationError(
                gettext("A search can have at most %(most)s characters.", most=LONGEST_SEARCH)
            )

    def validate_end_date(self, _field: Field) -> None:
        check_order(self)

    def validate_account(self, field: Field) -> None:
        if not all(value.isascii() and value.isdigit() and len(value) < 20 for value in field.data):
            raise ValidationError(gettext("This account does not exist."))

    def validate_category(self, field: Field) -> None:
        if not _are_codes(field.data):
            raise ValidationError(gettext("This category does not exist."))

    def validate_currency(self, field: Field) -> None:
        if not _are_codes(field.data):
            raise ValidationError(gettext("This currency does not exist."))

    def validate_largest(self, field: Field) -> None:
        smallest, largest = self.smallest.data, field.data
        if isinstance(smallest, Decimal) and largest is not None and largest < smallest:
            raise ValidationError(
                gettext("The largest amount is less than the smallest. Swap them.")
            )

    @property
    def complaints(self) -> list[str]:
        """A sentence for each field that is not valid."""
        return [
            gettext("%(field)s: %(sentence)s", field=self[name].label.text, sentence=sentences[0])
            for name, sentences in self.errors.items()
        ]

    @property
    def order(self) -> Order:
        return ORDERS[self.sort.data]

    def filter_of(self, user_id: int, *, hidden_accounts: bool = False) -> Filter:
        """The filter and order of a valid form, over this person's transactions.

        `hidden_accounts` is for files and programs: they get these accounts too, marked as hidden.
        """
        sort, descending = self.order
        return Filter(
            user_id,
            self.start_date.data,
            self.end_date.data,
            search=words_of(user_id, self.q.data or ""),
            account_ids=_ids(self.account.data),
            categories=tuple(self.category.data),
            currencies=tuple("" if code == NO_CURRENCY else code for code in self.currency.data),
            smallest=self.smallest.data,
            largest=self.largest.data,
            direction=self.direction.data,
            pending=self.pending.data,
            hidden=self.hidden.data,
            hidden_accounts=hidden_accounts,
            scope=self.scope.data,
            sort=sort,
            descending=descending,
        )


def _are_codes(values: Iterable[str]) -> bool:
    return all(len(value) <= LONGEST_CODE and "\0" not in value for value in values)


def _ids(values: Iterable[str]) -> tuple[int, ...]:
    """An id that is too large for the database matches no account."""
    return tuple(min(int(value), LARGEST_BIG_ID) for value in values)
