"""The forms that edit transactions, and the sentences for what they refuse."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, Field, StringField, TextAreaField, ValidationError

from plaidapp.auth.access import LARGEST_BIG_ID, person
from plaidapp.forms import TextForm
from plaidapp.store import Transaction
from plaidapp.store.transactions import detailed_totals
from plaidapp.store.transactions.category_tree import TREE, primary_of
from plaidapp.store.transactions.edits import LONGEST_NOTE

from ..base.fields import Several

MOST_CHOSEN = 5000


class Note(TextAreaField):
    """Text with plain line ends and without NUL. None if there is no text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = "".join(valuelist[:1]).replace("\r\n", "\n").replace("\0", "").strip()
        self.data = text or None

    def pre_validate(self, _form: Any) -> None:
        if len(self.data or "") > LONGEST_NOTE:
            raise ValidationError(
                gettext("A note can have at most %(most)s characters.", most=LONGEST_NOTE)
            )


def _exists(category: str) -> bool:
    """Is it one of Plaid's categories? It may have added some that only rows know."""
    if category in TREE or category in TREE.get(primary_of(category), ()):
        return True
    return "\0" not in category and detailed_totals.has_category(person().id, category)


class EditForm(TextForm):
    """Edits one transaction. Only fields that were sent change. An empty category is the bank's."""

    category = StringField(_("Category"))
    note = Note(_("Note"))
    hidden = BooleanField(_("Hide from lists and totals"))
    not_transfer = BooleanField(_("Not a transfer"))

    @classmethod
    def of(cls, row: Transaction) -> "EditForm":
        """The form filled in with the row's present values."""
        return cls(
            category=row.own_choice or "",
            note=row.note,
            hidden=row.hidden,
        )

    def validate_category(self, field: Field) -> None:
        if field.data and not _exists(field.data):
            raise ValidationError(gettext("Choose one from the list."))

    def validate(self, extra_validators: Any = None) -> bool:
        valid: bool = super().validate(extra_validators)
        if not self.change():
            self.form_errors.append(gettext("Choose a category, a note, or whether to hide it."))
            return False
        return valid

    def change(self) -> dict[str, Any]:
        values = {
            "own_category": (self.category, self.category.data or None),
            "note": (self.note, self.note.data),
            "hidden": (self.hidden, self.hidden.data),
            "not_transfer": (self.not_transfer, self.not_transfer.data),
        }
        return {name: value for name, (field, value) in values.items() if field.raw_data}


class BulkForm(TextForm):
    """Edits many transactions: the chosen ones, or with `all` every one of the filter."""

    row = Several("", most=MOST_CHOSEN)
    all = BooleanField("")
    do = StringField("")
    category = StringField("")
    note = Note("")

    @property
    def ids(self) -> list[int]:
        return [int(value) for value in self.row.data]

    def validate_row(self, field: Field) -> None:
        if not all(value.isascii() and value.isdigit() for value in field.data):
            raise ValidationError(gettext("This transaction does not exist."))
        if any(len(value) > 19 or int(value) > LARGEST_BIG_ID for value in field.data):
            raise ValidationError(gettext("This transaction does not exist."))
        if not field.data and not self.all.data:
            raise ValidationError(gettext("Select transactions first."))

    def validate_do(self, field: Field) -> None:
        if field.data not in ("category", "note", "hide", "unhide"):
            raise ValidationError(gettext("Choose what to change."))

    def validate_category(self, field: Field) -> None:
        if self.do.data == "category" and field.data and not _exists(field.data):
            raise ValidationError(gettext("Choose one from the list."))

    def change(self) -> dict[str, Any]:
        changes: dict[str, dict[str, Any]] = {
            "category": {"own_category": self.category.data or None},
            "note": {"note": self.note.data},
            "hide": {"hidden": True},
            "unhide": {"hidden": False},
        }
        return changes[self.do.data]

    @property
    def complaint(self) -> str:
        """The first sentence about what is wrong."""
        return str(next(iter(self.errors.values()))[0])
