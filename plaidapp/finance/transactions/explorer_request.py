"""What the address of a request asks the explorer for."""

from flask import abort, request

from plaidapp.auth.access import person
from plaidapp.store.transactions.reader import Place

from . import keyset
from .filter_form import ExplorerForm
from .listing import Listing


def listing() -> Listing:
    """The list of the filter in the address. Abort with 400 if the filter is not valid."""
    form = ExplorerForm(request.args)
    if not form.validate():
        abort(400)
    return Listing(person().id, form, place(form))


def place(form: ExplorerForm) -> Place | None:
    """The place in the address after which the page begins. Abort with 400 if it is not valid.

    `form` is valid.
    """
    after = request.args.get("after")
    try:
        return keyset.parse(after, form.order[0]) if after else None
    except ValueError:
        abort(400)
