"""The clock: finds what was left undone and rings for it. Any number of clocks is harmless.

Redis may be wiped, workers killed, jobs lost between two commands: the pulls' rows remain, and
this is what goes through them.
"""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from plaidapp.extensions import db
from plaidapp.store import pulls

from . import queue

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between looks for pulls whose time has come; one indexed query."""
SWEEP_EVERY = 10
"""Ticks between looks for pulls whose worker died."""


def sweep() -> int:
    """Queues orphaned pulls again; returns how many."""
    reclaimed = pulls.reclaim_orphans()
    db.session.commit()
    if reclaimed:
        log.warning("%s pulls had lost their worker and are queued again", reclaimed)
    return reclaimed


def ring_due() -> None:
    """Rings for every pull that is due and that no worker has been told of lately."""
    for pull_id in pulls.due():
        if not queue.ring(pulls.by_id(pull_id)):
            break  # Redis is away: the next tick tries again
    db.session.rollback()


def run(stop: threading.Event) -> None:
    """Until `stop` is set. A database or queue that is away is logged and tried again."""
    ticks = 0
    while not stop.is_set():
        try:
            if ticks % SWEEP_EVERY == 0:
                sweep()
            ring_due()
        except SQLAlchemyError as error:
            db.session.rollback()
            log.error("The clock can't reach the database: %s", type(error).__name__)
        finally:
            db.session.remove()
        ticks += 1
        stop.wait(TICK)
