"""What panels poll. An unchanged pull costs one look-up and answers 204."""

from flask import make_response, render_template, request
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store import pulls

from .blueprint import blueprint
from .views import ledger_of, render_pull, view_of


@blueprint.get("/pulls/<int:pull_id>")
def pull(pull_id: int) -> str | Response:
    """The pull's panel, and with it the lists of the page when rows were stored since.

    `revision` and `stored` say what the asking page has already.
    """
    found = owned_or_404(pulls.owned, pull_id)
    if not is_htmx():
        return render_template("finance/pull.html", view=view_of(found))
    if request.args.get("revision") == str(found.revision):
        return make_response("", 204)
    html = render_pull(found)
    if request.args.get("stored") != str(found.stored):
        html += render_template("finance/_partials.html", ledger=ledger_of(person().id))
    return html
