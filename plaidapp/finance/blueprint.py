"""The blueprint that the modules of this room hang their routes on. All of it needs a log-in."""

from flask import Blueprint
from flask_login import login_required

blueprint = Blueprint("finance", __name__, url_prefix="/finance")


@blueprint.before_request
@login_required
def _log_in_first() -> None:
    """`login_required` answers instead when nobody is logged in."""
