"""The clock: finds pulls and Items that need work and rings for them. Several clocks do no harm.

Redis may be wiped, workers killed, and jobs lost between two commands. The rows of the pulls
remain, and the clock looks through them.
"""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import pulls, transitions
from plaidapp.store.transactions import search_backfill
from plaidapp.store.webhooks import signing_keys

from . import queue
from .pulls import item_requests

log = logging.getLogger(__name__)


def reclaim() -> None:
    """Queue pulls again whose worker died."""
    reclaimed = transitions.reclaim_orphans()
    db.session.commit()
    if reclaimed:
        log.warning("%s pulls had lost their worker and are queued again", reclaimed)


def ring_due() -> None:
    """Ring for every pull that is due and has not been rung for recently."""
    while due := transitions.due():
        if not queue.ring_all(due):
            break  # Redis is away: the next tick tries again
    db.session.rollback()


def ask_for_neglected() -> None:
    """Start a pull for every Item that should have been synced by now."""
    for item in sync_progress.neglected(policy.NEGLECTED_BATCH):
        if sync_progress.claim_sweep(item):
            item_requests.sync(item, pulls.CLOCK)
        db.session.commit()


def fill_in_search() -> None:
    """Make some rows searchable that older code has stored."""
    search_backfill.fill(policy.SEARCH_BATCH)
    db.session.commit()


def tick(number: int) -> None:
    if number % policy.NEGLECTED_TICKS == 0:
        ask_for_neglected()
        signing_keys.delete_unknown()
        db.session.commit()
    reclaim()
    ring_due()
    fill_in_search()


def run(stop: threading.Event) -> None:
    """Tick until `stop` is set. If the database is away, log it and try again."""
    number = 0
    while not stop.is_set():
        try:
            tick(number)
        except SQLAlchemyError as error:
            db.session.rollback()
            log.error("The clock can't reach the database: %s", type(error).__name__)
        finally:
            db.session.remove()
        number += 1
        stop.wait(policy.CLOCK_TICK)
