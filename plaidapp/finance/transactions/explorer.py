"""The explorer: the person's transactions, filtered by the address, and each of them in full."""

import json
from urllib.parse import parse_qs, urlsplit

from flask import abort, make_response, redirect, render_template, request
from werkzeug import Response

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store import Transaction
from plaidapp.store.transactions import raw_pages, transactions

from ..blueprint import blueprint, polled
from ..polls import unless_ledger_is
from . import keyset, listing
from .edit_forms import EditForm
from .exports.json import as_stored
from .filter_form import AMOUNT, ExplorerForm
from .filter_urls import AMOUNTS, Query, address, without
from .listing import Listing

Answer = str | Response | tuple[str, int]


@blueprint.get("/transactions")
def explorer() -> Answer:
    """A page; with HTMX its results, all of it for a link, or the rows that follow."""
    form = ExplorerForm(request.args)
    found = Listing(person().id, form)
    if not form.validate():
        return _refused(found)
    if request.args.get("after"):
        keyset.asked(found.wanted.sort)
        if is_htmx():
            return render_template("finance/transactions/_rows.html", listing=found)
    elif is_htmx():
        return _filtered(found)
    elif "" in request.args.values() or _has_amounts_of_a_locale():
        # what a form without JavaScript leaves empty, or spells as others would not
        return redirect(address(found.query))
    return render_template("finance/transactions/transactions.html", listing=found)


def _has_amounts_of_a_locale() -> bool:
    return any(not AMOUNT.fullmatch(value) for value in map(request.args.get, AMOUNTS) if value)


def _refused(found: Listing) -> Answer:
    if is_htmx():
        html = render_template("finance/transactions/_refused.html", listing=found)
        response = make_response(html, 422)
        response.headers["HX-Retarget"] = "#filters"
        response.headers["HX-Reswap"] = "outerMorph"
        return response
    return render_template("finance/transactions/transactions.html", listing=found), 422


def _filtered(found: Listing) -> Response:
    """The results, or form and results when something else than the form chose the filter."""
    whole = request.headers.get("HX-Target", "").endswith("#explorer")
    template = (
        "finance/transactions/_explorer.html" if whole else "finance/transactions/_filtered.html"
    )
    response = make_response(render_template(template, listing=found))
    header = "HX-Replace-Url" if _types_on(found.query) else "HX-Push-Url"
    response.headers[header] = address(found.query)
    return response


def _types_on(query: Query) -> bool:
    """A search that goes on being typed is one step of the browser's history, not one a letter."""
    before = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    before.pop("after", None)
    searched = bool(before.pop("q", None))
    return before == without(query, "q") and searched == ("q" in query)


@blueprint.get("/transactions/<int:transaction_id>")
def transaction(transaction_id: int) -> Answer:
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    found = listing.of_request(person().id) or abort(400)
    template = (
        "finance/transactions/_transaction.html"
        if is_htmx()
        else "finance/transactions/transaction.html"
    )
    return render_template(template, **detail_of(row, found))


def detail_of(row: Transaction, found: Listing, form: EditForm | None = None) -> dict[str, object]:
    """What the panel of one transaction shows."""
    return {
        "row": row,
        "listing": found,
        "form": form or EditForm.of(row),
        "pending": transactions.replaced_by(row),
        "posted": transactions.replacing(row),
        "bank_category": row.bank_category,
        "sent": raw_pages.json_of(row),
        "stored": json.dumps(as_stored(row), indent=2, ensure_ascii=False),
    }


@polled.get("/transactions/live")
@unless_ledger_is
def explorer_live() -> str:
    """News of the list since `revision`.

    A page that is being worked on, or of which more than the beginning is loaded, says `hold`: it
    gets the count, and is told that there is more to see.
    """
    found = listing.of_request(person().id) or abort(400)
    known = request.args.get("rows", type=int)
    return render_template(
        "finance/transactions/_explorer_live.html",
        listing=found,
        hold="hold" in request.args,
        known=known,
    )
