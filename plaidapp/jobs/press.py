"""A person presses a button that begins a pull."""

from collections.abc import Sequence
from datetime import date, datetime

from plaidapp import clicks_under_way, policy
from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import clicks, kinds, pulls, transitions
from plaidapp.store.pulls.clicks import Begun

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
    clicks_under_way.expect(policy.CLICK_BEGINS)
    users.lock_clicks(user_id)
    item_ids = [item.id for item in items]
    if not kinds.of(kind).begins_anew:
        # A pull that is under way can't end before the commit.
        sync_progress.request_syncs(item_ids)
    begun = clicks.begun(user_id, kind, **days)
    under_way = begun.under_way(item_ids)
    pull = pulls.owned(under_way, user_id) if under_way else None
    if pull is None or not _goes_on(pull, begun):
        allow(begun, len(items))
        moment = now()  # if it were due later than it was rung for, the clock would ring again
        rung_at = moment if begun.has_turn else None
        pull = pulls.add(user_id, kind, items, run_after=moment, rung_at=rung_at, **days)
        queue.ring_marked(pull)
    elif pull.state == pulls.QUEUED and pull.run_after <= now():
        queue.ring(pull)
    else:
        db.session.commit()
    return pull


def _goes_on(pull: Pull, begun: Begun) -> bool:
    """Have the pull ask the banks once more if it has to. False if it has ended meanwhile."""
    transitions.hurry(pull.id, by_person=True)
    if pull.facts.begins_anew and pull.attempt > 0 and pull.repeats == pull.repeats_begun:
        allow(begun, len(pull.items))
        if not transitions.repeat(pull.id):
            return False
    db.session.refresh(pull)  # an UPDATE changed it behind the session's back
    return True


def allow(begun: Begun, calls: int) -> None:
    """Raises TooOftenError if the person may not cause so many more calls that Plaid bills."""
    if until := begun.free_at(calls):
        db.session.rollback()
        raise TooOftenError(until)
