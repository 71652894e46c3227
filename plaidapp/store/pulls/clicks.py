"""What a person has begun with a button, and how much of what Plaid bills or limits they may begin.

Call `users.lock_clicks` before both functions, so that two clicks at the same time see each other.
The queries are made once, since making them takes longer than running them.
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Date, bindparam, func, select

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import Moment, now
from . import kinds
from .pulls import PERSON, QUEUED, RUNNING, WITH_ITEMS, Pull, PullItem

_UNDER_WAY = (
    select(Pull)
    .where(
        Pull.state.in_((QUEUED, RUNNING)),
        Pull.asked_by == PERSON,
        Pull.user_id == bindparam("user_id"),
        Pull.kind == bindparam("kind"),
        Pull.start_date.is_not_distinct_from(bindparam("start_date", type_=Date)),
        Pull.end_date.is_not_distinct_from(bindparam("end_date", type_=Date)),
    )
    .order_by(Pull.id.desc())
    .options(WITH_ITEMS)
)


def under_way(user_id: int, kind: str, item_ids: Iterable[int], **days: date | None) -> Pull | None:
    """Return a queued or running pull that the person began with the same button.

    It is about the same days and at least these Items.
    """
    button = {"user_id": user_id, "kind": kind, "start_date": None, "end_date": None, **days}
    found = db.session.scalars(_UNDER_WAY, button).unique()
    wanted = set(item_ids)
    return next((pull for pull in found if wanted <= {each.item_id for each in pull.items}), None)


def free_at(user_id: int, kind: str, calls: int) -> datetime | None:
    """Return when so many more calls for pulls of this kind are allowed; None if they are now.

    Each Item of a pull counts as a call, once more for each repeat and each *Try again*."""
    limits = {
        kinds.ACCOUNTS: policy.BALANCE_CALLS,
        kinds.REFRESH: policy.REFRESH_CALLS,
        kinds.CHECK: policy.CHECK_CLICKS,
        kinds.REPAIR: policy.CHECK_CLICKS,
    }
    if kind not in limits:
        return None
    used = _used(user_id, kind)
    left = limits[kind] - sum(count for _, count in used)
    until = None
    for created_at, count in used:  # until all of it is long ago, if the person has many Items
        if calls <= left:
            break
        left += count
        until = created_at + policy.BILLED_WITHIN
    return until


_USED = (
    select(Pull.created_at, func.count() * (1 + Pull.repeats))
    .join(PullItem)
    .where(
        Pull.user_id == bindparam("user_id"),
        Pull.kind == bindparam("kind"),
        Pull.created_at > bindparam("since", type_=Moment),
        Pull.asked_by == PERSON,
    )
    .group_by(Pull.id)
    .order_by(Pull.created_at)
)


def _used(user_id: int, kind: str) -> list[tuple[datetime, int]]:
    """Return the moment and the number of calls of each pull within the time, oldest first."""
    since = now() - policy.BILLED_WITHIN
    found = db.session.execute(_USED, {"user_id": user_id, "kind": kind, "since": since})
    return [(row[0], row[1]) for row in found]
