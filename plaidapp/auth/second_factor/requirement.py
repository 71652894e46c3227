"""REQUIRE_SECOND_FACTOR: who has no second factor gets to nothing but the pages that set one up.

That goes for sessions from before it was required, too.
"""

from flask import Flask, g, jsonify, redirect, request, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug import Response

from plaidapp import htmx
from plaidapp.store.people import factors

from ..access import person

OPEN = {
    *("auth.factors", "auth.authenticator", "auth.new_passkey", "auth.passkey_to_add"),
    *("auth.confirm", "auth.confirm_with_passkey", "auth.passkey_for_confirmation"),
    *("auth.logout", "theme.choose"),
}
UNTOUCHED = {"static", "health.healthz", "health.readyz", "webhooks.receive"}
"""What shows nothing of a person, and doesn't ask who they are."""
SET_ONE_UP = lazy_gettext("This site requires a second factor. Set one up to go on.")


def init_app(app: Flask) -> None:
    if app.config["PLAIDAPP"].require_second_factor:
        app.before_request(_refuse_without)


def _refuse_without() -> Response | tuple[Response, int] | None:
    if request.endpoint in UNTOUCHED or not current_user.is_authenticated:
        return None
    g.lacks_factor = not factors.of_person(person().id)  # templates then show no pages
    if not g.lacks_factor or request.endpoint in OPEN or request.endpoint is None:
        return None
    if request.path.endswith(".json"):
        return jsonify(error=str(SET_ONE_UP)), 403
    page = url_for("auth.factors")
    return htmx.redirect(page, 403) if htmx.is_htmx() else redirect(page)
