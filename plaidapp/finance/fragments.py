"""What panels poll. What has not changed is answered 204, before anything is rendered."""

from flask import make_response, render_template, request
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store import pulls

from .blueprint import blueprint
from .views import render_live, render_pull, view_of


@blueprint.get("/pulls/<int:pull_id>")
def pull(pull_id: int) -> str | Response:
    """The pull's panel; `revision` says what the asking page has already.

    A change of the panel may mean new rows, so the lists are told to look for themselves.
    """
    found = owned_or_404(pulls.owned, pull_id)
    if not is_htmx():
        return render_template("finance/pull.html", view=view_of(found))
    if request.args.get("revision") == str(found.revision):
        return make_response("", 204)
    response = make_response(render_pull(found))
    response.headers["HX-Trigger"] = "ledger-changed"
    return response


@blueprint.get("/live")
def live() -> str | Response:
    """The lists of the page, when anything in them changed since `revision`; otherwise 204.

    Nothing but the person's own row is read to tell, and that the log-in has read already.
    """
    if request.args.get("revision") == str(person().ledger_revision):
        return make_response("", 204)
    return render_live(person())
