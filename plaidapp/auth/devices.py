"""The devices on which a person is logged in, and how to log them out."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, url_for
from flask_babel import gettext
from flask_login import current_user, login_required
from werkzeug import Response

from plaidapp import htmx, policy
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx, notice
from plaidapp.store import LoginSession
from plaidapp.store.people import activity, known_devices, login_sessions

from . import current_session
from .access import owned_or_404, person
from .blueprint import blueprint
from .confirmation import needs_confirmation
from .user_agents import device_name

Answer = str | Response


def context() -> dict[str, Any]:
    """Return what the list of devices shows, this device first."""
    this_device = current_session.current().id
    devices = login_sessions.of_person(person().id)
    return {
        "devices": sorted(devices, key=lambda device: device.id != this_device),
        "this_device": this_device,
        "name_of": name_of,
        "hours": policy.SESSION_IDLE // timedelta(hours=1),
        "days": policy.KEPT_SESSION_IDLE.days,
    }


def name_of(device: LoginSession) -> str:
    """Such as "Firefox on macOS"."""
    return device_name(device.browser, device.system) or gettext("Unknown device")


@blueprint.post("/sessions/<int:login_id>/revoke")
@login_required
def revoke(login_id: int) -> Answer:
    """Log out one device, and forget it. For this one it is the same as *Log out*."""
    ended = owned_or_404(login_sessions.owned, login_id)
    return log_out() if ended.id == current_session.current().id else _log_out_other(ended)


@needs_confirmation
def _log_out_other(ended: LoginSession) -> Answer:
    if ended.device and ended.device != current_session.device():
        known_devices.forget(person().id, ended.device)
    db.session.delete(ended)
    activity.note(person().id, activity.Kind.DEVICE_LOGGED_OUT, name_of(ended))
    event("logout_device", person=person().opaque_id)
    return _answer(gettext("%(device)s is logged out.", device=name_of(ended)))


@blueprint.post("/sessions/revoke")
@needs_confirmation
def revoke_others() -> Answer:
    known_devices.forget_others(person().id, current_session.device())
    login_sessions.end_others(person().id, current_session.current().id)
    activity.note(person().id, activity.Kind.OTHERS_LOGGED_OUT)
    event("logout_others", person=person().opaque_id)
    return _answer(gettext("You are logged out everywhere else."))


@blueprint.post("/logout", endpoint="logout")
def log_out() -> Response:
    if current_user.is_authenticated:
        activity.note(person().id, activity.Kind.LOGGED_OUT)
        event("logout", person=person().opaque_id)
    current_session.end()
    flash(gettext("Logged out successfully."))
    log_in = url_for("auth.login")
    return htmx.redirect(log_in) if is_htmx() else redirect(log_in)


def _answer(sentence: str) -> Response:
    """Say what happened. For HTMX, the list of devices then loads itself anew."""
    db.session.commit()
    if is_htmx():
        response = notice(sentence, 200)
        response.headers["HX-Trigger"] = "devices-changed"
        return response
    flash(sentence)
    return redirect(url_for("auth.account"))
