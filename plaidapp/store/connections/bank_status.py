"""When each bank last delivered data to Plaid, as Plaid says, and when Plaid is asked about that.

https://plaid.com/docs/api/items/#itemget
"""

from datetime import MAXYEAR, UTC, datetime
from typing import cast

from sqlalchemy import Table, exists, or_, select, update

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import now
from ..base.upsert import upsert
from ..base.writes import write
from .institutions import Institution
from .item import Item

DOWN = "DOWN"
_INSTITUTIONS = cast(Table, Institution.__table__)


def is_due(item: Item) -> bool:
    """Return True when it is time to ask Plaid, after a sync with nothing new or one that failed.

    A connection that has been failing for a while is asked about more often.
    """
    moment, failing = now(), item.failing_since
    is_failing = failing is not None and failing <= moment - policy.DOWN_INTERVAL
    interval = policy.DOWN_INTERVAL if is_failing else policy.STATUS_INTERVAL
    return (item.status_read_at or item.created_at) <= moment - interval


def save(item_id: int, updated_at: datetime | None, failed_at: datetime | None) -> None:
    """Store when Plaid last got data from the bank and last failed to, as it says now."""
    values = {"bank_updated_at": _readable(updated_at), "bank_failed_at": _readable(failed_at)}
    write(update(Item).where(Item.id == item_id).values(status_read_at=now(), **values))


def save_expiry(item_id: int, moment: datetime | None, reason: str | None = None) -> None:
    """Store when the permission ends, and Plaid's reason."""
    values = {"consent_expires_at": _readable(moment), "expiry_reason": reason}
    write(update(Item).where(Item.id == item_id).values(**values))


def _readable(moment: datetime | None) -> datetime | None:
    """A moment without a time zone is in UTC. The last year of Python's calendar has no local days
    everywhere."""
    if moment is None or moment.year >= MAXYEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def claim_bank(institution_id: str, name: str | None) -> bool:
    """Return True for one caller in policy.DOWN_INTERVAL, who may ask whether the bank works."""
    moment = now()
    upsert(_INSTITUTIONS, ("institution_id",), [{"institution_id": institution_id, "name": name}])
    asked = Institution.status_read_at
    is_due = or_(asked.is_(None), asked <= moment - policy.DOWN_INTERVAL)
    claim = update(Institution).where(Institution.institution_id == institution_id, is_due)
    return write(claim.values(status_read_at=moment)) == 1


def is_down(institution_id: str | None) -> bool:
    """Return True if Plaid said so when it was last asked, unless that is long ago."""
    recently = Institution.status_read_at > now() - 2 * policy.DOWN_INTERVAL
    this = Institution.institution_id == institution_id, Institution.status == DOWN
    return bool(db.session.scalar(select(exists().where(*this, recently))))


def save_bank(institution_id: str, status: str | None) -> None:
    this = update(Institution).where(Institution.institution_id == institution_id)
    write(this.values(status=status))
