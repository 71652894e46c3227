"""Changes of the state of connections, and the states that each has been in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, bindparam, case, literal, or_, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db
from plaidapp.texts import gettext_noop

from ..base.types import BigId, Moment, now
from ..base.writes import write
from .item import TABLE, Item
from .item_states import ERROR, GOOD, LOGIN_REQUIRED, REPLACED, REVOKED

ENDED = gettext_noop("This connection has ended. Connect the bank again to update its accounts.")


class StateChange(Base):
    """From `at` on, the Item was in `state`; `code` is Plaid's error or webhook code."""

    __tablename__ = "state_change"

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(32))
    code: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment, default=now)


_FAILING = TABLE.c.state.in_((LOGIN_REQUIRED, ERROR))
RECOVERED: Mapping[str, Any] = {
    "state": case((_FAILING, GOOD), else_=TABLE.c.state),
    "error_code": case((_FAILING, None), else_=TABLE.c.error_code),
    "error_message": case((_FAILING, None), else_=TABLE.c.error_message),
    "next_look": case((_FAILING, bindparam("moment", type_=Moment)), else_=TABLE.c.next_look),
}
"""Values for an update after the bank has answered: errors are over, other states stay.

The update needs the current time as `moment`: after an error, the clock looks at the Item at once.
"""
_ANSWERED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"))
    .values(institution_id=bindparam("new_id"), institution_name=bindparam("new_name"), **RECOVERED)
)


def answered(item_id: int, institution_id: str | None, institution_name: str | None) -> None:
    """Store the bank's id and name after it has answered. An error of the Item is over."""
    institution = {"new_id": institution_id, "new_name": institution_name}
    db.session.execute(_ANSWERED, {"item_id": item_id, "moment": now(), **institution})


def set_state(item_id: int, state: str, code: str | None, message: str | None) -> None:
    """Change the Item's state, unless it is replaced, which is final.

    A withdrawn permission stays withdrawn until the state is good again or the Item is replaced.
    """
    may_change = or_(Item.state != REVOKED, literal(state in (GOOD, REPLACED)))
    write(
        update(Item)
        .where(Item.id == item_id, Item.state != REPLACED, may_change)
        .values(state=state, error_code=code, error_message=message, next_look=now())
    )


def replace(item_id: int) -> None:
    """Mark an Item as replaced: other Items have all of its accounts now."""
    set_state(item_id, REPLACED, None, None)


def revive(item_id: int) -> None:
    """Make a replaced Item one of its own again, because it has an account after all.

    If it was ended at Plaid meanwhile, only a new connection can bring the account up to date.
    """
    has_ended = Item.access_token == b""
    write(
        update(Item)
        .where(Item.id == item_id, Item.state == REPLACED)
        .values(
            state=case((has_ended, REVOKED), else_=GOOD),
            error_message=case((has_ended, ENDED), else_=None),
        )
    )
