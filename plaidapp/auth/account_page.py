"""The page *Your account*. Each section has a partial in templates/auth/account/."""

from flask import render_template
from flask_login import login_required

from plaidapp.htmx import is_htmx

from . import devices
from .blueprint import blueprint

CONTEXTS = (devices.context,)
"""What the partials show: each function returns names and values for its own ones."""


@blueprint.get("/account")
@login_required
def account() -> str:
    """The page; for HTMX only the list of devices."""
    if is_htmx():
        return render_template("auth/account/_devices.html", is_reloaded=True, **devices.context())
    shown = {name: value for context in CONTEXTS for name, value in context().items()}
    return render_template("auth/account/account.html", **shown)
