"""The pages for signing up and logging in."""

import math
from collections.abc import Callable
from typing import TypeVar

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from plaidapp import policy
from plaidapp.addresses import own_path
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.jobs import test_data
from plaidapp.store import User
from plaidapp.store.people import activity, stored_passwords, time_zones, users
from plaidapp.store.people.credentials import Credentials, credentials_of

from . import known_device, mails, passwords, throttle
from .blueprint import blueprint
from .forms import LogInForm, SignUpForm
from .log_in import let_in, let_in_first

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
Form = TypeVar("Form", bound=TextForm)
BUSY = lazy_gettext("Many people are logging in right now. Try again in a few seconds.")
WRONG_PAIR = lazy_gettext("This username and password don’t match.")


@blueprint.route("/signup", methods=["GET", "POST"])
def signup() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("finance.dashboard"))
    form = SignUpForm(request.form)
    if request.method != "POST":
        return render_template("auth/signup.html", form=form)
    return _in_turn("auth/signup.html", form, _sign_up)


def _sign_up(form: SignUpForm) -> Answer:
    attempt = throttle.sign_up()
    if attempt.refused:
        event("signup_refused", wait=attempt.seconds)
        return _too_soon("auth/signup.html", form, attempt)
    if form.validate() and (user := _create(form)):
        event("signup", person=users.opaque_id_of(user))
        if "test_data" in request.form and may_try():
            test_data.begin(user.id)
        return let_in_first(user, url_for("finance.dashboard"))
    if not form.tells_who_is_here:
        attempt.forgive()
    return render_template("auth/signup.html", form=form), 422


@blueprint.app_template_global()
def may_try() -> bool:
    """Can somebody who signs up look at test data at once?"""
    config = current_app.config["PLAIDAPP"]
    return bool(config.plaid_env == "sandbox" and not config.require_second_factor)


def _create(form: SignUpForm) -> User | None:
    """Return None, with a sentence in the form, if somebody else just took the same name."""
    db.session.commit()  # hashing takes a while, so no transaction stays open
    password_hash = passwords.hash_password(form.password.data)
    # A browser may know zones that this machine doesn't, and nobody has to know a zone's name.
    known = form.time_zone.data in time_zones.names()
    time_zone = form.time_zone.data if known else time_zones.UTC
    name, email, must_confirm = form.username.data, form.email.data, mails.proves_addresses()
    is_mailed = must_confirm and not throttle.confirmation_mail(email).refused
    user = users.add(name, email, password_hash, time_zone, email_counts=not must_confirm)
    try:
        db.session.flush()
        activity.note(user.id, activity.Kind.SIGNED_UP)
        if is_mailed:
            mails.ask_to_confirm(user, email, "confirm")
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        form.validate()  # now it finds which of the two is taken
        return None
    return user


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("finance.dashboard"))
    form = LogInForm(request.form, next=request.args.get("next", ""))
    if request.method != "POST":
        return render_template("auth/login.html", form=form)
    if not form.validate():
        return render_template("auth/login.html", form=form), 422
    return _in_turn("auth/login.html", form, _log_in)


def _log_in(form: LogInForm) -> Answer:
    credentials = credentials_of(form.username.data)
    device = known_device.id_of(credentials)
    db.session.commit()  # hashing takes a while, so no transaction stays open
    attempt = throttle.log_in(form.username.data, credentials, device)
    if not attempt.refused and (user := _checked(form.password.data, credentials)):
        attempt.forgive()
        target = own_path(form.next.data) or url_for("finance.dashboard")
        return let_in(user, target, kept=form.keep.data, device=device)
    event(
        "login_refused" if attempt.refused else "login_wrong",
        person=credentials.opaque_id if credentials else None,
        device="known" if device else "new",
        wait=attempt.seconds,
    )
    if not attempt.refused:
        activity.jot_again(credentials and credentials.id, activity.Kind.WRONG_PASSWORD)
    if attempt.wait:
        return _too_soon("auth/login.html", form, attempt)
    return render_template("auth/login.html", form=form, problem=str(WRONG_PAIR)), 401


def _checked(password: str, credentials: Credentials | None) -> User | None:
    """Return the person of `credentials` if it is their password."""
    known = credentials.password_hash if credentials else None
    if not passwords.matches(known, password[: passwords.LONGEST + 1]):
        return None
    user = users.by_id(credentials.id) if credentials else None
    if user is None or user.password_hash != known:  # it was changed at this moment
        return None
    if passwords.is_outdated(user.password_hash):
        stored_passwords.rehash(user, passwords.hash_password(password))
        db.session.commit()
    return user


def _in_turn(template: str, form: Form, work: Callable[[Form], Answer]) -> Answer:
    """Do work that hashes a password. Nothing is counted or stored if too many others do."""
    try:
        with passwords.place():
            return work(form)
    except passwords.BusyError:
        page = render_template(template, form=form, problem=str(BUSY))
        return page, 503, {"Retry-After": str(math.ceil(policy.PASSWORD_PATIENCE))}


def _too_soon(template: str, form: TextForm, attempt: throttle.Try) -> Answer:
    """Say when to try again. A guess that was wrong and one that nobody looked at read alike."""
    page = render_template(template, form=form, wait=attempt.wait)
    return page, 429, {"Retry-After": str(attempt.seconds)}
