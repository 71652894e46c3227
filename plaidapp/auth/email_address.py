"""The person's email address: change it, and confirm that it is theirs by a link in a mail.

Without a mail server nothing can be confirmed, and an address counts as soon as it is entered.
"""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user, login_required
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from plaidapp import htmx
from plaidapp.days import wait
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import MailLink, User
from plaidapp.store.people import activity, email_addresses, mail_links, users

from . import mails, throttle
from .access import person
from .blueprint import blueprint
from .confirmation import needs_confirmation
from .forms import EMAIL_TAKEN, EmailForm
from .mail_link_pages import opens

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
SAME = lazy_gettext("This is your email address already.")
CANT_SEND = lazy_gettext("This site can’t send a link right now. Tell the person who runs it.")
ANOTHERS = lazy_gettext("This address belongs to another account by now.")


def context() -> dict[str, Any]:
    """Return what the row of the account page shows."""
    pending = mail_links.pending(person(), mail_links.CONFIRM)
    return {
        "proves_addresses": mails.proves_addresses(),
        "pending_email": pending.email if pending else None,
    }


@blueprint.route("/email", methods=["GET", "POST"])
@needs_confirmation
def change_email() -> Answer:
    form = EmailForm(request.form)
    if request.method != "POST":
        return _page(form)
    if not form.validate():
        return _page(form), 422
    return _change(form)


def _change(form: EmailForm) -> Answer:
    user, email = person(), str(form.email.data)
    if user.email == email and (user.email_confirmed_at or not mails.proves_addresses()):
        return _refused(form, str(SAME), 422)
    attempt = throttle.confirmation_mail(email, user.id)
    if attempt.refused:
        return *_refused(form, _too_often(attempt), 429), {"Retry-After": str(attempt.seconds)}
    if not mails.proves_addresses():
        return _set_at_once(form, email)
    if not mails.can_send_links():
        return _refused(form, str(CANT_SEND), 503)
    return _to_account(_send_link(user, email))


def _too_often(attempt: throttle.Try) -> str:
    return gettext("You asked for too many links. Try again in %(wait)s.", wait=wait(attempt.wait))


def _refused(form: EmailForm, sentence: str, status: int) -> tuple[str, int]:
    form.email.errors = [sentence]
    return _page(form), status


def _page(form: EmailForm) -> str:
    proves = mails.proves_addresses()
    return render_template("auth/email.html", form=form, proves_addresses=proves)


def _set_at_once(form: EmailForm, email: str) -> Answer:
    try:
        is_set = email_addresses.give(person(), email, confirmed=False)
        activity.note(person().id, activity.Kind.EMAIL_CHANGED)
        db.session.flush()
    except IntegrityError:
        is_set = False
    if not is_set:
        db.session.rollback()
        return _refused(form, str(EMAIL_TAKEN), 422)
    event("email_changed", person=users.opaque_id_of(person()))
    return _to_account(gettext("Your email address is changed."))


def _send_link(user: User, email: str) -> str:
    """Mail a link to the address, tell the one before, and return what to say about it."""
    if user.email_confirmed_at:
        mails.tell(user, "email_to_change")
        mails.ask_to_confirm(user, email, "change")
    else:
        if not email_addresses.counts(user):
            user.email = email
        mails.ask_to_confirm(user, email, "confirm")
    event("email_link_asked", person=users.opaque_id_of(user))
    return gettext(
        "A link is on its way to %(email)s. Open it to confirm that the address is yours.",
        email=email,
    )


@blueprint.post("/email/resend")
@login_required
def resend_email_link() -> Response:
    """Mail a new link to the address that is not confirmed yet. The link before ends."""
    pending = mail_links.pending(person(), mail_links.CONFIRM)
    email = pending.email if pending else person().email
    if not mails.proves_addresses() or (not pending and person().email_confirmed_at):
        return _to_account(gettext("There is no address to confirm."))
    if not mails.can_send_links():
        return _to_account(str(CANT_SEND))
    attempt = throttle.confirmation_mail(email, person().id)
    if attempt.refused:
        return _to_account(_too_often(attempt))
    return _to_account(_send_link(person(), email))


@blueprint.post("/email/cancel")
@login_required
def cancel_email_change() -> Response:
    mail_links.end(person().id, mail_links.CONFIRM)
    return _to_account(gettext("Your email address stays as it is."))


def _to_account(sentence: str) -> Response:
    db.session.commit()
    flash(sentence)
    account = url_for("auth.account")
    return htmx.redirect(account) if htmx.is_htmx() else redirect(account, 303)


@blueprint.route("/email/confirm/<confirm_token>", methods=["GET", "POST"])
@opens(mail_links.CONFIRM)
def confirm_email(link: MailLink, user: User) -> Answer:
    """The page that a link in a mail leads to. Only its button uses the link up."""
    if request.method != "POST":
        return render_template("auth/confirm_email.html", email=link.email, user=user)
    former = user.email if user.email_confirmed_at else None
    if not _confirm(link, user):
        db.session.rollback()
        return render_template("auth/dead_link.html", reason=str(ANOTHERS)), 409
    if former and former != link.email:
        mails.tell_address(user, former, "email_changed")
    event("email_confirmed", person=users.opaque_id_of(user))
    sentence = gettext("%(email)s is confirmed.", email=link.email)
    if current_user.is_authenticated:
        return _to_account(sentence)
    db.session.commit()
    flash(sentence)
    return redirect(url_for("auth.login"), 303)


def _confirm(link: MailLink, user: User) -> bool:
    """Return False if the address is another person's, or the link was used up meanwhile."""
    try:
        used_up = mail_links.use_up(link)
        is_set = used_up and email_addresses.give(user, link.email, confirmed=True)
        activity.note(user.id, activity.Kind.EMAIL_CONFIRMED)
        db.session.flush()
    except IntegrityError:
        return False
    return is_set
