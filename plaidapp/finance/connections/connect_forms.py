"""The forms that connect a bank, and the sentences for what they refuse."""

import json
import re
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import Field, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from plaidapp.forms import TextForm

from ..base import institutions

TEST_BANKS = [SelectChoice(*bank) for bank in institutions.NAMES.items()]
INSTITUTION_ID = re.compile(r"ins_[0-9A-Za-z]{1,40}")
CUSTOM_USER = "user_custom"
LARGEST_CUSTOM_USER = 500_000  # characters


class ConnectTestBankForm(TextForm):
    """A test user of Plaid's Sandbox. Without a name it is user_good."""

    institution_id = SelectField(
        lazy_gettext("Bank"),
        choices=TEST_BANKS,
        validate_choice=False,
        validators=[InputRequired(lazy_gettext("Choose a bank."))],
    )
    override_username = StringField(
        lazy_gettext("Test user"), description=lazy_gettext("Leave empty for user_good")
    )
    # A text area, since it may hold a JSON document. It is the password of a test user.
    override_password = TextAreaField(
        lazy_gettext("Password"), description=lazy_gettext("JSON for user_custom")
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """A refused form shows a JSON document again, but never a password."""
        valid: bool = super().validate(extra_validators)
        if self.override_username.data != CUSTOM_USER and not valid:
            self.override_password.data = ""
        return valid

    def validate_institution_id(self, field: Field) -> None:
        if not INSTITUTION_ID.fullmatch(field.data):
            raise ValidationError(gettext("A bank ID looks like ins_109508."))

    def validate_override_username(self, field: Field) -> None:
        if len(field.data or "") > 128:
            raise ValidationError(gettext("A test user’s name can have at most 128 characters."))
        if self.override_password.data and not field.data:
            raise ValidationError(gettext("Enter the test user that this password belongs to."))

    def validate_override_password(self, field: Field) -> None:
        if self.override_username.data != CUSTOM_USER:
            return
        if len(field.data or "") > LARGEST_CUSTOM_USER:
            raise ValidationError(gettext("A custom user can have at most 500,000 characters."))
        try:
            custom_user = json.loads(field.data or "")
        except (ValueError, RecursionError) as error:
            raise ValidationError(_json_complaint(error)) from None
        if not isinstance(custom_user, dict) or "override_accounts" not in custom_user:
            raise ValidationError(gettext("A custom user needs a list named override_accounts."))
        if not isinstance(custom_user["override_accounts"], list):
            raise ValidationError(gettext("override_accounts must be a list of accounts."))


def _json_complaint(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return gettext(
            "This is not valid JSON. The error is at line %(line)s, column %(column)s.",
            line=error.lineno,
            column=error.colno,
        )
    return gettext("This is not valid JSON.")
