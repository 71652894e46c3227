"""The page with the address from which calendar programs read the recurring payments.

Whoever has the address can read them without logging in. So to see it takes a confirmation, and it
ends when the person asks for a new one or turns it off.
"""

from typing import cast

from cryptography.fernet import InvalidToken
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx
from plaidapp.sealing import Cipher
from plaidapp.store import CalendarFeed
from plaidapp.store.people import activity, calendar_feeds, users
from plaidapp.store.people.activity import Kind

from .access import person
from .blueprint import blueprint
from .confirmation import needs_confirmation

Answer = str | Response


@blueprint.get("/calendar")
@needs_confirmation
def calendar() -> Answer:
    return _shown("calendar.html")


@blueprint.post("/calendar/new")
@needs_confirmation
def new_calendar_address() -> Answer:
    """Turn the calendar on, or end its address and make another one."""
    calendar_feeds.renew(person().id, _cipher())
    return _changed(Kind.CALENDAR_ADDRESS_MADE, gettext("Your calendar has a new address."))


@blueprint.post("/calendar/off")
@needs_confirmation
def turn_calendar_off() -> Answer:
    if not calendar_feeds.end(person().id):
        return _answer(gettext("Your calendar is off."))
    return _changed(Kind.CALENDAR_TURNED_OFF, gettext("Your calendar is off: its address ended."))


@blueprint.post("/calendar/amounts")
@needs_confirmation
def choose_calendar_amounts() -> Answer:
    shown = request.form.get("amounts") == "shown"
    calendar_feeds.set_amounts(person().id, shown=shown)
    db.session.commit()
    if shown:
        return _answer(gettext("Your calendar shows amounts."))
    return _answer(gettext("Your calendar leaves amounts out."))


def _changed(kind: Kind, sentence: str) -> Answer:
    activity.note(person().id, kind)
    event(kind.value, person=users.opaque_id_of(person()))
    db.session.commit()
    return _answer(sentence)


def _answer(sentence: str) -> Answer:
    if is_htmx():
        return _shown("_calendar.html", sentence=sentence)
    flash(sentence)
    return redirect(url_for("auth.calendar"), 303)


def _shown(template: str, sentence: str = "") -> str:
    feed = calendar_feeds.of_person(person().id)
    return render_template(
        f"auth/{template}", feed=feed, address=feed and _address_of(feed), sentence=sentence
    )


def _address_of(feed: CalendarFeed) -> str | None:
    """Return the address; None if the key that its token was encrypted with is gone."""
    try:
        token = _cipher().decrypt(feed.token)
    except InvalidToken:
        return None
    site = current_app.config["PLAIDAPP"].public_url or request.host_url.rstrip("/")
    return f"{site}{url_for('calendar.feed', token=token)}"


def _cipher() -> Cipher:
    return cast(Cipher, current_app.extensions["cipher"])
