"""Change the password of the person who is logged in. Who has none can set one.

Every other session ends, and every known device becomes unknown. This session goes on with a new
token (confirmation.py).
"""

import math

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug import Response
from wtforms import Field, PasswordField, ValidationError
from wtforms.validators import InputRequired

from plaidapp import htmx, policy
from plaidapp.events import event
from plaidapp.forms import TextForm
from plaidapp.htmx import is_htmx
from plaidapp.store import User
from plaidapp.store.people import (
    activity,
    known_devices,
    login_sessions,
    stored_passwords,
    users,
)

from . import confirmation, current_session, known_device, mails, passwords
from .access import person
from .blueprint import blueprint
from .forms import ADVICE, judge

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


class NewPasswordForm(TextForm):
    """For who logs in with passkeys only."""

    password = PasswordField(
        lazy_gettext("New password"),
        description=ADVICE,
        validators=[InputRequired(lazy_gettext("Choose a new password."))],
    )

    def validate_password(self, field: Field) -> None:
        judge(field, person().username, person().email)


class PasswordForm(NewPasswordForm):
    current_password = PasswordField(
        lazy_gettext("Current password"),
        validators=[InputRequired(lazy_gettext("Enter your current password."))],
    )

    def validate_password(self, field: Field) -> None:
        if field.data == self.current_password.data:
            raise ValidationError(gettext("This is the same password. Choose another one."))
        super().validate_password(field)


@blueprint.route("/password", methods=["GET", "POST"])
@confirmation.needs_confirmation_without_password
def change_password() -> Answer:
    has_one = person().has_password
    form = PasswordForm(request.form) if has_one else NewPasswordForm(request.form)
    if request.method != "POST":
        return _shown(form)
    if not form.validate():
        return _shown(form), 422
    if has_one and (refusal := confirmation.with_password(form.current_password)):
        return _shown(form), *refusal
    return _change(form)


def _change(form: NewPasswordForm) -> Answer:
    try:
        with passwords.place():
            password_hash = passwords.hash_password(form.password.data)
    except passwords.BusyError:
        form.password.errors = [str(confirmation.BUSY)]
        return _shown(form), 503, {"Retry-After": str(math.ceil(policy.PASSWORD_PATIENCE))}
    return _changed(password_hash)


def _shown(form: NewPasswordForm) -> str:
    """Return the page; for HTMX only the form."""
    template = "_password_form.html" if is_htmx() else "password.html"
    return render_template(f"auth/{template}", form=form)


def _changed(password_hash: str) -> Response:
    store(person(), password_hash, current_session.current().id)
    device = current_session.device() or known_device.new_id()
    known_devices.add(person().id, device)
    # The password alone does not confirm who has a second factor, or it could turn that off.
    current_session.renew(confirmed=confirmation.password_is_enough())  # commits
    flash(gettext("Your password is changed. You are logged out everywhere else."))
    account = url_for("auth.account")
    answer = htmx.redirect(account) if is_htmx() else redirect(account, 303)
    known_device.remember(answer, person(), device)
    return answer


def store(user: User, password_hash: str, session_id: int | None = None) -> None:
    """Store a new password in the caller's transaction, and end all sessions but `session_id`.

    No device is known anymore.
    """
    stored_passwords.change(user, password_hash)
    login_sessions.end_others(user.id, session_id)
    known_devices.forget_others(user.id, None)
    activity.note(user.id, activity.Kind.PASSWORD_CHANGED)
    mails.tell(user, "password_changed")
    event("password_changed", person=users.opaque_id_of(user))
