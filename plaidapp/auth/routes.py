"""The pages for signing up and logging in."""

from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from plaidapp.addresses import own_path
from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.people import time_zones, users

from . import current_session, passwords
from .blueprint import blueprint
from .forms import LogInForm, SignUpForm

Answer = str | Response | tuple[str, int]
WRONG_PAIR = lazy_gettext("This username and password don't match.")


@blueprint.route("/signup", methods=["GET", "POST"])
def signup() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("finance.dashboard"))
    form = SignUpForm(request.form)
    if request.method != "POST":
        return render_template("auth/signup.html", form=form)
    if form.validate() and (user := _create(form)):
        current_session.start(user, kept=False)
        return redirect(url_for("finance.dashboard"))
    return render_template("auth/signup.html", form=form), 422


def _create(form: SignUpForm) -> User | None:
    """Return None, with a sentence in the form, if somebody else just took the same name."""
    db.session.commit()  # hashing takes a while, so no transaction stays open
    password_hash = passwords.hash_password(form.password.data)
    # A browser may know zones that this machine doesn't, and nobody has to know a zone's name.
    known = form.time_zone.data in time_zones.names()
    time_zone = form.time_zone.data if known else time_zones.UTC
    user = users.add(form.username.data, form.email.data, password_hash, time_zone)
    try:
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
    user = users.by_name(form.username.data)
    db.session.commit()  # hashing takes a while, so no transaction stays open
    password = form.password.data[: passwords.LONGEST + 1]
    matched = passwords.matches(user.password_hash if user else None, password)
    if user is None or not matched:
        return render_template("auth/login.html", form=form, problem=str(WRONG_PAIR)), 401
    current_session.start(user, kept=form.keep.data)
    return redirect(own_path(form.next.data) or url_for("finance.dashboard"))
