"""Deleting what pulls did at an Item whose history the person deletes."""

from sqlalchemy import and_, delete, exists, or_, select

from plaidapp.extensions import db

from ..base.writes import in_batches, write
from ..connections.link_sessions import LinkSession
from . import kinds
from .pulls import PERSON, QUEUED, RUNNING, Pull, PullItem


def delete_of_item(item_id: int) -> None:
    """Delete the Item's part of every pull that no worker has, and the pulls without another part.

    Those that end the connection stay until they have, and those that a session of Link needs. A
    person may be watching those of theirs that wait: they end by themselves.
    """
    ending = kinds.names(lambda kind: kind.runs_on_ended)
    is_over = Pull.state.not_in((QUEUED, RUNNING))
    is_unwanted = and_(Pull.state == QUEUED, Pull.asked_by != PERSON, Pull.kind.not_in(ending))
    query = select(Pull.id).join(PullItem, PullItem.pull_id == Pull.id)
    query = query.where(PullItem.item_id == item_id, or_(is_over, is_unwanted)).order_by(Pull.id)
    pull_ids = db.session.scalars(query.with_for_update(of=Pull)).all()
    has_other_parts = exists().where(PullItem.pull_id == Pull.id)
    is_followed = exists().where(LinkSession.pull_id == Pull.id)
    is_needless = ~has_other_parts & ~is_followed
    for ids in in_batches(pull_ids):
        write(delete(PullItem).where(PullItem.item_id == item_id, PullItem.pull_id.in_(ids)))
        write(delete(Pull).where(Pull.id.in_(ids), is_needless))
