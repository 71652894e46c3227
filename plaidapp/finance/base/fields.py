"""Form fields that several forms share, and the sentences for what they refuse."""

from datetime import date
from typing import Any

from flask_babel import gettext
from wtforms import DateField, RadioField, SelectField, SelectMultipleField
from wtforms.form import Form
from wtforms.validators import StopValidation, ValidationError

YEARS = range(1900, 2101)
MOST_CHOICES = 100


class Day(DateField):
    """A date. The sentence for one that can't be read quotes what was typed."""

    data: date | None
    raw_data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        if not "".join(valuelist).strip():
            self.data, self.raw_data = None, []  # blank means no date
            return
        try:
            super().process_formdata(valuelist[:1])  # DateField would join several
        except ValueError:
            typed = valuelist[0].strip()[:40]
            raise ValueError(
                gettext("“%(typed)s” is not a date. Enter one like 2026-01-31.", typed=typed)
            ) from None
        if self.data and self.data.year not in YEARS:
            self.data = None
            first, last = YEARS.start, YEARS.stop - 1
            raise ValueError(
                gettext("Choose a year between %(first)s and %(last)s.", first=first, last=last)
            )

    def pre_validate(self, form: Form) -> None:
        if self.process_errors:
            raise StopValidation  # later validators compare dates, and there is none


def check_order(form: Form) -> None:
    """Raise ValidationError if the form's `end_date` is before its `start_date`."""
    start, end = form["start_date"], form["end_date"]
    if start.data and end.data and end.data < start.data:
        raise ValidationError(gettext("The end date is before the start date. Swap them."))


class OneOf:
    """One of a few values. No value means the default."""

    data: Any
    default: Any

    def pre_validate(self, _form: Any) -> None:
        if self.data not in {choice.value for choice in self.choices}:  # type: ignore[attr-defined]
            self.data = self.default  # shown on the page that refuses
            raise ValidationError(gettext("Choose one from the list."))

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and valuelist[0]:
            self.data = valuelist[0]


class Choice(OneOf, SelectField):
    """A drop-down list."""


class Switch(OneOf, RadioField):
    """Buttons side by side."""


class Several(SelectMultipleField):
    """Any number of different values. The page decides which choices to show."""

    def __init__(self, label: Any, most: int = MOST_CHOICES, **options: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, default=(), **options)
        self.most = most

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = list(dict.fromkeys(value for value in valuelist if value))

    def pre_validate(self, _form: Any) -> None:
        if len(self.data or ()) > self.most:
            raise ValidationError(gettext("Choose at most %(most)s.", most=self.most))
