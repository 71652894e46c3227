"""transactions.json: the explorer's filter for programs, 500 transactions a page.

The first page counts the transactions. The address of the next page carries the count, signed for
this filter and this ledger revision, so that a later page need not count again. A count that is
made up, or out of date, is not believed.
"""

from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request
from flask_babel import gettext
from itsdangerous import BadSignature, Signer

from plaidapp.auth.access import person
from plaidapp.extensions import signing_keys
from plaidapp.store.transactions import filter_totals, reader
from plaidapp.store.transactions.filters import Filter

from ..base.blueprint import blueprint
from . import explorer_request, keyset
from .filter_form import ExplorerForm
from .plaid_json import as_plaid

PAGE_SIZE = 500


@blueprint.get("/transactions.json")
def transactions_json() -> Response | tuple[Response, int]:
    """In the order of the filter. `next` is the address of the following page, or null."""
    form = ExplorerForm(request.args)
    if not form.validate():
        return jsonify(error=gettext("The filter is not valid."), fields=form.errors), 422
    filter_ = form.filter_of(person().id, hidden_accounts=True)
    rows = reader.page(filter_, PAGE_SIZE + 1, explorer_request.place(form))
    total = _carried_total(filter_)
    if total is None:
        total = _count(filter_)
    last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
    return jsonify(
        transactions=[as_plaid(row) for row in rows[:PAGE_SIZE]],
        total_transactions=total,
        next=last and _next_url(keyset.after(last, filter_.sort), filter_, total),
    )


def _count(filter_: Filter) -> int:
    """From the monthly totals if they have the answer."""
    if filter_totals.has_totals(filter_):
        return filter_totals.tally(filter_, 0).rows
    return reader.count(filter_)


def _next_url(after: str, filter_: Filter, total: int) -> str:
    signed = _signer(filter_).sign(str(total)).decode()
    arguments = request.args.to_dict(flat=False) | {"after": [after], "total": [signed]}
    return f"{request.path}?{urlencode(arguments, doseq=True)}"


def _carried_total(filter_: Filter) -> int | None:
    """The count in the address; None if there is none or it was signed for something else."""
    try:
        return int(_signer(filter_).unsign(request.args.get("total", "")))
    except BadSignature:
        return None


def _signer(filter_: Filter) -> Signer:
    """A signature of one filter is wrong for any other person, filter, order and revision."""
    counted = f"{filter_!r} at revision {person().ledger_revision}"
    return Signer(signing_keys(current_app), salt=f"transactions.json {counted}")
