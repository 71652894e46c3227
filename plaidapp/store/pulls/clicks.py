"""What a person has begun with a button, and how much of what Plaid bills or limits they may begin.

Call `users.lock_clicks` first, so that two clicks at the same time see each other.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Date, and_, bindparam, or_, select

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import Moment, now
from . import kinds, line
from .pulls import PERSON, QUEUED, RUNNING, Pull, PullItem


class Click(NamedTuple):
    """A pull that the person began. `is_open` says that it is queued or running."""

    pull_id: int
    is_open: bool
    created_at: datetime
    repeats: int
    item_ids: set[int]

    @property
    def calls(self) -> int:
        """Each Item counts as a call, once more for each repeat and each *Try again*."""
        return len(self.item_ids) * (1 + self.repeats)


class Begun(NamedTuple):
    """The clicks on one button that are open or not long ago, oldest first.

    `has_turn` says whether a worker may have a new click of the person now.
    """

    kind: str
    clicks: list[Click]
    has_turn: bool

    def under_way(self, item_ids: Iterable[int]) -> int | None:
        """Return the newest open pull that is about at least these Items."""
        wanted = set(item_ids)
        suitable = (each for each in self.clicks if each.is_open and wanted <= each.item_ids)
        return max((each.pull_id for each in suitable), default=None)

    def free_at(self, calls: int) -> datetime | None:
        """Return when so many more calls are allowed; None if they are now."""
        limit = _limit(self.kind)
        if limit is None:
            return None
        since = now() - policy.BILLED_WITHIN
        counted = [each for each in self.clicks if each.created_at > since]
        left = limit - sum(each.calls for each in counted)
        until = None
        for each in counted:  # until all of it is long ago, if the person has many Items
            if calls <= left:
                break
            left += each.calls
            until = each.created_at + policy.BILLED_WITHIN
        return until


def _limit(kind: str) -> int | None:
    """Return how many calls for pulls of this kind are allowed within policy.BILLED_WITHIN."""
    limits = {
        kinds.ACCOUNTS: policy.BALANCE_CALLS,
        kinds.REFRESH: policy.REFRESH_CALLS,
        kinds.CHECK: policy.CHECK_CLICKS,
        kinds.REPAIR: policy.CHECK_CLICKS,
    }
    return limits.get(kind)


_OF_BUTTON = and_(
    Pull.asked_by == PERSON,
    Pull.user_id == bindparam("user_id"),
    Pull.kind == bindparam("kind"),
    Pull.start_date.is_not_distinct_from(bindparam("start_date", type_=Date)),
    Pull.end_date.is_not_distinct_from(bindparam("end_date", type_=Date)),
    or_(Pull.state.in_((QUEUED, RUNNING)), Pull.created_at > bindparam("since", type_=Moment)),
)
# One query for all that a press has to know, because each is a round trip to the database. It is
# made once, since making it takes longer than running it. It finds a row even if there is no click.
_BEGUN = (
    select(line.AHEAD)
    .add_columns(Pull.id, Pull.state, Pull.created_at, Pull.repeats, PullItem.item_id)
    .select_from(line.AHEAD)
    .outerjoin(Pull, _OF_BUTTON)
    .outerjoin(PullItem, PullItem.pull_id == Pull.id)
    .order_by(Pull.created_at, Pull.id)
)


def begun(user_id: int, kind: str, **days: date | None) -> Begun:
    """Return what the person has begun with the button of this kind, about the same days."""
    moment = now()
    since = moment if _limit(kind) is None else moment - policy.BILLED_WITHIN
    button = {"user_id": user_id, "kind": kind, "start_date": None, "end_date": None, **days}
    ahead = {"person": user_id, "pull_id": 0, "now": moment}
    rows = db.session.execute(_BEGUN, {**button, "since": since, **ahead}).all()
    clicks: dict[int, Click] = {}
    for _, pull_id, state, created_at, repeats, item_id in rows:
        if pull_id is not None:
            click = Click(pull_id, state in (QUEUED, RUNNING), created_at, repeats, set())
            clicks.setdefault(pull_id, click).item_ids.add(item_id)
    return Begun(kind, list(clicks.values()), line.is_turn(rows[0].number))
