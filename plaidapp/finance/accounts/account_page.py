"""The page of one account. It polls for changes, as the explorer does."""

import json

from flask import abort, make_response, render_template, request
from werkzeug import Response

from plaidapp.days import today
from plaidapp.htmx import is_htmx
from plaidapp.store.connections import checks, standby

from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from ..connections import arrange_accounts
from ..connections.accounts_json import as_plaid
from ..reports import periods
from ..transactions import explorer_request
from ..transactions.statement import Statement
from . import figures, notes

Answer = str | Response


@blueprint.get("/accounts/<int:account_id>")
def account(account_id: int) -> Answer:
    """The page. HTMX gets the list that a search has found, or its following rows."""
    listing = explorer_request.statement(account_id)
    if is_htmx() and listing.after:
        return render_template("finance/transactions/_rows.html", listing=listing)
    if is_htmx():
        response = make_response(render_template("finance/accounts/_found.html", listing=listing))
        response.headers["HX-Replace-Url"] = listing.address
        return response
    return render_template("finance/accounts/account.html", **_shown(listing))


@polled.get("/accounts/<int:account_id>/live")
@unless_unchanged
def account_live(account_id: int) -> str:
    """What changes on the page, once anything changed since `revision`; see `explorer_live`."""
    return render_template(
        "finance/accounts/_account_live.html",
        hold="hold" in request.args,
        known=request.args.get("rows", type=int),
        **_shown(explorer_request.statement(account_id)),
    )


def _shown(listing: Statement) -> dict[str, object]:
    account, item = listing.account, listing.item
    if item is None:  # the person has deleted it, and this will be gone too
        abort(404)
    shown = figures.of_account(account, item, listing.pending, listing.period, today())
    before, after = arrange_accounts.neighbors(account)
    return {
        "listing": listing,
        "account": account,
        "item": item,
        "figures": shown,
        "periods": periods.choices(listing.period_url, shown.period),
        "notes": list(notes.of_account(account, item, standby.of_account(account.id))),
        "check": checks.of_account(account.id),
        "before": before,
        "after": after,
        "stored": json.dumps(as_plaid(account), indent=2, ensure_ascii=False),
    }
