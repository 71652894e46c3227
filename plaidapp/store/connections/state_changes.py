"""Changes of the state of connections, and the states that each has been in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Insert,
    String,
    Table,
    Text,
    bindparam,
    case,
    delete,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db
from plaidapp.texts import gettext_noop

from ..base.types import BigId, Moment, now
from ..base.writes import one_of, write
from ..people import activity
from . import needs, notices
from .item import TABLE, Item
from .item_states import (
    DELETED,
    DISCONNECTED,
    DISCONNECTING,
    ENDED,
    ERROR,
    GOOD,
    LOGIN_REQUIRED,
    REPLACED,
    REVOKED,
)

HAS_ENDED = gettext_noop(
    "This connection has ended. Connect the bank again to update its accounts."
)


class StateChange(Base):
    """From `at` on, the Item was in `state`; `code` is Plaid's error or webhook code."""

    __tablename__ = "state_change"

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(32))
    code: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment, default=now)


_CHANGES = cast(Table, StateChange.__table__)


def of_item(item_id: int, limit: int) -> Sequence[StateChange]:
    """Return the Item's latest changes, newest first."""
    query = select(StateChange).where(StateChange.item_id == item_id)
    return db.session.scalars(query.order_by(StateChange.id.desc()).limit(limit)).all()


def delete_of_item(item_id: int) -> None:
    write(delete(StateChange).where(StateChange.item_id == item_id))


HAS_ERROR = one_of(TABLE.c.state, (LOGIN_REQUIRED, ERROR))
"""Condition: the Item is to `recover` when the bank has answered. Other states stay then."""
_MOMENT = bindparam("moment", type_=Moment)


def _record(*conditions: ColumnElement[bool], **values: ColumnElement[Any]) -> Insert:
    """Return the statement that records the change of an Item, if it meets the conditions.

    It comes before the change itself, and in the same transaction.
    """
    columns = {"state": null(), "code": null(), "message": null(), "at": _MOMENT, **values}
    chosen = select(TABLE.c.id, *columns.values()).where(TABLE.c.id == bindparam("id"), *conditions)
    return insert(_CHANGES).from_select(["item_id", *columns], chosen)


_RECOVERY = _record(state=literal(GOOD))
_RECOVER = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"))
    .values(state=GOOD, error_code=None, error_message=None, next_look=_MOMENT)
)
_ANSWERED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"))
    .values(institution_id=bindparam("new_id"), institution_name=bindparam("new_name"))
    .returning(HAS_ERROR)
)


def answered(item_id: int, institution_id: str | None, institution_name: str | None) -> None:
    """Store the bank's id and name after it has answered. An error of the Item is over."""
    institution = {"new_id": institution_id, "new_name": institution_name}
    if db.session.scalar(_ANSWERED, {"item_id": item_id, **institution}):
        recover(item_id)


def recover(item_id: int) -> None:
    """Record that an Item is good again that had an error. The clock looks at it at once.

    The caller has locked the Item: they have changed it.
    """
    moment = now()
    write(_RECOVERY, {"id": item_id, "moment": moment})
    write(_RECOVER, {"item_id": item_id, "moment": moment})


def set_state(item_id: int, state: str, code: str | None, message: str | None) -> None:
    """Change the Item's state, unless it has ended.

    A withdrawn permission stays withdrawn until the state is good again.
    """
    may_change = (
        TABLE.c.state.not_in(ENDED),
        or_(TABLE.c.state != REVOKED, literal(state in (GOOD, REVOKED))),
    )
    change(item_id, *may_change, state=state, code=code, message=message)


def change(
    item_id: int,
    *conditions: ColumnElement[bool],
    state: str,
    code: str | None = None,
    message: str | None = None,
    **values: Any,
) -> None:
    """Change and record the state, if the Item meets the conditions."""
    differs = or_(TABLE.c.state != state, TABLE.c.error_code.is_distinct_from(code))
    shown = {
        "state": literal(state),
        "code": literal(code, Text),
        "message": literal(message, Text),
    }
    moment = now()
    recorded = write(_record(*conditions, differs, **shown), {"id": item_id, "moment": moment})
    if recorded:
        _tell(item_id, state, code)
    write(
        update(Item)
        .where(Item.id == item_id, *conditions)
        .values(state=state, error_code=code, error_message=message, next_look=moment, **values)
    )


def _tell(item_id: int, state: str, code: str | None) -> None:
    """Have the person told of a change, if they need to know. Call it before the change."""
    columns = (TABLE.c.user_id, TABLE.c.institution_name, TABLE.c.state, TABLE.c.error_code)
    user_id, bank, *before = db.session.execute(select(*columns).where(TABLE.c.id == item_id)).one()
    if state == LOGIN_REQUIRED:
        activity.note(user_id, activity.Kind.BANK_NEEDS_LOG_IN, bank or "")
    notices.need_changed(item_id, needs.of(*before), needs.of(state, code))


def replace(item_id: int) -> None:
    """Mark an Item as replaced: other Items have all of its accounts now."""
    change(item_id, TABLE.c.state != DELETED, state=REPLACED)


def revive(item_id: int) -> None:
    """Make a replaced Item one of its own again, because it has an account after all.

    If it was ended at Plaid meanwhile, only a new connection can bring the account up to date. If
    the person had disconnected it, it is disconnected again.
    """
    has_ended, by_person = TABLE.c.access_token == b"", TABLE.c.disconnected_at.is_not(None)
    is_replaced = TABLE.c.state == REPLACED
    state = case(
        (by_person & has_ended, DISCONNECTED),
        (by_person, DISCONNECTING),
        (has_ended, REVOKED),
        else_=GOOD,
    )
    message = case((has_ended & ~by_person, HAS_ENDED), else_=None)
    write(_record(is_replaced, state=state, message=message), {"id": item_id, "moment": now()})
    write(
        update(Item)
        .where(Item.id == item_id, is_replaced)
        .values(state=state, error_message=message)
    )
