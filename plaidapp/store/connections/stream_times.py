"""When an Item's recurring payments were read, and when they are to be read again."""

from datetime import datetime

from sqlalchemy import and_, or_, select, update

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import write
from .item import Item
from .item_states import COMPLETE


def are_due(item_id: int) -> bool:
    """Return True when it is time to ask for the Item's recurring payments.

    That is once its history is complete. After that, it is every policy.RECURRING_INTERVAL, but
    only if its transactions have changed since the last time.
    """
    stale = and_(
        Item.changed_at > Item.streams_at, Item.streams_at < now() - policy.RECURRING_INTERVAL
    )
    query = select(or_(Item.streams_at.is_(None), stale))
    return bool(db.session.scalar(query.where(Item.id == item_id, Item.update_status == COMPLETE)))


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
