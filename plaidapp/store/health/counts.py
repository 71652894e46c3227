"""How far behind the app is. Each query reads the end of an index, or a small table."""

from sqlalchemy import func, select

from plaidapp.extensions import db

from ..base.types import now
from ..connections.item import Item
from ..webhooks.deliveries import WaitingWebhook


def clock_is_behind() -> float:
    """Return the seconds for which an Item has waited for the clock's look."""
    first = db.session.scalar(select(func.min(Item.next_look)))
    return max((now() - first).total_seconds(), 0.0) if first else 0.0


def waiting_webhooks() -> int:
    """Return how many webhooks are stored and answered, but not handled yet."""
    return db.session.scalar(select(func.count()).select_from(WaitingWebhook)) or 0
