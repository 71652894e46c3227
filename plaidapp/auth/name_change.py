"""Change the name with which a person logs in."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from plaidapp import htmx
from plaidapp.days import wait
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx
from plaidapp.store.people import activity, users

from . import mails, throttle
from .access import person
from .blueprint import blueprint
from .confirmation import needs_confirmation
from .forms import TAKEN, NameForm

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@blueprint.route("/name", methods=["GET", "POST"])
@needs_confirmation
def change_name() -> Answer:
    form = NameForm(request.form, username=person().username)
    if request.method != "POST":
        return _shown(form)
    attempt = throttle.sign_up()  # both can tell whether a name is taken
    if attempt.refused:
        sentence = gettext(
            "There were too many tries from your network. Try again in %(wait)s.",
            wait=wait(attempt.wait),
        )
        form.username.errors = [sentence]
        return _shown(form), 429, {"Retry-After": str(attempt.seconds)}
    if form.validate() and _store(form):
        attempt.forgive()
        return _changed()
    if str(TAKEN) not in form.username.errors:
        attempt.forgive()
    return _shown(form), 422


def _store(form: NameForm) -> bool:
    """Return False, with a sentence in the form, if somebody else just took the name."""
    name, kind = form.username.data, activity.Kind.NAME_CHANGED
    try:
        users.set_name(person(), name)
        activity.note(person().id, kind, name)
        mails.tell_of_change(person(), kind, name)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        form.username.errors = [str(TAKEN)]
        return False
    return True


def _changed() -> Response:
    event("name_changed", person=users.opaque_id_of(person()))
    flash(gettext("Your username is now %(name)s.", name=person().username))
    account = url_for("auth.account")
    return htmx.redirect(account) if is_htmx() else redirect(account, 303)


def _shown(form: NameForm) -> str:
    """Return the page; for HTMX only the form."""
    template = "_name_form.html" if is_htmx() else "name.html"
    return render_template(f"auth/{template}", form=form)
