"""The banner at the top of every page: the one connection that most needs the person."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import render_template, request
from flask_login import current_user

from plaidapp.auth.access import person
from plaidapp.store import Item
from plaidapp.store.connections import items

from .blueprint import blueprint, polled
from .ledger_polls import unless_unchanged
from .standing import BY_URGENCY, NEEDS_PERSON, standing

KEPT = "plaidapp.attention"


@dataclass(frozen=True)
class Attention:
    """`item` needs the person, if there is one, and so do as many `others`.

    `of_item` is the connection whose page it is on: it comes first there.
    """

    item: Item | None = None
    others: int = 0
    of_item: int | None = None


@blueprint.app_template_global()
def attention() -> Attention:
    """Return what the banner says. It asks the database once for each request at most."""
    if not current_user.is_authenticated:
        return Attention()
    if KEPT not in request.environ:
        find_among(items.needing_care(person().id))
    found: Attention = request.environ[KEPT]
    return found


def find_among(listed: Iterable[Item]) -> None:
    """Choose what the banner says. A page that has read all of the person's Items saves a query."""
    request.environ[KEPT] = _find(listed)


@blueprint.app_template_global()
def is_in_banner(item: Item) -> bool:
    """Return True if the banner says what this connection needs: nothing else repeats it."""
    found = attention().item
    return found is not None and found.id == item.id


def _find(listed: Iterable[Item]) -> Attention:
    of_item = request.args.get("item", type=int) or (request.view_args or {}).get("item_id")
    needy = [item for item in listed if standing(item) in NEEDS_PERSON]
    needy.sort(key=lambda item: (item.id != of_item, BY_URGENCY.index(standing(item))))
    return Attention(needy[0] if needy else None, len(needy[1:]), of_item)


@polled.get("/attention")
@unless_unchanged
def attention_banner() -> str:
    """The banner alone, for pages that nothing else keeps up to date."""
    return render_template("_attention.html")
