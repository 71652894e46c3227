"""Whether a person gets mails about their banks: two switches, and the link in such a mail."""

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import login_required
from werkzeug import Response

from plaidapp.csrf import csrf
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx
from plaidapp.store import User
from plaidapp.store.people import activity, preferences, users

from . import account_page, stop_links
from .access import person
from .blueprint import blueprint

TOPICS = ("banks", "checks")


@blueprint.post("/mails")
@login_required
def choose_mails() -> str | Response:
    """Turn the mails about one topic on or off."""
    topic, is_on = request.form.get("about"), request.form.get("mails") == "on"
    if topic not in TOPICS:
        abort(422)
    _set(person(), **{topic: is_on})
    sentence = _sentence(topic, is_on=is_on)
    if is_htmx():
        return account_page.render(sentence=sentence)
    flash(sentence)
    return redirect(url_for("auth.account", _anchor="bank-mails"), 303)


def _sentence(topic: str, *, is_on: bool) -> str:
    if topic == "checks":
        if is_on:
            return gettext("You get a mail when a check finds a difference.")
        return gettext("You get no mail about checks.")
    return (
        gettext("You get a mail when a bank needs you.")
        if is_on
        else gettext("You get no mail when a bank needs you.")
    )


@blueprint.route("/mails/stop/<stop_token>", methods=["GET", "POST"])
@csrf.exempt
def stop_mails(stop_token: str) -> Response:
    """A page with a button. A mail program posts here too: without a log-in or a CSRF token, for
    which the token in the address stands."""
    user = stop_links.person_of(stop_token)
    if user and request.method == "POST":
        _set(user, banks=False, checks=False)
    answer = make_response(
        render_template("auth/stop_mails.html", user=user, is_done=request.method == "POST"),
        200 if user else 404,
    )
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _set(user: User, **topics: bool) -> None:
    before = user.bank_mails, user.check_mails
    preferences.set_mails(user, **topics)
    if (user.bank_mails, user.check_mails) != before:
        activity.note(user.id, activity.Kind.BANK_MAILS_CHANGED)
        event("bank_mails_changed", person=users.opaque_id_of(user))
    db.session.commit()
