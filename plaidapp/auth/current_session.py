"""The log-in session of the request: begin it, look it up, end it.

Flask's signed cookie names the person and has the token of their session. Neither counts before
`load` has found the open row that the token belongs to (store/people/login_sessions.py).
"""

from ipaddress import ip_address

from flask import Flask, g, has_request_context, request, session
from flask_login import login_user, logout_user

from plaidapp.events import event
from plaidapp.extensions import db, login
from plaidapp.store import User
from plaidapp.store.people import activity, known_devices, login_sessions, stored_passwords, users
from plaidapp.store.people.activity import Device, Kind
from plaidapp.store.people.login_sessions import OpenSession

from .access import LAST_MOMENT, LOGIN, claim, person
from .user_agents import browser_and_system


def init_app(app: Flask) -> None:
    login.user_loader(load)
    # The default would end the session of a phone that changes its network.
    login.session_protection = None
    app.before_request(lambda: activity.comes_from(_device))
    app.teardown_request(_note_use)


def _device() -> Device:
    """Return what causes the activity of this request: not the program that sends webhooks."""
    if not has_request_context() or request.blueprint == "webhooks":
        return activity.NO_DEVICE
    return Device(*browser_and_system(request.user_agent.string))


def start(user: User, device: str, *, kept: bool, how: Kind = Kind.LOGGED_IN) -> None:
    """Begin a session on this device, and store both.

    Nothing that was planted in the cookie before survives. Nothing begins if the person's password
    was changed while this log-in was under way.
    """
    session.clear()
    if stored_passwords.lock(user.id) != user.password_hash:
        return
    browser, system = browser_and_system(request.user_agent.string)
    token, last_moment = login_sessions.add(
        user.id, browser, system, _address(), kept=kept, device=device
    )
    known_devices.add(user.id, device)
    activity.note(user.id, how)
    db.session.commit()
    login_user(user)
    session.permanent = kept  # otherwise the browser forgets it when it is closed
    session[LOGIN], session[LAST_MOMENT] = token, last_moment.timestamp()


def renew(*, confirmed: bool) -> None:
    """Give the session a new token. If `confirmed`, the person has just proved who they are."""
    session[LOGIN] = login_sessions.renew(current().id, person().id, confirmed=confirmed)
    db.session.commit()


def end() -> None:
    """End the session of the cookie, and store that. Copies of the cookie are refused from now."""
    if claimed := claim():
        login_sessions.end(claimed)
        db.session.commit()
    logout_user()
    session.clear()
    g.is_logged_out = True  # the browser then forgets what it keeps of this site: see security


def load(_user_id: str) -> User | None:
    """Return the person whose open session the cookie names. Flask-Login calls it."""
    claimed = claim()
    found = login_sessions.find(claimed) if claimed else None
    if found is None:
        if claimed:  # signed by us, so it is the cookie of a session that has ended
            event("session_refused", person=users.opaque_id(claimed.user_id))
        return None
    user, g.login_session = found
    return user


def current() -> OpenSession:
    """Return the session of this request. Only for routes that require a log-in."""
    found: OpenSession = g.login_session
    return found


def device() -> str | None:
    """Return the id of this browser as a known device; None in a session of an older version."""
    stored = login_sessions.owned(current().id, person().id)
    return stored.device if stored else None


def _note_use(_error: BaseException | None) -> None:
    """Store when the session was last seen. The request's own transaction is over then.

    A poll doesn't move the end of the session: nobody may be in front of a page that is open. A
    poll that brings something is seen all the same, so that a copied cookie reads nothing unseen.
    """
    seen: OpenSession | None = g.get("login_session")
    if seen is None:
        return
    is_use = "revision" not in request.args
    if not seen.is_noted(is_use=is_use):
        db.session.remove()
        login_sessions.note(seen, _address(), is_use=is_use)


def _address() -> str:
    try:
        return str(ip_address(request.remote_addr or ""))
    except ValueError:  # such as that of a Unix socket
        return ""
