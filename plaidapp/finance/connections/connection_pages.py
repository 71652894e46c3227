"""The page of the connections: every bank, whether it is well, and what it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import make_response, render_template, request
from werkzeug import Response

from plaidapp.auth.access import person
from plaidapp.htmx import is_htmx
from plaidapp.store import Account, Item
from plaidapp.store.connections import accounts, items
from plaidapp.store.pulls import pulls

from ..blueprint import blueprint
from ..forms import ConnectTestBankForm
from ..views import PULLS_SHOWN, view_of


@dataclass(frozen=True)
class Connection:
    """A bank and its open accounts, in the order the bank lists them."""

    item: Item
    accounts: Sequence[Account]


def connections_of(user_id: int) -> list[Connection]:
    """Oldest connection first."""
    held: dict[int, list[Account]] = {}
    for account in accounts.of_user(user_id):
        if account.closed_at is None:
            held.setdefault(account.item_id, []).append(account)
    return [Connection(item, held.get(item.id, ())) for item in items.of_user(user_id)]


@blueprint.get("/items")
def connections() -> str | Response:
    """The page; to HTMX what changes on it, or 204 when nothing changed since `revision`."""
    if is_htmx() and request.args.get("revision") == str(person().ledger_revision):
        return make_response("", 204)
    return render_template(
        "finance/connections/_banks_live.html"
        if is_htmx()
        else "finance/connections/connections.html",
        connections=connections_of(person().id),
        pulls=[view_of(pull) for pull in pulls.recent(person().id, PULLS_SHOWN)],
        connect_form=ConnectTestBankForm(formdata=None),
    )
