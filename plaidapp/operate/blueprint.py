"""The blueprint of the pages for operators. For everybody else, they don't exist."""

from flask import Blueprint, abort
from flask_login import current_user, login_required

from plaidapp.auth.access import person

blueprint = Blueprint("operate", __name__, url_prefix="/ops")


@blueprint.before_request
@login_required
def _only_for_operators() -> None:
    # Flask-Login lets strangers ask for OPTIONS.
    if not (current_user.is_authenticated and person().is_operator):
        abort(404)
