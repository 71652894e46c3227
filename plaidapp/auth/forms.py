"""The sign-up and log-in forms."""

import re
import unicodedata

from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    PasswordField,
    StringField,
    SubmitField,
    ValidationError,
)
from wtforms.validators import Email, InputRequired, Length

from plaidapp import policy
from plaidapp.forms import TextForm
from plaidapp.store.people import users

from . import mails, passwords

LONGEST_NAME = 64
LONGEST_KEY = 256  # a single character, such as \uFDFA, may be compared as a whole phrase
TAKEN = lazy_gettext("This username is taken.")
ADVICE = lazy_gettext("At least 15 characters. A few words in a row work well.")
EMAIL_TAKEN = lazy_gettext("An account with this email address already exists. Log in instead.")


def _stripped(value: str | None) -> str | None:
    return value and value.strip()


class NameForm(TextForm):
    username = StringField(
        lazy_gettext("Username"),
        filters=[_stripped],
        validators=[
            InputRequired(lazy_gettext("Choose a username.")),
            Length(
                max=LONGEST_NAME,
                message=lazy_gettext("Use at most %(most)s characters.", most=LONGEST_NAME),
            ),
        ],
    )

    def validate_username(self, field: Field) -> None:
        name = field.data
        key = users.key_of(name)
        if "@" in key:  # a name must never be another person's address
            raise ValidationError(gettext("A username can’t contain @."))
        if not key or any(unicodedata.category(char)[0] == "C" for char in name):
            raise ValidationError(
                gettext("Use visible characters only, such as letters and digits.")
            )
        if len(key) > LONGEST_KEY:
            raise ValidationError(
                gettext("This username is too long. Use fewer or simpler characters.")
            )
        owner = users.by_name(name)
        if owner and owner != current_user:  # who is logged in may write their own in another way
            raise ValidationError(str(TAKEN))


class EmailForm(TextForm):
    email = StringField(
        lazy_gettext("Email"),
        filters=[_stripped],
        validators=[
            InputRequired(lazy_gettext("Enter your email address.")),
            Length(max=254, message=lazy_gettext("This email address is too long.")),
            Email(lazy_gettext("Enter an email address like anna@example.com.")),
        ],
    )

    def validate_email(self, field: Field) -> None:
        if len(users.key_of(field.data)) > LONGEST_KEY:
            raise ValidationError(gettext("This email address is too long."))


class SignUpForm(NameForm, EmailForm):
    password = PasswordField(
        lazy_gettext("Password"),
        description=ADVICE,
        validators=[InputRequired(lazy_gettext("Choose a password."))],
    )
    time_zone = HiddenField()  # from static/sign_up.js; empty without JavaScript
    submit = SubmitField(lazy_gettext("Sign up"))

    def validate_email(self, field: Field) -> None:
        """With a mail server nobody is told who is here, and nobody keeps an address."""
        super().validate_email(field)
        if not mails.proves_addresses() and users.by_name(field.data):
            raise ValidationError(str(EMAIL_TAKEN))

    def validate_password(self, field: Field) -> None:
        judge(field, self.username.data or "", self.email.data or "")

    @property
    def tells_who_is_here(self) -> bool:
        """Does a complaint of the form tell that somebody has this name or address?"""
        return str(TAKEN) in self.username.errors or str(EMAIL_TAKEN) in self.email.errors


def judge(field: Field, name: str, email: str) -> None:
    """Raise wtforms.ValidationError if it is a bad password for the person with this name and
    address."""
    if problem := passwords.problem_with(field.data, _words_of(name, email)):
        raise ValidationError(problem)


def _words_of(name: str, email: str) -> list[str]:
    """Return what a stranger would try first as the person's password."""
    return [name, email, *re.split(r"[\W_]+", f"{name} {email}"), *email.split("@")]


class LogInForm(TextForm):
    username = StringField(
        lazy_gettext("Username or email"),
        validators=[InputRequired(lazy_gettext("Enter your username or email."))],
    )
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(lazy_gettext("Enter your password."))]
    )
    keep = BooleanField(
        lazy_gettext("Keep me logged in"),
        description=lazy_gettext(
            "For up to %(days)s days. Leave this off on a shared computer.",
            days=policy.KEPT_SESSION_TOTAL.days,
        ),
    )
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Log in"))
