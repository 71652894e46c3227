"""How far an Item is synced: requests, the cursor, and when the bank has to be asked again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import (
    BindParameter,
    Case,
    Integer,
    bindparam,
    case,
    func,
    literal,
    select,
    update,
)

from plaidapp import policy
from plaidapp.bank.error_sentences import may_end_unseen
from plaidapp.extensions import db

from ..base.types import Moment, now
from ..base.writes import one_of, write
from .item import TABLE, Item
from .item_states import COMPLETE, ENDED, ERROR, NOT_SYNCED
from .state_changes import HAS_ERROR, recover


def to_look_at(limit: int) -> Sequence[Item]:
    """Return Items that the clock has to look at, those first that have waited longest.

    Locks them until the commit, and leaves out what others have locked: the clock waits for nobody,
    and several clocks share the work. The caller passes all of them to `looked_at`.
    """
    query = select(Item).where(Item.next_look <= now()).order_by(Item.next_look, Item.id)
    query = query.limit(limit).with_for_update(key_share=True, skip_locked=True)
    return db.session.scalars(query, execution_options={"populate_existing": True}).all()


def due_at(item: Item) -> datetime | None:
    """Return when the clock has to sync the Item, or None if never.

    That is soon if a request has not been answered or an error may have ended, as planned if the
    bank is still preparing, and otherwise policy.SYNC_INTERVAL after the last sync. An Item with an
    error that lasts waits that long too.
    """
    if item.state in NOT_SYNCED:
        return None
    last_sweep = item.swept_at or item.created_at
    if item.failing_since or (item.state == ERROR and may_end_unseen(item.error_code)):
        tried_again = last_sweep + policy.recovery_delay(item.sweeps)
        return max(item.failing_until or tried_again, tried_again)
    again = last_sweep + policy.sweep_delay(item.sweeps)
    if item.state != ERROR and item.is_behind:
        return again
    is_preparing = item.ask_after or item.update_status not in (None, COMPLETE)
    if item.state != ERROR and is_preparing:
        return max(item.ask_after or again, again)
    return _daily_sync(item)


def _daily_sync(item: Item) -> datetime:
    return (
        max(item.synced_at or item.created_at, item.swept_at or item.created_at)
        + policy.SYNC_INTERVAL
    )


def neglected(items: Sequence[Item]) -> list[Item]:
    """Return those of the Items that the clock has to sync now."""
    moment = now()
    return [item for item in items if (due := due_at(item)) and due <= moment]


def without_herd(items: Sequence[Item]) -> list[Item]:
    """Return the Items without those whose daily sync is late. For when very many are due.

    That is so after the app was down for long, or restored. Each of them is synced at its own time
    of day then, and from then on: all at once, they would be a flood every day.
    """
    late = now() - policy.HERD_AFTER
    return [item for item in items if item.next_look > late or due_at(item) != _daily_sync(item)]


def looked_at(looked: Sequence[Item], swept: Sequence[Item], asked: Collection[int]) -> None:
    """Store when the clock looks next. `swept` are the Items that it had to sync.

    `asked` has the ids of those for which it added a pull: each counts one more request. An Item
    that is due and was not swept has its turn at its own time of day.
    """
    moment = now()
    for item in swept:
        item.swept_at, item.sweeps = moment, item.sweeps + 1
        item.sync_requested += item.id in asked
    for item in looked:
        due = due_at(item) or moment + policy.SYNC_INTERVAL
        item.next_look = due if due > moment else policy.own_time_of_day(item.id, moment)
    db.session.flush()


def _by(moment: datetime | BindParameter[datetime]) -> Case[datetime]:
    """The clock's next look at an Item, at this moment or before."""
    return case((Item.next_look < moment, Item.next_look), else_=moment)


_REQUESTED: Mapping[str, Any] = {
    "sync_requested": TABLE.c.sync_requested + 1,
    "sweeps": 0,
    "next_look": _by(bindparam("soon", type_=Moment)),
}
_LASTS = ~one_of(TABLE.c.state, ENDED)
_REQUEST = update(TABLE).where(TABLE.c.id == bindparam("item_id"), _LASTS).values(_REQUESTED)
# Whoever locks several Items locks them in this order: then nobody waits in a circle.
_CHOSEN = (
    select(TABLE.c.id)
    .where(TABLE.c.id.in_(bindparam("item_ids", expanding=True)), _LASTS)
    .order_by(TABLE.c.id)
    .with_for_update(key_share=True)
)
_REQUEST_EACH = update(TABLE).where(TABLE.c.id.in_(_CHOSEN)).values(_REQUESTED)


def request_sync(item_id: int) -> None:
    """Count one more request. In SQL, so that two at the same time count as two. It locks the Item.

    The clock looks whether it is answered after policy.UNFINISHED_INTERVAL. Nothing is requested of
    an Item that has ended.
    """
    write(_REQUEST, {"item_id": item_id, "soon": now() + policy.UNFINISHED_INTERVAL})


def request_syncs(item_ids: Sequence[int]) -> None:
    """Count one more request for each Item."""
    write(_REQUEST_EACH, {"item_ids": item_ids, "soon": now() + policy.UNFINISHED_INTERVAL})


class Advance(Enum):
    """The outcome of a sync for its Item.

    LOST: another sync moved the cursor first. APPLIED: every request is applied. BEHIND: a request
    came in during the sync and is not applied yet.
    """

    LOST, APPLIED, BEHIND = range(3)


_WANT, _AGAIN = bindparam("want", type_=Integer), bindparam("again", type_=Moment)
_ANSWERED: Mapping[str, Any] = {
    "sync_applied": case((TABLE.c.sync_applied < _WANT, _WANT), else_=TABLE.c.sync_applied),
    "preparing_since": bindparam("since"),
    "ask_after": _AGAIN,
    "failing_since": None,
    "failing_message": None,
    "failing_code": None,
    "failing_until": None,
    "sync_refusal": bindparam("refusal"),
    "sweeps": 0,
    "next_look": case((TABLE.c.next_look > _AGAIN, _AGAIN), else_=TABLE.c.next_look),
}
"""Values for an update after the bank has answered a sync, in whichever way. An error of the Item
is over then: the update returns HAS_ERROR."""
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
    .returning(TABLE.c.sync_applied < TABLE.c.sync_requested, TABLE.c.state, HAS_ERROR)
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
    advanced = db.session.execute(_ADVANCE, values).first()
    if advanced is None:
        return Advance.LOST
    is_behind, state, has_error = advanced
    if has_error:
        recover(item_id)
    return Advance.BEHIND if is_behind and state not in ENDED else Advance.APPLIED


def _waiting(item_id: int, moment: datetime, *, is_complete: bool) -> dict[str, datetime | None]:
    """Return since when the bank has been preparing, and when to ask it again."""
    if is_complete:
        return {"since": None, "again": None}
    since = db.session.scalar(select(Item.preparing_since).where(Item.id == item_id)) or moment
    return {"since": since, "again": moment + policy.preparing_delay(moment - since)}


def next_asked(item_ids: Sequence[int]) -> datetime | None:
    """Return when the first of these Items is to be asked again that are still preparing."""
    return db.session.scalar(select(func.min(Item.ask_after)).where(Item.id.in_(item_ids)))


_WITHOUT_ROWS = (
    update(TABLE).where(TABLE.c.id == bindparam("item_id")).values(**_ANSWERED).returning(HAS_ERROR)
)


def not_ready(item_id: int, want: int) -> None:
    """Record that the bank has no rows yet. That answers every request up to number `want`."""
    moment = now()
    waiting = _waiting(item_id, moment, is_complete=False)
    _answered_without_rows({"item_id": item_id, "want": want, "refusal": None, **waiting})


def refused(item_id: int, want: int, code: str) -> None:
    """Record that the bank offers no transactions. That answers every request up to `want`."""
    not_waiting = {"since": None, "again": None}
    _answered_without_rows({"item_id": item_id, "want": want, "refusal": code, **not_waiting})


def _answered_without_rows(values: Mapping[str, Any]) -> None:
    if db.session.scalar(_WITHOUT_ROWS, values):
        recover(values["item_id"])


def failing(item_id: int, code: str, sentence: str, wait: float = 0.0) -> None:
    """Record that a sync failed for a reason that may pass. The next answer ends it.

    `wait` is how many seconds Plaid wants to be left alone. The clock tries again.
    """
    moment = now()
    soon = moment + policy.UNFINISHED_INTERVAL
    changes = {
        "failing_since": func.coalesce(Item.failing_since, literal(moment, Moment)),
        "failing_code": code,
        "failing_message": sentence,
        "failing_until": moment + timedelta(seconds=wait) if wait else None,
        "next_look": _by(soon),
    }
    write(update(Item).where(Item.id == item_id).values(**changes))
