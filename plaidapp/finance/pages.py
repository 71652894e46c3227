"""The pages a person opens. GET changes nothing."""

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.store import accounts, items, pulls, takeover, totals, transactions

from . import keyset
from .blueprint import blueprint
from .forms import ExplorerForm
from .views import by_day, render_dashboard

PAGE_SIZE = 50
HISTORY = 100


def index() -> Response:
    here = "finance.dashboard" if current_user.is_authenticated else "auth.login"
    return redirect(url_for(here))


@blueprint.get("/")
def dashboard() -> str:
    return render_dashboard(person().id)


@blueprint.get("/transactions")
def explorer() -> str | tuple[str, int]:
    form = ExplorerForm(request.args)
    if not form.validate():
        return render_template("finance/transactions.html", form=form, days=[], total=0), 422
    wanted = form.filter_of(person().id)
    rows = transactions.page(wanted, PAGE_SIZE + 1, keyset.asked())
    return render_template(
        "finance/transactions.html",
        form=form,
        days=by_day(rows[:PAGE_SIZE]),
        total=transactions.count(wanted),
        next_url=keyset.next_url(rows, PAGE_SIZE),
    )


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
