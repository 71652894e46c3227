"""Everybody's connections by state."""

from flask import abort, render_template, request

from plaidapp.auth.access import LARGEST_ID
from plaidapp.store.connections import item_states, overview

from . import keyset
from .blueprint import blueprint

STATES = (
    *(item_states.ERROR, item_states.LOGIN_REQUIRED, item_states.REVOKED, item_states.EXPIRING),
    *(item_states.NEW_ACCOUNTS, item_states.GOOD, *item_states.BY_PERSON, item_states.REPLACED),
)
"""Those that need somebody come first."""


@blueprint.get("/items")
def items() -> str:
    """`state` is one of STATES."""
    state = request.args.get("state", item_states.ERROR)
    if state not in STATES:
        abort(404)
    page = keyset.page(lambda limit, before: overview.in_state(state, limit, before), LARGEST_ID)
    return render_template(
        "operate/items.html", page=page, state=state, states=STATES, counts=overview.by_state()
    )
