"""Log in with a passkey, and confirm with one that it's the person."""

from flask import redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug import Response

from plaidapp.addresses import own_path
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.people import passkeys

from .. import confirm_page, known_device
from ..access import person
from ..blueprint import blueprint
from ..forms import LogInForm
from ..log_in import PASSKEY, complete
from . import asking
from .challenges import PasskeyError

Answer = str | Response | tuple[str, int]
LOG_IN = "log in"


@blueprint.get("/login/passkey.json")
def passkey_for_log_in() -> Response:
    return asking.options(LOG_IN)


@blueprint.post("/login/passkey")
def log_in_with_passkey() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("finance.dashboard"))
    form = LogInForm(request.form)
    try:
        passkey = asking.check(request.form.get("credential", ""), LOG_IN)
    except PasskeyError as error:
        event("login_wrong", factor="passkey")
        return render_template("auth/login.html", form=form, problem=str(error)), 401
    user = db.session.get_one(User, passkey.user_id)
    target = own_path(form.next.data) or url_for("finance.dashboard")
    device = known_device.id_of_user(user)
    return complete(user, target, kept=form.keep.data, device=device, factor=PASSKEY)


@blueprint.get("/confirm/passkey.json")
@login_required
def passkey_for_confirmation() -> Response:
    return asking.options(_purpose(), passkeys.of_person(person().id))


@blueprint.post("/confirm/passkey")
@login_required
def confirm_with_passkey() -> Answer:
    form = confirm_page.form_of_this_person()
    try:
        asking.check(request.form.get("credential", ""), _purpose(), person().id)
    except PasskeyError as error:
        event("confirmation_wrong", person=person().opaque_id, factor="passkey")
        return confirm_page.show(form, problem=str(error)), 422
    return confirm_page.confirmed(form, PASSKEY)


def _purpose() -> str:
    return f"confirm {person().id}"
