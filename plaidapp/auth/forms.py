"""The sign-up and log-in forms."""

import unicodedata

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, StringField, SubmitField, ValidationError
from wtforms.validators import Email, InputRequired, Length

from plaidapp.store.people import users

from . import passwords

LONGEST_NAME = 64
LONGEST_KEY = 256  # a single character, such as \uFDFA, may be compared as a whole phrase
TAKEN = lazy_gettext("This user name is taken.")
EMAIL_TAKEN = lazy_gettext("There is an account with this e-mail address. Log in instead.")


def _stripped(value: str | None) -> str | None:
    return value and value.strip()


class SignUpForm(FlaskForm):
    username = StringField(
        lazy_gettext("User name"),
        filters=[_stripped],
        validators=[
            InputRequired(lazy_gettext("Choose a user name.")),
            Length(
                max=LONGEST_NAME,
                message=lazy_gettext("Use at most %(most)s characters.", most=LONGEST_NAME),
            ),
        ],
    )
    email = StringField(
        lazy_gettext("E-mail"),
        filters=[_stripped],
        validators=[
            InputRequired(lazy_gettext("Type your e-mail address.")),
            Length(max=254, message=lazy_gettext("This is longer than an e-mail address can be.")),
            Email(
                lazy_gettext("This is not an e-mail address. It should look like anna@example.com.")
            ),
        ],
    )
    password = PasswordField(
        lazy_gettext("Password"),
        description=lazy_gettext("15 characters or more. A few words in a row are fine."),
        validators=[InputRequired(lazy_gettext("Choose a password."))],
    )
    submit = SubmitField(lazy_gettext("Sign up"))

    def validate_username(self, field: Field) -> None:
        name = field.data
        key = users.key_of(name)
        if "@" in key:  # a name must never be another person's address
            raise ValidationError(
                gettext("Leave out the @: this is a name, not an e-mail address.")
            )
        if not key or any(unicodedata.category(char)[0] == "C" for char in name):
            raise ValidationError(gettext("Use letters, digits and signs that can be seen."))
        if len(key) > LONGEST_KEY:
            raise ValidationError(gettext("Use simpler characters or fewer of them."))
        if users.by_name(name):
            raise ValidationError(str(TAKEN))

    def validate_email(self, field: Field) -> None:
        if len(users.key_of(field.data)) > LONGEST_KEY:
            raise ValidationError(gettext("This is longer than an e-mail address can be."))
        if users.by_name(field.data):
            raise ValidationError(str(EMAIL_TAKEN))

    def validate_password(self, field: Field) -> None:
        if problem := passwords.problem_with(field.data):
            raise ValidationError(problem)


class LogInForm(FlaskForm):
    username = StringField(
        lazy_gettext("User name or e-mail"),
        validators=[InputRequired(lazy_gettext("Type your name."))],
    )
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(lazy_gettext("Type your password."))]
    )
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Log in"))
