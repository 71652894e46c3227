"""The page of a person's second factors, passkeys and recovery codes."""

from typing import Any

from flask import render_template
from flask_login import login_required

from plaidapp import policy
from plaidapp.store.people import authenticators, passkeys, recovery_codes

from ..access import person
from ..blueprint import blueprint
from . import changes


@blueprint.get("/factors")
@login_required
def factors() -> str:
    return show()


def show(problem: str | None = None) -> str:
    """Return the page, with a sentence if something was refused."""
    return render_template("auth/factors/factors.html", problem=problem, **context())


def context() -> dict[str, Any]:
    """Return what this page and the account page show."""
    return {
        "authenticator": authenticators.of_person(person().id),
        "passkeys": passkeys.of_person(person().id),
        "codes_left": recovery_codes.left(person().id),
        "codes_in_all": policy.RECOVERY_CODES,
        "is_required": changes.is_required(),
    }
