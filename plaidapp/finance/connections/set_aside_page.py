"""The page of what could not be read from a bank: the reasons, and the text that it sent."""

from flask import render_template

from plaidapp.auth.access import owned_or_404
from plaidapp.store.connections import items
from plaidapp.store.transactions import set_aside

from ..base.blueprint import blueprint

MOST = 50
"""How many entries the page lists."""


@blueprint.get("/items/<int:item_id>/unread")
def set_aside_rows(item_id: int) -> str:
    row = owned_or_404(items.owned, item_id)
    counts = set_aside.count(row.id)
    return render_template(
        "finance/connections/set_aside.html",
        item=row,
        counts=counts,
        total=counts.total(),
        rows=set_aside.of_item(row.id, MOST),
    )
