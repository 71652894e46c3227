"""The connections of a person who has everything deleted: what Plaid has yet to be told."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select, update

from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import write
from .item import TABLE, Item
from .item_states import DISCONNECTING
from .link_results import LinkResult
from .link_sessions import CONNECT, LinkSession


def forget_items(user_id: int) -> None:
    """Forget of the person's Items all but how to end them at Plaid. No worker stores anything."""
    forgotten: dict[str, Any] = {each.name: None for each in TABLE.columns if each.nullable}
    forgotten |= {
        "state": DISCONNECTING,
        "deletes_history": True,
        "cursor": "",
        "sync_requested": 0,
        "sync_applied": 0,
        "created_at": now(),
    }
    write(update(Item).where(Item.user_id == user_id).values(**forgotten))


def close_links(user_id: int) -> None:
    """Let nobody use the person's links to Plaid. What has come of them is still looked at."""
    theirs = update(LinkSession).where(LinkSession.user_id == user_id)
    write(theirs.values(sealed_url=None, look_after=None, pull_id=None))
    other = LinkSession.user_id == user_id, LinkSession.purpose != CONNECT
    write(delete(LinkSession).where(*other))


def items_of(user_id: int) -> Sequence[Item]:
    query = select(Item).where(Item.user_id == user_id).order_by(Item.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def forget_item(item_id: int) -> None:
    """Plaid has confirmed that the Item has ended."""
    write(delete(Item).where(Item.id == item_id))


def sessions_of(user_id: int) -> Sequence[LinkSession]:
    """Return the sessions that may have made a connection that is not exchanged yet."""
    query = select(LinkSession).where(LinkSession.user_id == user_id, ~is_needless())
    return db.session.scalars(query.order_by(LinkSession.id)).all()


def is_needless() -> ColumnElement[bool]:
    """Return the condition of sessions of which nothing can come."""
    has_results = exists().where(
        LinkResult.session_id == LinkSession.id, LinkResult.sealed_token.is_not(None)
    )
    return ~or_(LinkSession.sealed_token.is_not(None), has_results)


def forget_session(session_id: int) -> None:
    write(delete(LinkSession).where(LinkSession.id == session_id))
