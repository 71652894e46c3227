"""Handle a stored webhook again, because an operator asks for it.

It waits in the inbox like one that has just come, and does what it would do then. So it does no
harm to replay one twice: a sync is requested once more, or a state is stored again.
"""

from enum import Enum

from plaidapp.extensions import db
from plaidapp.store import Item, LinkSession, Webhook
from plaidapp.store.connections import item_states
from plaidapp.store.webhooks import deliveries

from . import handlers


class Refusal(Enum):
    """Why a webhook is not replayed.

    NO_BODY: it has been deleted. UNKNOWN: nothing here handles its code. GONE: what it is about has
    ended. OLD: it tells of a state, and something later tells of another.
    """

    NO_BODY, UNKNOWN, GONE, OLD = range(4)


def replay(webhook: Webhook) -> Refusal | None:
    """Have it handled again after the commit. Return why not, if it can't be."""
    if not webhook.body:
        return Refusal.NO_BODY
    if not handlers.is_known(handlers.read(webhook.body.encode())):
        return Refusal.UNKNOWN
    item = db.session.get(Item, webhook.item_id) if webhook.item_id else None
    session = db.session.get(LinkSession, webhook.session_id) if webhook.session_id else None
    if session is None and (item is None or item.state in item_states.ENDED):
        return Refusal.GONE
    if item and webhook.code in handlers.TELLS_STATE and _is_old(webhook, item):
        return Refusal.OLD
    deliveries.put_off(webhook.token)
    return None


def _is_old(webhook: Webhook, item: Item) -> bool:
    """A replay must not bring an error back that is over."""
    has_synced = item.synced_at is not None and item.synced_at > webhook.received_at
    news = {*handlers.TELLS_STATE, "LOGIN_REPAIRED"}
    return has_synced or deliveries.has_later(webhook, news)
