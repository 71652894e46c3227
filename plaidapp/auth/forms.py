"""Sign up and log in."""

import unicodedata

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, StringField, SubmitField, ValidationError
from wtforms.validators import Email, InputRequired, Length

from plaidapp.store import users

from . import passwords

LONGEST_NAME = 64
LONGEST_KEY = 256  # some single characters, such as \uFDFA, compare as a whole phrase
TAKEN = "This user name is taken."
EMAIL_TAKEN = "There is an account with this e-mail address. Log in instead."


def _stripped(value: str | None) -> str | None:
    return value and value.strip()


class SignUpForm(FlaskForm):
    username = StringField(
        "User name",
        filters=[_stripped],
        validators=[
            InputRequired("Choose a user name."),
            Length(max=LONGEST_NAME, message=f"Use at most {LONGEST_NAME} characters."),
        ],
    )
    email = StringField(
        "E-mail",
        filters=[_stripped],
        validators=[
            InputRequired("Type your e-mail address."),
            Length(max=254, message="This is longer than an e-mail address can be."),
            Email("This is not an e-mail address. It should look like anna@example.com."),
        ],
    )
    password = PasswordField(
        "Password",
        description="15 characters or more. A few words in a row are fine.",
        validators=[InputRequired("Choose a password.")],
    )
    submit = SubmitField("Sign up")

    def validate_username(self, field: Field) -> None:
        name = field.data
        key = users.key_of(name)
        if "@" in key:  # so that a name is never somebody else's address
            raise ValidationError("Leave out the @: this is a name, not an e-mail address.")
        if not key or any(unicodedata.category(char)[0] == "C" for char in name):
            raise ValidationError("Use letters, digits and signs that can be seen.")
        if len(key) > LONGEST_KEY:
            raise ValidationError("Use simpler characters or fewer of them.")
        if users.by_name(name):
            raise ValidationError(TAKEN)

    def validate_email(self, field: Field) -> None:
        if len(users.key_of(field.data)) > LONGEST_KEY:
            raise ValidationError("This is longer than an e-mail address can be.")
        if users.by_name(field.data):
            raise ValidationError(EMAIL_TAKEN)

    def validate_password(self, field: Field) -> None:
        if problem := passwords.problem_with(field.data):
            raise ValidationError(problem)


class LogInForm(FlaskForm):
    username = StringField("User name or e-mail", validators=[InputRequired("Type your name.")])
    password = PasswordField("Password", validators=[InputRequired("Type your password.")])
    next = HiddenField()
    submit = SubmitField("Log in")
