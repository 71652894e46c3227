"""The page that asks a person to prove again who they are. See confirmation.py."""

from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_login import login_required
from werkzeug import Response
from wtforms import HiddenField, PasswordField
from wtforms.validators import InputRequired

from plaidapp.addresses import own_path
from plaidapp.events import event
from plaidapp.store.people import passkeys

from . import current_session, known_device
from .access import person
from .blueprint import blueprint
from .confirmation import Refusal, with_password
from .passkeys.challenges import host
from .second_factor import typed_codes
from .second_factor.typed_codes import CodesForm


class ConfirmForm(CodesForm):
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(lazy_gettext("Enter your password."))]
    )
    next = HiddenField()


def form_of_this_person(**values: str) -> ConfirmForm:
    form = ConfirmForm(request.form, **values)
    form.for_person(person().id)
    return form


@blueprint.route("/confirm", methods=["GET", "POST"])
@login_required
def confirm() -> str | Response | tuple[str, int, dict[str, str]]:
    form = form_of_this_person(next=request.args.get("next", ""))
    if request.method != "POST":
        return show(form)
    if refusal := _refusal(form):
        return show(form), *refusal
    return confirmed(form, form.factor if form.has_factor else None)


def _refusal(form: ConfirmForm) -> Refusal | None:
    """Check the password, and the code of who has a second factor. None if they are right."""
    if not form.validate():
        return 422, {}
    if refusal := with_password(form.password):
        return refusal
    if not form.has_factor:
        return None
    return typed_codes.check(form, person(), known_device.id_of_user(person()), wrong=422)


def show(form: ConfirmForm, **more: object) -> str:
    mine = passkeys.of_person(person().id)
    return render_template(
        "auth/confirm.html",
        form=form,
        has_passkey=any(key.host == host() for key in mine),
        **more,
    )


def confirmed(form: ConfirmForm, factor: str | None) -> Response:
    """Store that the person has proved who they are, and lead on to where they were going."""
    current_session.renew(confirmed=True)
    event("confirmed", person=person().opaque_id, factor=factor)
    return redirect(own_path(form.next.data) or url_for("auth.account"), 303)
