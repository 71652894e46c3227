"""What is true of a connection now. Every line of a page that says so goes by this."""

from collections.abc import Sequence

from plaidapp import policy
from plaidapp.store import Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states

from .blueprint import blueprint

TROUBLED = "troubled"
"""It has an error that waiting won't fix, or soon will have one. `error_message` says which."""
FAILING = "failing"
"""The last sync failed for a reason that may pass, and is tried again."""
CONNECTING = "connecting"
"""The bank has not answered yet."""
PREPARING = "preparing"
"""The bank has not sent its whole history yet."""
WITHOUT_ROWS = "without_rows"
"""The bank does not offer transactions."""
OUTDATED = "outdated"
"""The last sync is too long ago."""
UPDATING = "updating"
"""A sync was requested and is not finished."""
CURRENT = "current"

BY_URGENCY = (
    TROUBLED,
    FAILING,
    CONNECTING,
    PREPARING,
    OUTDATED,
    WITHOUT_ROWS,
    UPDATING,
    CURRENT,
)


@blueprint.app_template_filter()
def standing(item: Item) -> str:
    """Return one of the constants above."""
    if item.error_message:
        return TROUBLED
    if item.failing_since:
        return FAILING
    if item.sync_refusal:
        return WITHOUT_ROWS
    if item.preparing_since or (item.synced_at and item.update_status != item_states.COMPLETE):
        return PREPARING
    if item.synced_at is None:
        return CONNECTING
    if item.synced_at < now() - policy.CURRENT_FOR:
        return OUTDATED
    return UPDATING if item.is_behind else CURRENT


@blueprint.app_template_filter()
def most_urgent(connected: Sequence[Item]) -> Item | None:
    """Return the connection that a page has to mention first; None if there is none."""
    return min(connected, key=lambda item: BY_URGENCY.index(standing(item)), default=None)


@blueprint.app_template_filter()
def any_incomplete(connected: Sequence[Item]) -> bool:
    """Return True if some bank's history is still incomplete, so that figures are "so far"."""
    return any(
        item.update_status != item_states.COMPLETE and not item.sync_refusal for item in connected
    )
