"""The explorer: the list of the person's transactions, and the page of each."""

import json
from collections.abc import Mapping

from flask import make_response, redirect, render_template, request
from werkzeug import Response

from plaidapp.addresses import query_of
from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store import Transaction
from plaidapp.store.connections import disconnection
from plaidapp.store.reports import running_balances
from plaidapp.store.transactions import raw_pages, same_merchant, transactions

from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from . import explorer_request
from .amounts import is_plain
from .edit_forms import EditForm
from .filter_form import ExplorerForm
from .filter_urls import AMOUNTS, Query, address, without
from .listing import Listing
from .plaid_json import as_plaid

Answer = str | Response | tuple[str, int]


@blueprint.get("/transactions")
def explorer() -> Answer:
    """The page. HTMX gets what changes: the results, form and results, or the following rows."""
    form = ExplorerForm(request.args)
    if not form.validate():
        return _refused(Listing(person().id, form))
    listing = Listing(person().id, form, explorer_request.place(form))
    if listing.after and is_htmx():
        return render_template("finance/transactions/_rows.html", listing=listing)
    if not listing.after and is_htmx():
        return _filtered(listing)
    if not listing.after and not _is_short(request.args):
        return redirect(address(listing.query))
    return render_template("finance/transactions/transactions.html", listing=listing)


def _is_short(arguments: Mapping[str, str]) -> bool:
    """False for the address of a form without JavaScript: empty fields, amounts as typed."""
    amounts = (arguments[name] for name in AMOUNTS if arguments.get(name))
    return "" not in arguments.values() and all(map(is_plain, amounts))


def _refused(listing: Listing) -> Answer:
    if is_htmx():
        html = render_template("finance/transactions/_refused.html", listing=listing)
        response = make_response(html, 422)
        response.headers["HX-Retarget"] = "#filters"
        response.headers["HX-Reswap"] = "outerMorph"
        return response
    return render_template("finance/transactions/transactions.html", listing=listing), 422


def _filtered(listing: Listing) -> Response:
    """The results; form and results if a link chose the filter, not the form."""
    whole = request.headers.get("HX-Target", "").endswith("#explorer")
    template = (
        "finance/transactions/_explorer.html" if whole else "finance/transactions/_filtered.html"
    )
    response = make_response(render_template(template, listing=listing))
    header = "HX-Replace-Url" if _types_on(listing.query) else "HX-Push-Url"
    response.headers[header] = address(listing.query)
    return response


def _types_on(query: Query) -> bool:
    """Is the person still typing a search? It is one step of the browser's history."""
    before = query_of(request.headers.get("HX-Current-URL", ""))
    before.pop("after", None)
    searched = bool(before.pop("q", None))
    return before == without(query, "q") and searched == ("q" in query)


@blueprint.get("/transactions/<int:transaction_id>")
def transaction(transaction_id: int) -> Answer:
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    template = (
        "finance/transactions/_transaction.html"
        if is_htmx()
        else "finance/transactions/transaction.html"
    )
    return render_template(template, **detail_of(row, explorer_request.listing()))


def detail_of(
    row: Transaction, listing: Listing, form: EditForm | None = None
) -> dict[str, object]:
    """What the page of one transaction shows. Pass a form that was refused to show it again."""
    sent = raw_pages.json_of(row)
    return {
        "row": row,
        "is_read_only": row.account_id in disconnection.read_only_accounts(row.user_id),
        "listing": listing,
        "form": form or EditForm.of(row),
        "others": same_merchant.count_others(row),
        "pending": transactions.replaced_by(row),
        "posted": transactions.replacing(row),
        "bank_category": row.bank_category,
        "after": None if row.removed_at else running_balances.after(row),
        "sent": sent,
        "original": sent and json.loads(sent).get("original_description"),
        "stored": json.dumps(as_plaid(row), indent=2, ensure_ascii=False),
    }


@polled.get("/transactions/live")
@unless_unchanged
def explorer_live() -> str:
    """The list, once anything changed since `revision`.

    A page sends `hold` while the person selects rows in it or has loaded further pages. It gets the
    new count and a link instead of the list.
    """
    return render_template(
        "finance/transactions/_explorer_live.html",
        listing=explorer_request.listing(),
        hold="hold" in request.args,
        known=request.args.get("rows", type=int),
    )
