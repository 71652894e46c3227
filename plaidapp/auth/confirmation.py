"""Ask who it is before anything dangerous: somebody may sit at a computer that is not theirs.

A log-in or a confirmation of the last ten minutes counts (policy.CONFIRMATION_LASTS). It takes all
that a log-in takes: who has a second factor needs it here too, or whoever has their password and an
open page could turn it off. A form that carries the password needs no second step: its view calls
`with_password`.
"""

import math
from collections.abc import Callable
from functools import wraps
from pathlib import PurePosixPath
from typing import ParamSpec, TypeVar, cast

from flask import current_app, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import login_required
from werkzeug import Response
from werkzeug.exceptions import HTTPException
from wtforms import Field

from plaidapp import htmx, policy
from plaidapp.days import wait
from plaidapp.events import event
from plaidapp.extensions import READ_ONLY_METHODS, db
from plaidapp.store.people import activity, factors, users
from plaidapp.store.people.credentials import Credentials

from . import current_session, known_device, passwords, throttle
from .access import person

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
Refusal = tuple[int, dict[str, str]]
"""The status and the headers of the answer to a form whose password was not accepted."""
WRONG = lazy_gettext("This is not your password.")
BUSY = lazy_gettext("Many people are logging in right now. Try again in a few seconds.")


def needs_confirmation(
    view: Callable[Parameters, Answer],
) -> Callable[Parameters, Answer | Response]:
    """Let the view answer only if the person has proved a short while ago who they are.

    Otherwise nothing changes, and the browser goes to the page that asks. From there it goes on to
    this page, or after a POST to the page above it that has the form.
    """

    @wraps(view)
    def confirmed(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer | Response:
        if current_session.current().is_confirmed:
            return view(*args, **kwargs)
        ask = url_for("auth.confirm", next=_page())
        return htmx.redirect(ask) if htmx.is_htmx() else redirect(ask, 303)

    return cast(Callable[Parameters, Answer | Response], login_required(confirmed))


def _page() -> str:
    """Return the page to show after the confirmation: this one, or the one with the form."""
    if request.method in READ_ONLY_METHODS:
        return request.full_path.rstrip("?")
    pages = [request.path, *map(str, PurePosixPath(request.path).parents[:-1])]
    return next(filter(_is_shown, pages), url_for("auth.account"))


def _is_shown(path: str) -> bool:
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return False
    return True


def password_is_enough() -> bool:
    """Does the password alone prove who this person is? Not if they have a second factor."""
    return person().has_password and not factors.of_person(person().id)


def needs_confirmation_without_password(
    view: Callable[Parameters, Answer],
) -> Callable[Parameters, Answer | Response]:
    """As `needs_confirmation`, for a view whose form carries the password of who has one."""

    @wraps(view)
    def asked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer | Response:
        of_this_person = view if person().has_password else needs_confirmation(view)
        return of_this_person(*args, **kwargs)

    return cast(Callable[Parameters, Answer | Response], login_required(asked))


def with_password(field: Field) -> Refusal | None:
    """Check the person's password in `field`, throttled like a log-in. None if it is right.

    Otherwise the field has a sentence for the person, and nothing else is to happen. Commits. Call
    `form.validate()` before.
    """
    try:
        with passwords.place():
            return _checked(field)
    except passwords.BusyError:
        return _refused(field, str(BUSY), 503, math.ceil(policy.PASSWORD_PATIENCE))


def _checked(field: Field) -> Refusal | None:
    me = Credentials(person().id, person().password_hash, users.opaque_id_of(person()))
    device = known_device.id_of(me)
    db.session.commit()  # hashing takes a while, so no transaction stays open
    attempt = throttle.guess(me, device)
    given = field.data[: passwords.LONGEST + 1]
    if not attempt.refused and passwords.matches(me.password_hash, given):
        attempt.forgive()
        return None
    if not attempt.refused:
        activity.jot_again(me.id, activity.Kind.WRONG_PASSWORD)
    event("confirmation_wrong", person=me.opaque_id, wait=attempt.seconds)
    if attempt.wait:
        sentence = gettext(
            "There were too many wrong log-ins. Try again in %(wait)s.", wait=wait(attempt.wait)
        )
        return _refused(field, sentence, 429, attempt.seconds)
    field.errors = [str(WRONG)]
    return 422, {}


def _refused(field: Field, sentence: str, status: int, seconds: int) -> Refusal:
    field.errors = [sentence]
    return status, {"Retry-After": str(seconds)}
