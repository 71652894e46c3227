"""Make new recovery codes. They are shown once, on the page that answers."""

from urllib.parse import quote

from flask import render_template
from flask_babel import gettext
from werkzeug import Response

from plaidapp.extensions import db
from plaidapp.store.people import factors, recovery_codes
from plaidapp.store.people.activity import Kind

from ..access import person
from ..blueprint import blueprint
from ..confirmation import needs_confirmation
from . import changes, factors_page


@blueprint.post("/factors/recovery-codes")
@needs_confirmation
def renew_recovery_codes() -> str | Response | tuple[str, int]:
    if not factors.of_person(person().id):
        problem = gettext("Recovery codes stand in for a second factor. Add one first.")
        return factors_page.show(problem), 422
    codes = recovery_codes.renew(person().id)
    changes.note(Kind.RECOVERY_CODES_MADE)
    db.session.commit()
    return show(codes, gettext("You have new recovery codes. The old ones no longer work."))


def show(codes: list[str], sentence: str) -> str:
    """Return the page with the codes, and a file of them that needs no further request."""
    title = gettext("plaidapp recovery codes of %(name)s", name=person().username)
    text = "\n".join([title, "", *codes, ""])
    return render_template(
        "auth/factors/recovery_codes.html",
        codes=codes,
        sentence=sentence,
        file=f"data:text/plain;charset=utf-8,{quote(text)}",
    )
