"""Light, dark, or as the system says: what a person chose, in a cookie of their browser.

The page is rendered with it, so nothing flashes and no script is needed.
"""

from datetime import timedelta

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _

from .addresses import own_path
from .htmx import is_htmx

SYSTEM = "system"
THEMES = (SYSTEM, "light", "dark")
COOKIE = "theme"
KEPT = timedelta(days=365)

blueprint = Blueprint("theme", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"theme": chosen()})


def chosen() -> str:
    """One of THEMES: what the cookie says, the system's where it says nothing that is known."""
    theme = request.cookies.get(COOKIE, SYSTEM)
    return theme if theme in THEMES else SYSTEM


@blueprint.post("/theme")
def choose() -> Response:
    """Remembers the choice; the page goes on where it is."""
    theme = request.form.get("theme")
    if theme not in THEMES:
        abort(422, description=_("Choose the system's theme, light or dark."))
    back = own_path(request.form.get("back")) or "/"
    if is_htmx():
        response = make_response(render_template("_theme.html", theme=theme, back=back))
        response.headers["HX-Trigger"] = "theme-chosen"
    else:
        response = make_response(redirect(back, 303))
    response.set_cookie(
        COOKIE,
        theme,
        max_age=KEPT,
        samesite="Lax",
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
