"""The second step of a log-in: a code, a recovery code or a passkey."""

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug import Response

from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store.people import passkeys

from .. import half_log_in
from ..blueprint import blueprint
from ..half_log_in import HalfLogIn
from ..log_in import PASSKEY, complete
from ..passkeys import asking, challenges
from ..passkeys.challenges import PasskeyError
from . import typed_codes
from .typed_codes import CodesForm

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
TOO_LATE = lazy_gettext("That took too long, or your log-in has changed. Log in again.")


@blueprint.route("/second-factor", methods=["GET", "POST"])
def second_factor() -> Answer:
    half = half_log_in.find()
    if half is None or current_user.is_authenticated:
        return _elsewhere()
    form = CodesForm(request.form)
    form.for_person(half.user.id)
    if request.method != "POST":
        return _page(half, form)
    if request.form.get("credential"):
        return _with_passkey(half, form)
    return _with_code(half, form)


@blueprint.get("/second-factor/passkey.json")
def passkey_for_second_factor() -> Response:
    half = half_log_in.find()
    if half is None:
        if current_user.is_authenticated:
            return _elsewhere()
        abort(401, description=str(TOO_LATE))
    return asking.options(_purpose(half), passkeys.of_person(half.user.id))


def _elsewhere() -> Response:
    """Leave the page: the person is in, or has to begin again."""
    if current_user.is_authenticated:
        return redirect(url_for("finance.dashboard"))
    if session.pop(half_log_in.KEY, None):
        flash(str(TOO_LATE))
    return redirect(url_for("auth.login"))


def _page(half: HalfLogIn, form: CodesForm, **more: object) -> str:
    keys = passkeys.of_person(half.user.id)
    return render_template(
        "auth/second_factor.html",
        form=form,
        name=half.user.username,
        has_passkey_here=any(key.host == challenges.host() for key in keys),
        other_hosts=sorted({key.host for key in keys} - {challenges.host()}),
        **more,
    )


def _with_passkey(half: HalfLogIn, form: CodesForm) -> Answer:
    try:
        asking.check(request.form["credential"], _purpose(half), half.user.id)
    except PasskeyError as error:
        event("second_factor_wrong", person=half.user.opaque_id, factor="passkey")
        return _page(half, form, problem=str(error)), 401
    return _let_in(half, PASSKEY)


def _with_code(half: HalfLogIn, form: CodesForm) -> Answer:
    if refusal := typed_codes.check(form, half.user, half.device, wrong=401):
        return _page(half, form), *refusal
    return _let_in(half, form.factor)


def _let_in(half: HalfLogIn, factor: str) -> Response:
    if not half.use_up():
        db.session.rollback()
        return _elsewhere()
    user, device = half.user, half.device
    return complete(user, half.target, kept=half.kept, device=device, factor=factor)


def _purpose(half: HalfLogIn) -> str:
    return f"second factor {half.token}"
