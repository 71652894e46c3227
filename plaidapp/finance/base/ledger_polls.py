"""Answer polls with 204 while the person's ledger has not changed.

The ledger version (`version_of` in store/people/users.py) changes with every change of the person's
data, and every day. A page sends the version it shows as `revision`.
"""

from collections.abc import Callable
from functools import wraps

from flask import Response, request
from flask_login import login_required

from plaidapp.auth.access import claim
from plaidapp.store.people import session_glances

Answer = str | Response
View = Callable[..., Answer]


def nothing_new(version: str | None) -> Response | None:
    """204 if the page that asks shows this version already; None if it needs a new answer."""
    if version is not None and request.args.get("revision") == version:
        return Response("", 204)
    return None


def unless_unchanged(view: View) -> View:
    """Answer 204 from a single query while the ledger is unchanged; otherwise call the view.

    The query checks the log-in too: without an open session it finds nothing, and the view refuses
    the request.
    """
    view_after_login: View = login_required(view)

    @wraps(view)
    def poll(**ids: int) -> Answer:
        claimed = claim() if request.args.get("revision") else None
        version = session_glances.glance_at_ledger(claimed) if claimed else None
        return nothing_new(version) or view_after_login(**ids)

    return poll
