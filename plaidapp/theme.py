"""The theme a person chose: light, dark, or the system's. It is kept in a cookie.

Pages are rendered with it, so nothing flashes and no script is needed.
"""

from datetime import timedelta

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _

from .addresses import own_path
from .cookies import of_this_host
from .htmx import is_htmx

SYSTEM = "system"
THEMES = (SYSTEM, "light", "dark")
COOKIE = "theme"
MAX_AGE = timedelta(days=365)

blueprint = Blueprint("theme", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"theme": chosen()})


def chosen() -> str:
    """Return the theme in the cookie. Without a known one, return the system's."""
    theme = request.cookies.get(of_this_host(COOKIE), SYSTEM)
    return theme if theme in THEMES else SYSTEM


@blueprint.post("/theme")
def choose() -> Response:
    """Remember the choice and stay on the page."""
    theme = request.form.get("theme")
    if theme not in THEMES:
        abort(422, description=_("Choose the system theme, light or dark."))
    back = own_path(request.form.get("back")) or "/"
    if is_htmx():
        response = make_response(render_template("_theme.html", theme=theme, back=back))
        response.headers["HX-Trigger"] = "theme-chosen"
    else:
        response = make_response(redirect(back, 303))
    response.set_cookie(
        of_this_host(COOKIE),
        theme,
        max_age=MAX_AGE,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure,
    )
    return response
