"""A person presses a button that begins a pull."""

from collections.abc import Sequence
from datetime import date, datetime

from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import clicks, kinds, pulls, transitions

from . import queue


class TooOftenError(Exception):
    """Plaid bills what the button does. `until` says when the person may press it again."""

    def __init__(self, until: datetime) -> None:
        self.until = until


def press(user_id: int, kind: str, items: Sequence[Item], **days: date | None) -> Pull:
    """Return the pull that is under way for the same button and days, or a new one.

    Nothing that was pressed is lost: if the pull may have asked the banks already, it asks them
    once more. Commits, and rings the queue. Raises TooOftenError, and then changes nothing.
    """
    users.lock_clicks(user_id)
    facts, item_ids = kinds.of(kind), [item.id for item in items]
    if facts.syncs:
        sync_progress.request_sync(item_ids)  # a pull that is under way can't end before the commit
    pull = clicks.under_way(user_id, kind, item_ids, **days)
    if pull is None or not _goes_on(pull):
        allow(user_id, kind, len(items))
        pull = pulls.add(user_id, kind, items, **days)
    if pull.state == pulls.QUEUED and pull.run_after <= now():
        queue.ring(pull)
    else:
        db.session.commit()
    return pull


def _goes_on(pull: Pull) -> bool:
    """Have the pull ask the banks once more if it has to. False if it has ended meanwhile."""
    transitions.hurry(pull.id, by_person=True)
    if not pull.facts.syncs and pull.attempt > 0 and pull.repeats == pull.repeats_begun:
        allow(pull.user_id, pull.kind, len(pull.items))
        if not transitions.repeat(pull.id):
            return False
    db.session.refresh(pull)  # an UPDATE changed it behind the session's back
    return True


def allow(user_id: int, kind: str, calls: int) -> None:
    """Raises TooOftenError if the person may not cause so many more calls that Plaid bills."""
    if until := clicks.free_at(user_id, kind, calls):
        db.session.rollback()
        raise TooOftenError(until)
