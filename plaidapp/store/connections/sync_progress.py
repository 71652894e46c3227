"""How far an Item is synced: requests, the cursor, and when the bank has to be asked again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, func, literal, or_, select, update

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import Moment, now
from ..base.writes import write
from .items import COMPLETE, ERROR, NOT_SYNCED, RECOVERED, REPLACED, TABLE, Item


def neglected(limit: int) -> Sequence[Item]:
    """Return Items that the clock has to sync.

    These are Items with a request that no sync has answered, Items whose bank is still preparing
    and should be asked again, and Items that were not synced for policy.SYNC_INTERVAL.
    """
    moment = now()
    never_planned = Item.ask_after.is_(None) & (Item.update_status != COMPLETE)
    may_be_ready = (Item.ask_after <= moment) | never_planned
    behind = (Item.sync_applied < Item.sync_requested) | may_be_ready
    last_sweep = func.coalesce(Item.swept_at, Item.created_at)
    last_sync = func.coalesce(Item.synced_at, Item.created_at)
    return db.session.scalars(
        select(Item)
        .where(
            Item.state.not_in(NOT_SYNCED),
            or_(
                and_(behind, Item.state != ERROR, last_sweep < moment - policy.UNFINISHED_INTERVAL),
                and_(
                    last_sync < moment - policy.SYNC_INTERVAL,
                    last_sweep < moment - policy.SYNC_INTERVAL,
                ),
            ),
        )
        .order_by(Item.id)
        .limit(limit)
    ).all()


def claim_sweep(item: Item) -> bool:
    """Record that the clock asks for a sync. True for one of several clocks that do so at once."""
    unchanged = Item.swept_at.is_not_distinct_from(item.swept_at)
    return write(update(Item).where(Item.id == item.id, unchanged).values(swept_at=now())) == 1


def request_sync(item_ids: Sequence[int]) -> None:
    """Count one more request for each Item. In SQL, so that two at the same time count as two."""
    write(update(Item).where(Item.id.in_(item_ids)).values(sync_requested=Item.sync_requested + 1))


class Advance(Enum):
    """The outcome of a sync for its Item.

    LOST: another sync moved the cursor first. APPLIED: every request is applied. BEHIND: a request
    came in during the sync and is not applied yet.
    """

    LOST, APPLIED, BEHIND = range(3)


_WANT = bindparam("want", type_=Integer)
_ANSWERED: Mapping[str, Any] = {
    "sync_applied": case((TABLE.c.sync_applied < _WANT, _WANT), else_=TABLE.c.sync_applied),
    "preparing_since": bindparam("since"),
    "ask_after": bindparam("again"),
    "failing_since": None,
    "failing_message": None,
    "sync_refusal": bindparam("refusal"),
    **RECOVERED,
}
"""Values for an update after the bank has answered a sync, in whichever way."""
_ADVANCE = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"), TABLE.c.cursor == bindparam("came_from"))
    .values(
        cursor=bindparam("new_cursor"),
        update_status=bindparam("status"),
        synced_at=bindparam("moment"),
        changed_at=func.coalesce(bindparam("changed_at", type_=Moment), TABLE.c.changed_at),
        **_ANSWERED,
    )
    .returning((TABLE.c.sync_applied < TABLE.c.sync_requested) & (TABLE.c.state != REPLACED))
)


def advance(
    item_id: int, came_from: str, cursor: str, want: int, status: str, *, changed: bool
) -> Advance:
    """Move the cursor forward if it is still where the update began.

    Marks every request up to number `want` as applied. The caller stores the rows in the same
    transaction, and rolls back if the outcome is LOST. `changed` is True if there are such rows.
    Nobody can make another request until the commit.
    """
    moment = now()
    values = {
        "item_id": item_id,
        "came_from": came_from,
        "new_cursor": cursor,
        "want": want,
        "status": status,
        "moment": moment,
        "changed_at": moment if changed else None,
        "refusal": None,
        **_waiting(item_id, moment, is_complete=status == COMPLETE),
    }
    behind = db.session.scalar(_ADVANCE, values)
    if behind is None:
        return Advance.LOST
    return Advance.BEHIND if behind else Advance.APPLIED


def _waiting(item_id: int, moment: datetime, *, is_complete: bool) -> dict[str, datetime | None]:
    """Return since when the bank has been preparing, and when to ask it again."""
    if is_complete:
        return {"since": None, "again": None}
    since = db.session.scalar(select(Item.preparing_since).where(Item.id == item_id)) or moment
    return {"since": since, "again": moment + policy.preparing_delay(moment - since)}


def next_asked(item_ids: Sequence[int]) -> datetime | None:
    """Return when the first of these Items is to be asked again that are still preparing."""
    return db.session.scalar(select(func.min(Item.ask_after)).where(Item.id.in_(item_ids)))


_WITHOUT_ROWS = update(TABLE).where(TABLE.c.id == bindparam("item_id")).values(**_ANSWERED)


def not_ready(item_id: int, want: int) -> None:
    """Record that the bank has no rows yet. That answers every request up to number `want`."""
    waiting = _waiting(item_id, now(), is_complete=False)
    write(_WITHOUT_ROWS, {"item_id": item_id, "want": want, "refusal": None, **waiting})


def refused(item_id: int, want: int, code: str) -> None:
    """Record that the bank offers no transactions. That answers every request up to `want`."""
    nothing = {"since": None, "again": None}
    write(_WITHOUT_ROWS, {"item_id": item_id, "want": want, "refusal": code, **nothing})


def failing(item_id: int, sentence: str) -> None:
    """Record that a sync failed for a reason that may pass. The next answer ends it."""
    since = func.coalesce(Item.failing_since, literal(now(), Moment))
    changes = {"failing_since": since, "failing_message": sentence}
    write(update(Item).where(Item.id == item_id).values(**changes))


def streams_due(item_id: int) -> bool:
    """Return True when it is time to ask for the Item's recurring payments.

    That is once its history is complete. After that, it is every policy.RECURRING_INTERVAL, but
    only if its transactions have changed since the last time.
    """
    stale = and_(
        Item.changed_at > Item.streams_at, Item.streams_at < now() - policy.RECURRING_INTERVAL
    )
    query = select(or_(Item.streams_at.is_(None), stale))
    return bool(db.session.scalar(query.where(Item.id == item_id, Item.update_status == COMPLETE)))


def streams_read(item_id: int, moment: datetime, refusal: str | None) -> bool:
    """Record that the bank was asked for recurring payments at `moment`.

    Returns False if a later answer is already stored. Otherwise the caller stores this answer in
    the same transaction.
    """
    older = or_(Item.streams_at.is_(None), Item.streams_at < moment)
    return (
        write(
            update(Item)
            .where(Item.id == item_id, older)
            .values(streams_at=moment, streams_refusal=refusal)
        )
        == 1
    )
