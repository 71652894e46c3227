"""The clock: finds pulls and Items that need work and rings for them. Several clocks do no harm.

Redis may be wiped, workers killed, and jobs lost between two commands. The rows of the pulls
remain, and the clock looks through them.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.base import old_texts
from plaidapp.store.connections import check_times, sync_progress
from plaidapp.store.people import (
    activity,
    known_devices,
    login_sessions,
    mail_links,
    spent_tokens,
    tries,
)
from plaidapp.store.pulls import line, transitions
from plaidapp.store.transactions import detailed_backfill, search_backfill
from plaidapp.store.webhooks import signing_keys

from . import queue
from .connections import link_looks, rotation
from .diary import Diary
from .pulls import item_requests
from .retention import prune as retention

log = logging.getLogger(__name__)


def reclaim() -> None:
    """Queue pulls again whose worker died."""
    reclaimed = transitions.reclaim_orphans()
    db.session.commit()
    if reclaimed:
        log.warning("%s pulls had lost their worker and are queued again", reclaimed)


def ring_due() -> None:
    """Ring for pulls that are due and have not been rung for recently, as many as one tick may."""
    queue.ring_all(line.due())
    db.session.rollback()


def ask_for_neglected() -> None:
    """Start a pull for Items that should have been synced by now, as many as one tick may."""
    looked = sync_progress.to_look_at(policy.NEGLECTED_BATCH)
    neglected = sync_progress.neglected(looked)
    if len(looked) == policy.NEGLECTED_BATCH:
        neglected = sync_progress.without_herd(neglected)
    sync_progress.looked_at(looked, neglected, item_requests.sweep(neglected))
    db.session.commit()


def check_against_banks() -> None:
    """Start checks that are due, as many as there is room for behind everything else."""
    check_times.plan_new(policy.NEGLECTED_BATCH)
    if room := line.room_for_checks():
        item_requests.check(check_times.take_due(room))
    db.session.commit()


def look_at_links() -> None:
    """Have sessions of Link looked at that nobody has looked at for a while."""
    link_looks.see_to_due()
    db.session.commit()


def fill_in_search() -> None:
    """Make some rows searchable that older code has stored."""
    search_backfill.fill(policy.SEARCH_BATCH)
    db.session.commit()


def split_totals() -> None:
    """Split monthly totals into detailed ones that older code has stored without."""
    detailed_backfill.fill(policy.DETAILED_ROWS)
    db.session.commit()


def redact_old_texts() -> None:
    """Redact texts that older code has stored as Plaid sent them."""
    old_texts.clean(policy.TEXTS_BATCH)
    db.session.commit()


def clean_up() -> None:
    """Delete what has had its day: forged key ids, old sessions, devices, links in mails, activity
    and counts of tries."""
    signing_keys.delete_unknown()
    login_sessions.delete_over(policy.SESSIONS_BATCH)
    known_devices.delete_old(policy.KNOWN_DEVICES_BATCH)
    mail_links.delete_over(policy.LINKS_BATCH)
    tries.delete_ended(policy.TRIES_BATCH)
    activity.delete_old(policy.ACTIVITY_BATCH)
    spent_tokens.delete_expired(policy.SPENT_BATCH)
    db.session.commit()


def prune() -> None:
    """Delete some of what is too old, if it is time for that."""
    retention.step()


DUTIES: dict[Callable[[], None], int] = {
    ask_for_neglected: 1,
    clean_up: policy.CLEANUP_TICKS,
    reclaim: 1,
    look_at_links: 1,
    check_against_banks: 1,
    ring_due: 1,
    fill_in_search: 1,
    split_totals: 1,
    redact_old_texts: 1,
    prune: 1,
}
"""What the clock does, in this order, and in which ticks: 10 is every tenth."""


def tick(number: int, diary: Diary | None = None) -> None:
    """Do all duties of this tick. `diary` notes what was done. One that fails stops no other.

    Raises OperationalError if the database is away.
    """
    if number == 0:
        rotation.warn_of_unbound()
        db.session.commit()
    for duty, ticks in DUTIES.items():
        if number % ticks == 0:
            try:
                with diary.duty(duty.__name__) if diary else nullcontext():
                    duty()
            except OperationalError:
                raise
            except Exception:
                db.session.rollback()
                log.exception("The clock could not %s", duty.__name__)


def run(stop: threading.Event) -> None:
    """Tick until `stop` is set. If the database is away, log it and try again."""
    number, diary = 0, Diary()
    while not stop.is_set():
        begun = time.monotonic()
        try:
            try:
                tick(number, diary)
            finally:
                diary.save()
        except SQLAlchemyError as error:
            db.session.rollback()
            log.error("The clock can't reach the database: %s", type(error).__name__)
        finally:
            db.session.remove()
        number += 1
        stop.wait(policy.CLOCK_TICK - (time.monotonic() - begun))
