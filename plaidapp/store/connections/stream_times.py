"""When an Item's recurring payments were read, and when they are to be read again."""

from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select, update

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import Moment, now
from ..base.writes import write
from .item import TABLE, Item
from .item_states import COMPLETE

_IS_STALE = and_(
    TABLE.c.changed_at > TABLE.c.streams_at,
    TABLE.c.streams_at < bindparam("long_ago", type_=Moment),
)
# Each sync asks, and making a query takes longer than running it.
_ARE_DUE = select(or_(TABLE.c.streams_at.is_(None), _IS_STALE)).where(
    TABLE.c.id == bindparam("item_id"), TABLE.c.update_status == COMPLETE
)


def are_due(item: Item) -> bool:
    """Return True when it is time to ask for the Item's recurring payments.

    That is once its history is complete. After that, it is every policy.RECURRING_INTERVAL, but
    only if its transactions have changed since the last time. `item` may have been read earlier.
    """
    long_ago = now() - policy.RECURRING_INTERVAL
    if item.streams_at and item.streams_at >= long_ago:  # mostly, and it never goes back
        return False
    return bool(db.session.scalar(_ARE_DUE, {"item_id": item.id, "long_ago": long_ago}))


def read(item_id: int, moment: datetime, refusal: str | None) -> bool:
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
