"""A forgotten password: a link in a mail leads to a page for a new one.

Nothing tells whether anybody has an email address: the page answers before that is looked up
(plaidapp/jobs/mail/addressee.py).
"""

import math

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug import Response
from wtforms import Field, PasswordField
from wtforms.validators import InputRequired

from plaidapp import policy
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.store import MailLink, User
from plaidapp.store.people import mail_links, users

from . import current_session, mails, password_change, passwords, throttle
from .blueprint import blueprint
from .confirmation import BUSY
from .forms import ADVICE, EmailForm, judge
from .mail_link_pages import dead, opens

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


class NewPasswordForm(TextForm):
    owner: User
    password = PasswordField(
        lazy_gettext("New password"),
        description=ADVICE,
        validators=[InputRequired(lazy_gettext("Choose a new password."))],
    )

    def validate_password(self, field: Field) -> None:
        judge(field, self.owner.username, self.owner.email)


@blueprint.route("/forgot", methods=["GET", "POST"])
def forgot() -> Answer:
    form = EmailForm(request.form)
    if not mails.can_send_links():
        return _asked(form, 503 if request.method == "POST" else 200, is_off=True)
    if request.method != "POST":
        return _asked(form, 200)
    if not form.validate():
        return _asked(form, 422)
    attempt = throttle.reset(str(form.email.data))
    if attempt.refused:
        event("reset_refused", wait=attempt.seconds)
        seconds = {"Retry-After": str(attempt.seconds)}
        return *_asked(form, 429, wait=attempt.wait), seconds
    mails.send_reset_link(str(form.email.data))
    db.session.commit()
    event("reset_asked")
    return _asked(form, 200, is_sent=True)


def _asked(form: EmailForm, status: int, **shown: object) -> tuple[str, int]:
    minutes = int(policy.RESET_LINK_LIFE.total_seconds() // 60)
    shown |= {"minutes": minutes, "proves_addresses": mails.proves_addresses()}
    return render_template("auth/forgot.html", form=form, **shown), status


@blueprint.route("/reset/<reset_token>", methods=["GET", "POST"])
@opens(mail_links.RESET)
def reset(link: MailLink, user: User) -> Answer:
    form = NewPasswordForm(request.form)
    form.owner = user
    if request.method != "POST":
        return render_template("auth/reset.html", form=form, user=user)
    if not form.validate():
        return render_template("auth/reset.html", form=form, user=user), 422
    db.session.commit()  # hashing takes a while, so no transaction stays open
    try:
        with passwords.place():
            password_hash = passwords.hash_password(form.password.data)
    except passwords.BusyError:
        form.password.errors = [str(BUSY)]
        page = render_template("auth/reset.html", form=form, user=user)
        return page, 503, {"Retry-After": str(math.ceil(policy.PASSWORD_PATIENCE))}
    return _store(link, user, password_hash)


def _store(link: MailLink, user: User, password_hash: str) -> Answer:
    """Store the new password, and end every session. The person then logs in with it.

    They are not logged in here: a second factor is asked for where people log in.
    """
    if not mail_links.use_up(link):
        return dead(mail_links.RESET)
    password_change.store(user, password_hash)
    db.session.commit()
    throttle.forget_guesses(user.id)
    event("password_reset", person=users.opaque_id_of(user))
    current_session.end()
    flash(gettext("Your password is changed. Log in with it."))
    return redirect(url_for("auth.login"), 303)
