"""The blueprints that the finance pages register their routes on. Every route needs a log-in."""

from flask import Blueprint
from flask_login import login_required

blueprint = Blueprint("finance", __name__, url_prefix="/finance")
polled = Blueprint("polled", __name__, url_prefix="/finance")
"""For addresses that pages poll. These routes check the log-in themselves: see ledger_polls."""


@blueprint.before_request
@login_required
def _require_login() -> None:
    """`login_required` answers in place of the route when nobody is logged in."""
