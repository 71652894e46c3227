"""What the address of a request asks the explorer for."""

from flask import abort, request
from werkzeug.datastructures import MultiDict

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.store.connections import merged_accounts
from plaidapp.store.transactions.reader import Place

from . import keyset, latest
from .filter_form import ExplorerForm
from .listing import Listing
from .statement import Statement


def valid(fields: MultiDict[str, str]) -> ExplorerForm:
    """The filter with these fields. Abort with 422 and sentences if it is not valid."""
    form = ExplorerForm(fields)
    if not form.validate():
        abort(422, " ".join(form.complaints))
    return form


def listing() -> Listing:
    """The list of the filter in the address, the statement of the account that it names, or the
    latest transactions of the overview.

    Abort with 422 if the filter is not valid.
    """
    if "statement" in request.args:
        return statement(request.args.get("statement", -1, type=int))
    if latest.FIELD in request.args:
        return latest.of_user(person().id)
    form = valid(request.args)
    return Listing(person().id, form, place(form))


def statement(account_id: int) -> Statement:
    """The statement of the person's account. Abort with 422 if the search is not valid."""
    account = owned_or_404(merged_accounts.owned, account_id, LARGEST_BIG_ID)
    fields = MultiDict([("account", str(account.id)), ("hidden", "any")])
    fields.setlist("q", request.args.getlist("q"))
    form = valid(fields)
    period = request.args.get("period")
    return Statement(person().id, form, place(form), account=account, period=period)


def place(form: ExplorerForm) -> Place | None:
    """The place in the address after which the page begins. Abort with 400 if it is not valid.

    `form` is valid.
    """
    after = request.args.get("after")
    try:
        return keyset.parse(after, form.order[0]) if after else None
    except ValueError:
        abort(400)
