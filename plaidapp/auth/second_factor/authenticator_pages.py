"""Turn an authenticator app on and off."""

from flask import redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from werkzeug import Response
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired

from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.store.people import authenticators, factors
from plaidapp.store.people.activity import Kind

from ..access import person
from ..blueprint import blueprint
from ..confirmation import needs_confirmation
from . import changes, codes, factors_page, recovery_pages

Answer = str | Response | tuple[str, int]
WRONG_CODE = lazy_gettext(
    "This code is wrong. Enter the newest one, and check that your phone’s clock is right."
)


class AppForm(TextForm):
    offered = HiddenField()
    code = StringField(
        lazy_gettext("Code from the app"),
        validators=[InputRequired(lazy_gettext("Enter the six digits that the app shows."))],
    )


@blueprint.route("/factors/app", methods=["GET", "POST"])
@needs_confirmation
def authenticator() -> Answer:
    if authenticators.of_person(person().id):
        return redirect(url_for("auth.factors"))
    form = AppForm(request.form)
    if request.method != "POST":
        return _page(form, codes.new_secret())
    secret = codes.offered(person().id, form.offered.data or "")
    if secret is None:
        return _page(form, codes.new_secret()), 422
    step = codes.step_of(secret, form.code.data) if form.validate() else None
    if step is None:
        form.code.errors = form.code.errors or [str(WRONG_CODE)]
        return _page(form, secret), 422
    return _turn_on(secret, step)


@blueprint.post("/factors/app/remove")
@needs_confirmation
def remove_authenticator() -> Answer:
    changes.lock()
    left = factors.of_person(person().id)._replace(app=False)
    if problem := changes.problem_with(left):
        return factors_page.show(problem), 422
    if authenticators.remove(person().id):
        changes.note_removed(Kind.AUTHENTICATOR_REMOVED)
    return changes.done(gettext("Your authenticator app is turned off."))


def _page(form: AppForm, secret: str) -> str:
    address = codes.address_of(secret, person())
    form.offered.data = codes.offer(person().id, secret)
    return render_template(
        "auth/factors/authenticator.html",
        form=form,
        address=address,
        picture=Markup(codes.picture_of(address)),  # noqa: S704 made of digits and our own words
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    )


def _turn_on(secret: str, step: int) -> Answer:
    new_codes: list[str] = []
    if codes.accept(person().id, secret, step):
        new_codes = changes.note_added(Kind.AUTHENTICATOR_ADDED)
    sentence = gettext("Your authenticator app is turned on.")
    if not new_codes:
        return changes.done(sentence)
    db.session.commit()
    return recovery_pages.show(new_codes, sentence)
