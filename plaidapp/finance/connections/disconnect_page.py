"""Disconnect a bank: a page that says what will happen, and the button that does it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.events import event
from plaidapp.htmx import is_htmx, notice
from plaidapp.jobs import queue
from plaidapp.jobs.connections.disconnect import disconnect
from plaidapp.store import Account, Item
from plaidapp.store.connections import accounts, disconnection, item_states, items, standby
from plaidapp.store.people import activity
from plaidapp.store.transactions import monthly_totals

from ..base.blueprint import blueprint
from ..pulls import pull_view

Answer = str | Response | tuple[str, int]
KEEP, DELETE = "keep", "delete"
CHOOSE = lazy_gettext("Choose what happens to the history.")
REPLACED = lazy_gettext("You connected this bank again. Disconnect the newer connection instead.")
DELETED = lazy_gettext("You disconnected this bank, and its history is being deleted.")
KEPT = lazy_gettext("You have disconnected this bank. You can still delete its history.")


@dataclass(frozen=True)
class Consequences:
    """What disconnecting an Item means. Another connection takes over the accounts in `shared`.

    `own` are the others, those of former connections to the bank included, and `rows` is how many
    transactions they have.
    """

    own: Sequence[Account]
    shared: Sequence[Account]
    rows: int


@blueprint.get("/items/<int:item_id>/disconnect")
def disconnect_page(item_id: int) -> Answer:
    item = owned_or_404(items.owned, item_id)
    return _page(item, _refusal(item, DELETE))


@blueprint.post("/items/<int:item_id>/disconnect")
def disconnect_item(item_id: int) -> Answer:
    """End the connection. `history` says whether what is stored of it stays."""
    item = owned_or_404(items.owned, item_id)
    history = request.form.get("history", "")
    if refusal := _refusal(item, history):
        return notice(refusal, 422) if is_htmx() else (_page(item, refusal), 422)
    ended = item.state in item_states.BY_PERSON
    kind = activity.Kind.HISTORY_DELETED if ended else activity.Kind.DISCONNECTED
    activity.note(person().id, kind, item.institution_name or "")
    pull = disconnect(item, deletes_history=history == DELETE)
    queue.ring(pull)  # commits
    event("disconnect", person=person().opaque_id, item=item_id, history=history)
    if is_htmx():
        return pull_view.answer(pull)
    return redirect(url_for("finance.connections", _anchor=f"pull-{pull.id}"))


def _refusal(item: Item, history: str) -> str | None:
    """Return why that can't be done with the history, if it can't."""
    if history not in (KEEP, DELETE):
        return str(CHOOSE)
    if item.state == item_states.REPLACED:
        return str(REPLACED)
    if item.deletes_history:
        return str(DELETED)
    if item.state in item_states.BY_PERSON and history == KEEP:
        return str(KEPT)
    return None


def _page(item: Item, refusal: str | None) -> str:
    return render_template(
        "finance/connections/disconnect.html",
        item=item,
        refusal=refusal,
        is_over=item.state in item_states.BY_PERSON,
        consequences=_consequences(item),
    )


def _consequences(item: Item) -> Consequences:
    shared = standby.of_others(item.id)
    shared_ids = {account.id for account in shared}
    connections = (item.id, *disconnection.predecessors(item.id))
    listed = [account for each in connections for account in accounts.of_item(each)]
    own = [account for account in listed if account.id not in shared_ids]
    rows = monthly_totals.count_stored([account.id for account in own])
    return Consequences(own, shared, rows)
