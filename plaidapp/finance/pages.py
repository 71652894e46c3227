"""The pages a person opens. GET changes nothing."""

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.store import accounts, items, pulls, takeover, totals, transactions

from .blueprint import blueprint
from .views import render_dashboard

PAGE_SIZE = 50
HISTORY = 100


def index() -> Response:
    here = "finance.dashboard" if current_user.is_authenticated else "auth.login"
    return redirect(url_for(here))


@blueprint.get("/")
def dashboard() -> str:
    return render_dashboard(person().id)


@blueprint.get("/items/<int:item_id>")
def item(item_id: int) -> str:
    found = owned_or_404(items.owned, item_id)
    return render_template(
        "finance/item.html",
        item=found,
        accounts=accounts.of_item(found.id),
        total=totals.count(person().id, found.id).shown,
        removed=transactions.count_removed(found.id),
        history=pulls.of_item(found.id, HISTORY),
        successor=takeover.successor(found.id),
    )
