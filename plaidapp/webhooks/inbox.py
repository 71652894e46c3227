"""Handle the webhooks that were stored and answered while a sync had locked what they change.

One that can't be handled stops no other: it is logged, and stays stored for *Replay*.
"""

import logging

from sqlalchemy.exc import OperationalError

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import Item, LinkSession, Webhook
from plaidapp.store.base.dialect import is_of_lock, wait_briefly_for_locks
from plaidapp.store.connections import item_states
from plaidapp.store.webhooks import deliveries

from . import handlers

log = logging.getLogger(__name__)


def handle_waiting() -> int:
    """Handle the webhooks that wait, in the order in which they came, but leave those for later
    whose Item is still locked. Return how many were handled.
    """
    last, number = 0, 0
    while True:
        wait_briefly_for_locks(policy.WEBHOOK_LOCK_WAIT)
        webhook = deliveries.next_waiting(last)
        if webhook is None:
            db.session.rollback()
            return number
        last = webhook.id
        try:
            _handle(webhook)
            number += 1
        except OperationalError as error:  # if the database is away, the next look says so
            db.session.rollback()
            if not is_of_lock(error):
                log.error("Webhook %s is handled later: %s", last, type(error).__name__)
        except Exception:
            db.session.rollback()
            log.exception("Webhook %s can't be handled", last)
            deliveries.give_up(last)
            db.session.commit()


def _handle(webhook: Webhook) -> None:
    item = db.session.get(Item, webhook.item_id) if webhook.item_id else None
    session = db.session.get(LinkSession, webhook.session_id) if webhook.session_id else None
    deliveries.handled(webhook)
    pull = None
    if not (item and item.state in item_states.BY_PERSON):
        event = handlers.read(webhook.body.encode())
        pull = handlers.handle(event, item, session)
    if pull:
        queue.ring(pull)  # commits first
    else:
        db.session.commit()
