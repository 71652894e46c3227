"""The second step of a log-in: a code, a recovery code or a passkey."""

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug import Response
from wtforms import StringField

from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.store.people import activity, factors, passkeys, recovery_codes
from plaidapp.store.people.activity import Kind

from .. import half_log_in, mails, throttle
from ..blueprint import blueprint
from ..half_log_in import HalfLogIn
from ..log_in import PASSKEY, complete
from ..passkeys import asking, challenges
from ..passkeys.challenges import PasskeyError
from . import codes

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
LONGEST = 64  # characters of a code that are looked at
NO_CODE = lazy_gettext("Enter a code.")
WRONG_CODE = lazy_gettext("This code is wrong, or it was used before.")
TOO_LATE = lazy_gettext("That took too long, or your log-in has changed. Log in again.")


class StepForm(TextForm):
    code = StringField(lazy_gettext("Code from your authenticator app"))
    recovery_code = StringField(lazy_gettext("Recovery code"))


@blueprint.route("/second-factor", methods=["GET", "POST"])
def second_factor() -> Answer:
    half = half_log_in.find()
    if half is None or current_user.is_authenticated:
        return _elsewhere()
    form = StepForm(request.form)
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


def _page(half: HalfLogIn, form: StepForm, **more: object) -> str:
    keys = passkeys.of_person(half.user.id)
    return render_template(
        "auth/second_factor.html",
        form=form,
        name=half.user.username,
        has_app=factors.of_person(half.user.id).app,
        has_passkey_here=any(key.host == challenges.host() for key in keys),
        other_hosts=sorted({key.host for key in keys} - {challenges.host()}),
        **more,
    )


def _with_passkey(half: HalfLogIn, form: StepForm) -> Answer:
    try:
        asking.check(request.form["credential"], _purpose(half), half.user.id)
    except PasskeyError as error:
        event("second_factor_wrong", person=half.user.opaque_id, factor="passkey")
        return _page(half, form, problem=str(error)), 401
    return _let_in(half, PASSKEY)


def _with_code(half: HalfLogIn, form: StepForm) -> Answer:
    code, recovery_code = form.code.data or "", form.recovery_code.data or ""
    if not (code.strip() or recovery_code.strip()):
        form.code.errors = [str(NO_CODE)]
        return _page(half, form), 422
    attempt = throttle.code(half.user.id, half.device)
    if not attempt.refused:
        if code and codes.check(half.user.id, code[:LONGEST]):
            attempt.forgive()
            return _let_in(half, "code")
        if recovery_code and recovery_codes.use(half.user.id, recovery_code[:LONGEST]):
            attempt.forgive()
            _note_recovery_code(half)
            return _let_in(half, "recovery code")
        activity.note_again(half.user.id, Kind.WRONG_CODE)
        db.session.commit()
    event("second_factor_wrong", person=half.user.opaque_id, wait=attempt.seconds)
    if attempt.wait:
        page = _page(half, form, wait=attempt.wait)
        return page, 429, {"Retry-After": str(attempt.seconds)}
    (form.code if code else form.recovery_code).errors = [str(WRONG_CODE)]
    return _page(half, form), 401


def _note_recovery_code(half: HalfLogIn) -> None:
    left = recovery_codes.left(half.user.id)
    activity.note(half.user.id, Kind.RECOVERY_CODE_USED, str(left))
    mails.tell_of_change(half.user, Kind.RECOVERY_CODE_USED, str(left))


def _let_in(half: HalfLogIn, factor: str) -> Response:
    if not half.use_up():
        db.session.rollback()
        return _elsewhere()
    user, device = half.user, half.device
    return complete(user, half.target, kept=half.kept, device=device, factor=factor)


def _purpose(half: HalfLogIn) -> str:
    return f"second factor {half.token}"
