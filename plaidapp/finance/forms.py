"""What a person may type on the finance pages, and the sentence for what they may not."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, Field, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.form import Form
from wtforms.validators import InputRequired, StopValidation

from plaidapp.bank.client import DAYS_REQUESTED
from plaidapp.formats import long_day

# Plaid's own test institutions: https://plaid.com/docs/sandbox/institutions/
TEST_BANKS = [
    SelectChoice("ins_109508", "First Platypus Bank"),
    SelectChoice("ins_109509", "First Gingham Credit Union"),
    SelectChoice("ins_109510", "Tattersall Federal Credit Union"),
    SelectChoice("ins_109511", "Tartan Bank"),
    SelectChoice("ins_109512", "Houndstooth Bank"),
    SelectChoice("ins_1", "Bank of America"),
]
INSTITUTION_ID = re.compile(r"ins_[0-9A-Za-z]{1,40}")
CUSTOM_USER = "user_custom"
LARGEST_CUSTOM_USER = 500_000  # characters
YEARS = range(1900, 2101)


def today() -> date:
    """The day it is in UTC, by which every date here is judged."""
    return datetime.now(UTC).date()


class ConnectTestBankForm(FlaskForm):
    """A test user of Plaid's Sandbox; without a name it is user_good."""

    institution_id = SelectField(
        lazy_gettext("Bank"),
        choices=TEST_BANKS,
        validate_choice=False,
        validators=[InputRequired(lazy_gettext("Pick a bank."))],
    )
    override_username = StringField(
        lazy_gettext("Test user"), description=lazy_gettext("user_good when left empty")
    )
    # As lines, not as dots: it belongs to a test user, and may be a document.
    override_password = TextAreaField(
        lazy_gettext("Password"), description=lazy_gettext("For user_custom, the JSON")
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """A document is shown again when something is wrong with it, a password never."""
        valid: bool = super().validate(extra_validators)
        if self.override_username.data != CUSTOM_USER and not valid:
            self.override_password.data = ""
        return valid

    def validate_institution_id(self, field: Field) -> None:
        if not INSTITUTION_ID.fullmatch(field.data):
            raise ValidationError(gettext("A bank's id looks like ins_109508."))

    def validate_override_username(self, field: Field) -> None:
        if len(field.data or "") > 128:
            raise ValidationError(gettext("A test user's name has at most 128 characters."))
        if self.override_password.data and not field.data:
            raise ValidationError(gettext("Type the name of the test user this password is for."))

    def validate_override_password(self, field: Field) -> None:
        if self.override_username.data != CUSTOM_USER:
            return
        if len(field.data or "") > LARGEST_CUSTOM_USER:
            raise ValidationError(gettext("This custom user is larger than 500,000 characters."))
        try:
            custom_user = json.loads(field.data or "")
        except (ValueError, RecursionError) as error:
            raise ValidationError(_where_json_ends(error)) from None
        if not isinstance(custom_user, dict) or "override_accounts" not in custom_user:
            raise ValidationError(gettext("A custom user needs a list called override_accounts."))
        if not isinstance(custom_user["override_accounts"], list):
            raise ValidationError(gettext("override_accounts has to be a list of accounts."))


def _where_json_ends(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return gettext(
            "This is not JSON: line %(line)s, column %(column)s is where it breaks.",
            line=error.lineno,
            column=error.colno,
        )
    return gettext("This is not JSON.")


class PublicTokenForm(FlaskForm):
    """What Plaid Link hands over."""

    public_token = StringField(
        validators=[InputRequired(lazy_gettext("Plaid Link gave no public token."))]
    )

    def validate_public_token(self, field: Field) -> None:
        if len(field.data) > 256 or not field.data.startswith("public-"):
            raise ValidationError(gettext("This is not a public token of Plaid's."))


class Day(DateField):
    """A date whose complaint names what was typed."""

    data: date | None
    raw_data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        if not "".join(valuelist).strip():
            self.data, self.raw_data = None, []  # blank is the same as nothing
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            typed = valuelist[0].strip()[:40]
            raise ValueError(
                gettext("“%(typed)s” is not a date. Write it like 2026-01-31.", typed=typed)
            ) from None
        if self.data and self.data.year not in YEARS:
            self.data = None
            first, last = YEARS.start, YEARS.stop - 1
            raise ValueError(
                gettext("Choose a year from %(first)s to %(last)s.", first=first, last=last)
            )

    def pre_validate(self, form: Form) -> None:
        if self.process_errors:
            raise StopValidation  # what is no date can't be compared with one


def in_order(form: Form) -> None:
    start, end = form["start_date"], form["end_date"]
    if start.data and end.data and end.data < start.data:
        raise ValidationError(gettext("The end is before the start. Swap them."))


class RangeForm(FlaskForm):
    """From which day to which, both included, for *Get transaction data* and its total."""

    start_date = Day(
        lazy_gettext("From"), validators=[InputRequired(lazy_gettext("Choose the first day."))]
    )
    end_date = Day(
        lazy_gettext("To"), validators=[InputRequired(lazy_gettext("Choose the last day."))]
    )

    def __init__(self, first_transaction: date | None = None, **options: Any) -> None:
        """`first_transaction` is the date of the oldest row stored, if there is one."""
        month_ago = today() - timedelta(days=30)
        super().__init__(start_date=month_ago, end_date=today(), **options)
        self.first_transaction = first_transaction

    def validate_start_date(self, field: Field) -> None:
        earliest = today() - timedelta(days=DAYS_REQUESTED)
        if self.first_transaction:
            earliest = min(earliest, self.first_transaction)
        if field.data < earliest:
            raise ValidationError(
                gettext(
                    "Banks give two years at most. Choose %(day)s or later.",
                    day=long_day(earliest),
                )
            )

    def validate_end_date(self, field: Field) -> None:
        in_order(self)
        if self.first_transaction and field.data < self.first_transaction:
            first = long_day(self.first_transaction)
            raise ValidationError(
                gettext("Your first transaction is of %(day)s. Choose that or later.", day=first)
            )
