"""Deleting webhooks and keys of Plaid's that are too old. See policy/retention.py."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select

from plaidapp import policy

from ..base.types import now
from ..base.writes import write
from .deliveries import WaitingWebhook, Webhook
from .signing_keys import WebhookKey


def delete_of_items(item_ids: Sequence[int], most: int) -> int:
    """Delete old webhooks about these Items, but for the last ones of each.

    Plaid repeats a webhook for a day, so none that is deleted comes again.
    """
    place = func.row_number().over(partition_by=Webhook.item_id, order_by=Webhook.id.desc())
    theirs = select(Webhook.id, Webhook.received_at, place.label("place"))
    ranked = theirs.where(Webhook.item_id.in_(item_ids)).subquery()
    is_old = ranked.c.received_at < now() - policy.WEBHOOKS_KEPT
    waiting = select(WaitingWebhook.webhook_id)
    old = select(ranked.c.id).where(
        ranked.c.place > policy.HISTORY_KEPT, is_old, ranked.c.id.not_in(waiting)
    )
    return write(delete(Webhook).where(Webhook.id.in_(old.limit(most))))


def delete_of_nobody(most: int) -> int:
    """Delete old webhooks that name nothing, and keys that no webhook is signed with anymore."""
    names_nothing = Webhook.item_id.is_(None), Webhook.session_id.is_(None)
    is_old = Webhook.received_at < now() - policy.WEBHOOKS_KEPT
    old = select(Webhook.id).where(*names_nothing, is_old).limit(most)
    unused = WebhookKey.asked_at < now() - policy.KEYS_KEPT
    return write(delete(Webhook).where(Webhook.id.in_(old))) + write(
        delete(WebhookKey).where(unused)
    )
