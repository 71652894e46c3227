"""What panels poll. What has not changed is answered 204, before anything is rendered."""

from flask import Response, make_response, render_template

from plaidapp.auth.access import owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store.pulls import pulls

from ..blueprint import polled
from ..polls import unless_ledger_is, unless_pull_is
from ..views import render_live, render_pull, view_of


@polled.get("/pulls/<int:pull_id>")
@unless_pull_is
def pull(pull_id: int) -> str | Response:
    """The pull's panel; `revision` says what the asking page has already.

    A change of the panel may mean new rows, so the lists are told to look for themselves.
    """
    found = owned_or_404(pulls.owned, pull_id)
    if not is_htmx():
        return render_template("finance/pulls/pull.html", view=view_of(found))
    response = make_response(render_pull(found))
    response.headers["HX-Trigger"] = "ledger-changed"
    return response


@polled.get("/live")
@unless_ledger_is
def live() -> str:
    """The lists of the page, when anything in them changed since `revision`."""
    return render_live(person())
