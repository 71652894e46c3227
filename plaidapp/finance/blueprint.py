"""The blueprints that the modules of this room hang their routes on. All of it needs a log-in."""

from flask import Blueprint
from flask_login import login_required

blueprint = Blueprint("finance", __name__, url_prefix="/finance")
polled = Blueprint("polled", __name__, url_prefix="/finance")
"""What pages ask all the time. These routes see to the log-in themselves: see polls.py."""


@blueprint.before_request
@login_required
def _log_in_first() -> None:
    """`login_required` answers instead when nobody is logged in."""
