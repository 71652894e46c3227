"""Add, rename and remove passkeys, and log in with nothing else."""

from flask import render_template, request
from flask_babel import gettext, lazy_gettext
from flask_login import login_required
from werkzeug import Response
from wtforms import StringField
from wtforms.validators import Length

from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.store.people import factors, passkeys, stored_passwords, users
from plaidapp.store.people.activity import Kind
from plaidapp.store.people.passkeys import LONGEST_NAME

from ..access import owned_or_404, person
from ..blueprint import blueprint
from ..confirmation import needs_confirmation
from ..second_factor import changes, factors_page, recovery_pages
from ..user_agents import browser_and_system, device_name
from . import adding
from .challenges import PasskeyError

Answer = str | Response | tuple[str, int]


class NameForm(TextForm):
    name = StringField(
        lazy_gettext("Name"),
        description=lazy_gettext("Such as where the passkey is stored."),
        filters=[lambda name: name and " ".join(name.replace("\0", "").split())],
        validators=[
            Length(
                max=LONGEST_NAME,
                message=lazy_gettext("Use at most %(most)s characters.", most=LONGEST_NAME),
            )
        ],
    )


@blueprint.route("/factors/passkeys/new", methods=["GET", "POST"])
@needs_confirmation
def new_passkey() -> Answer:
    form = NameForm(request.form)
    if request.method != "POST":
        form.name.data = _default_name()
        return _page(form)
    if not form.validate():
        return _page(form), 422
    name = form.name.data or _default_name()
    try:
        adding.add(person(), request.form.get("credential", ""), name)
    except PasskeyError as error:
        db.session.rollback()
        return _page(form, str(error)), 422
    new_codes = changes.note_added(Kind.PASSKEY_ADDED, name)
    sentence = gettext("The passkey “%(name)s” is added.", name=name)
    if not new_codes:
        return changes.done(sentence)
    db.session.commit()
    return recovery_pages.show(new_codes, sentence)


@blueprint.get("/factors/passkeys/new.json")
@needs_confirmation
def passkey_to_add() -> Response:
    return adding.options(person())


@blueprint.post("/factors/passkeys/<int:passkey_id>/rename")
@login_required
def rename_passkey(passkey_id: int) -> Answer:
    passkey = owned_or_404(passkeys.owned, passkey_id)
    form = NameForm(request.form)
    if not form.validate() or not form.name.data:
        problem = form.name.errors[0] if form.name.errors else gettext("Enter a name.")
        return factors_page.show(problem), 422
    passkey.name = form.name.data
    changes.note(Kind.PASSKEY_RENAMED, passkey.name)
    return changes.done(gettext("The passkey is now called “%(name)s”.", name=passkey.name))


@blueprint.post("/factors/passkeys/<int:passkey_id>/remove")
@needs_confirmation
def remove_passkey(passkey_id: int) -> Answer:
    changes.lock()
    passkey = owned_or_404(passkeys.owned, passkey_id)
    now = factors.of_person(person().id)
    if problem := changes.problem_with(now._replace(passkeys=now.passkeys - 1)):
        return factors_page.show(problem), 422
    passkeys.remove(passkey)
    changes.note_removed(Kind.PASSKEY_REMOVED, passkey.name)
    return changes.done(
        gettext(
            "The passkey “%(name)s” no longer logs you in. You can delete it on your device too.",
            name=passkey.name,
        )
    )


@blueprint.post("/factors/password/remove")
@needs_confirmation
def remove_password() -> Answer:
    """Let passkeys be the only way in."""
    changes.lock()
    if not factors.of_person(person().id).passkeys:
        problem = gettext("Without a password you need a passkey to log in. Add one first.")
        return factors_page.show(problem), 422
    stored_passwords.change(person(), users.NO_PASSWORD)
    changes.note(Kind.PASSWORD_REMOVED)
    changes.end_other_sessions()
    return changes.done(gettext("Your password is removed. Log in with a passkey from now on."))


def _page(form: NameForm, problem: str | None = None) -> str:
    return render_template("auth/factors/new_passkey.html", form=form, problem=problem)


def _default_name() -> str:
    browser, system = browser_and_system(request.user_agent.string)
    return device_name(browser, system) or gettext("Passkey")
