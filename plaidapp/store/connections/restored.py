"""Connections after the database was restored to an older state."""

from collections.abc import Sequence

from sqlalchemy import select, update

from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import write
from .item import Item
from .item_states import ENDED, NEEDING_CARE


def request_syncs() -> None:
    """Count one more request for each connection. The clock looks at them from now on."""
    connected = update(Item).where(Item.state.not_in(ENDED))
    write(connected.values(sync_requested=Item.sync_requested + 1, sweeps=0, next_look=now()))


def in_doubt() -> Sequence[Item]:
    """Return the connections that needed a person, who may have done it since."""
    query = select(Item).where(Item.state.in_(NEEDING_CARE), Item.access_token != b"")
    return db.session.scalars(query.order_by(Item.id)).all()
