"""The dashboard's page and its poll."""

from flask import redirect, url_for
from flask_login import current_user
from werkzeug import Response

from plaidapp.auth.access import person

from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from . import content


def index() -> Response:
    """The site's root: to the dashboard, or to the log-in page."""
    endpoint = "finance.dashboard" if current_user.is_authenticated else "auth.login"
    return redirect(url_for(endpoint))


@blueprint.get("/")
def dashboard() -> str:
    return content.render_page(person().id)


@polled.get("/live")
@unless_unchanged
def live() -> str:
    """The parts of the page that can change, once anything changed since `revision`."""
    return content.render_live(person().id)
