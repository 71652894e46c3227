"""The person's account: the devices on which they are logged in, and how to log them out."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_login import current_user, login_required
from werkzeug import Response

from plaidapp import htmx, policy
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx, notice
from plaidapp.store import LoginSession
from plaidapp.store.people import known_devices, login_sessions

from . import current_session
from .access import owned_or_404, person
from .blueprint import blueprint

Answer = str | Response


@blueprint.get("/account")
@login_required
def account() -> str:
    """The page; for HTMX only the list of devices."""
    this_device = current_session.current().id
    devices = login_sessions.of_person(person().id)
    template = "_devices.html" if is_htmx() else "account.html"
    return render_template(
        f"auth/{template}",
        devices=sorted(devices, key=lambda device: device.id != this_device),
        this_device=this_device,
        is_reloaded=is_htmx(),
        name_of=name_of,
        hours=policy.SESSION_IDLE // timedelta(hours=1),
        days=policy.KEPT_SESSION_IDLE.days,
    )


def name_of(device: LoginSession) -> str:
    """Such as "Firefox on macOS"."""
    browser, system = device.browser, device.system
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or gettext("Unknown device")


@blueprint.post("/sessions/<int:login_id>/revoke")
@login_required
def revoke(login_id: int) -> Answer:
    """Log out one device, and forget it. For this one it is the same as *Log out*."""
    ended = owned_or_404(login_sessions.owned, login_id)
    if ended.id == current_session.current().id:
        return log_out()
    if ended.device and ended.device != _this_device():
        known_devices.forget(person().id, ended.device)
    db.session.delete(ended)
    event("logout_device", person=person().opaque_id)
    return _answer(gettext("%(device)s is logged out.", device=name_of(ended)))


@blueprint.post("/sessions/revoke")
@login_required
def revoke_others() -> Answer:
    known_devices.forget_others(person().id, _this_device())
    login_sessions.end_others(person().id, current_session.current().id)
    event("logout_others", person=person().opaque_id)
    return _answer(gettext("You are logged out everywhere else."))


@blueprint.post("/logout", endpoint="logout")
def log_out() -> Response:
    if current_user.is_authenticated:
        event("logout", person=person().opaque_id)
    current_session.end()
    flash(gettext("Logged out successfully."))
    log_in = url_for("auth.login")
    return htmx.redirect(log_in) if is_htmx() else redirect(log_in)


def _this_device() -> str | None:
    session = login_sessions.owned(current_session.current().id, person().id)
    return session.device if session else None


def _answer(sentence: str) -> Response:
    """Say what happened. For HTMX, the list of devices then loads itself anew."""
    db.session.commit()
    if is_htmx():
        response = notice(sentence, 200)
        response.headers["HX-Trigger"] = "devices-changed"
        return response
    flash(sentence)
    return redirect(url_for("auth.account"))
