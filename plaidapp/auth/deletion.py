"""Delete everything: a page that says what will happen, and the button that does it."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug import Response
from wtforms import PasswordField
from wtforms.validators import InputRequired

from plaidapp import htmx
from plaidapp.forms import TextForm
from plaidapp.htmx import is_htmx
from plaidapp.jobs import queue
from plaidapp.jobs.people import erase

from . import confirmation, current_session, known_device, throttle, your_data
from .access import person
from .blueprint import blueprint

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


class DeletionForm(TextForm):
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(lazy_gettext("Enter your password."))]
    )


@blueprint.route("/delete", methods=["GET", "POST"])
@confirmation.needs_confirmation_without_password
def delete() -> Answer:
    form = DeletionForm(request.form)
    if request.method != "POST":
        return _shown(form)
    if person().has_password:
        if not form.validate():
            return _shown(form), 422
        if refusal := confirmation.with_password(form.password):
            return _shown(form), *refusal
    return _deleted()


def _shown(form: DeletionForm) -> str:
    """Return the page; for HTMX only the form."""
    template = "_delete_form.html" if is_htmx() else "delete.html"
    return render_template(f"auth/{template}", form=form, stored=your_data.stored())


def _deleted() -> Response:
    user_id = person().id
    throttle.forget(person())
    if pull := erase.begin(user_id):
        queue.ring(pull)  # commits
    current_session.end()
    flash(gettext("You are logged out, and everything is being deleted."))
    log_in = url_for("auth.login")
    answer = htmx.redirect(log_in) if is_htmx() else redirect(log_in, 303)
    known_device.forget(answer, user_id)
    return answer
