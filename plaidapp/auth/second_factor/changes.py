"""What follows when the factors of the person who is logged in change."""

from flask import current_app, flash, redirect, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp import htmx
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store.people import activity, factors, login_sessions, recovery_codes, users
from plaidapp.store.people.activity import Kind
from plaidapp.store.people.factors import Factors

from .. import current_session, mails
from ..access import person


def lock() -> None:
    """Let nobody else change what opens the account until the commit, and read it again."""
    users.lock_clicks(person().id)
    db.session.refresh(person())


def note(kind: Kind, detail: str = "") -> None:
    """Note what has changed, for the person and for the operator, and mail it to the person."""
    activity.note(person().id, kind, detail)
    if kind != Kind.PASSKEY_RENAMED:
        mails.tell_of_change(person(), kind, detail)
    event(kind, person=person().opaque_id)


def note_added(kind: Kind, detail: str = "") -> list[str]:
    """Return recovery codes to show, if the person has none.

    So it is with the first factor. All other sessions end then: they never needed one.
    """
    note(kind, detail)
    if recovery_codes.left(person().id):
        return []
    end_other_sessions()
    return recovery_codes.renew(person().id)


def note_removed(kind: Kind, detail: str = "") -> None:
    """End all other sessions, and the recovery codes if no factor is left."""
    note(kind, detail)
    end_other_sessions()
    if not factors.of_person(person().id):
        recovery_codes.remove(person().id)


def end_other_sessions() -> None:
    login_sessions.end_others(person().id, current_session.current().id)


def problem_with(left: Factors) -> str | None:
    """Return a sentence about why the person can't have only these factors, or None."""
    if not left.passkeys and not person().has_password:
        return gettext("This passkey is the only way into your account. Set a password first.")
    if not left and is_required():
        return gettext("This site requires a second factor. Add another one before you remove it.")
    return None


def is_required() -> bool:
    """Has the operator set REQUIRE_SECOND_FACTOR?"""
    required: bool = current_app.config["PLAIDAPP"].require_second_factor
    return required


def done(sentence: str) -> Response:
    """Commit, and say on the page of the factors what has changed."""
    db.session.commit()
    flash(sentence)
    page = url_for("auth.factors")
    return htmx.redirect(page) if htmx.is_htmx() else redirect(page, 303)
