"""The pages a person opens. GET changes nothing."""

from flask import make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store.connections import accounts, items, reconnected_accounts
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import monthly_totals, transactions

from ..blueprint import blueprint
from ..views import render_dashboard

PAGE_SIZE = 50
HISTORY = 100


def index() -> Response:
    here = "finance.dashboard" if current_user.is_authenticated else "auth.login"
    return redirect(url_for(here))


@blueprint.get("/")
def dashboard() -> str:
    return render_dashboard(person().id)


@blueprint.get("/items/<int:item_id>")
def item(item_id: int) -> str | Response:
    """The page; to HTMX its content alone, or 204 when nothing changed since `revision`."""
    found = owned_or_404(items.owned, item_id)
    if is_htmx() and request.args.get("revision") == str(person().ledger_revision):
        return make_response("", 204)
    return render_template(
        "finance/connections/_item.html" if is_htmx() else "finance/connections/item.html",
        item=found,
        accounts=accounts.of_item(found.id),
        total=monthly_totals.count(person().id, found.id).shown,
        removed=transactions.count_removed(found.id),
        history=pulls.of_item(found.id, HISTORY),
        successor=reconnected_accounts.successor(found.id),
    )
