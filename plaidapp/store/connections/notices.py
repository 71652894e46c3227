"""What a person has to be told by mail about their banks, and what they have been told.

A notice is stored in the transaction of the change that it is about. It becomes due a while later,
and the clock then writes one mail about all that is due to a person and still true. That ends the
notice, in the transaction that stores the mail: so each is told once, however many clocks run.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ForeignKey, String, Table, UniqueConstraint, delete, exists, func, select
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write
from . import checks, needs
from .item import Item
from .item_states import ENDED

NEED, CHECK = "need", "check"
"""Topics. A connection has at most one notice of each."""
DIFFERS = "differs"
"""The `what` of CHECK. That of NEED is one of needs.py."""


class Notice(Base):
    """`due_at` is when it is to be told; None if there is nothing to tell anymore.

    `told_at` is when the person was last told about this topic of the connection.
    """

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("item_id", "topic"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    topic: Mapped[str] = mapped_column(String(16))
    what: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    told_at: Mapped[datetime | None] = mapped_column(Moment)

    item: Mapped[Item] = relationship(viewonly=True)

    @property
    def is_true(self) -> bool:
        """Is what it says still so?"""
        if self.topic == CHECK:
            return self.item.state not in ENDED and checks.any_differ(self.item_id)
        return needs.of(self.item.state, self.item.error_code) == self.what


TABLE = cast(Table, Notice.__table__)


def need_changed(item_id: int, before: str | None, after: str | None) -> None:
    """Have the person told what the Item needs of them from now on, if that is new."""
    if after and after != before:
        _add(item_id, NEED, after)


def compared(item_id: int, *, differs: bool) -> None:
    """Have the person told that a check has found a difference, unless the last one had too."""
    known = Notice.item_id == item_id, Notice.topic == CHECK
    if not differs:
        write(delete(Notice).where(*known))
    elif not db.session.scalar(select(exists().where(*known))):
        _add(item_id, CHECK, DIFFERS)


def _add(item_id: int, topic: str, what: str) -> None:
    """A notice that waits already keeps its time: what comes and goes is told in the end."""
    moment = now()
    query = select(Notice.due_at, Notice.topic, Notice.told_at).where(Notice.item_id == item_id)
    rows = db.session.execute(query.with_for_update()).all()  # a clock may be telling them
    waiting = next((row.due_at for row in rows if row.topic == topic and row.due_at), None)
    told = [row.told_at + policy.NOTICE_INTERVAL for row in rows if row.told_at]
    user_id = db.session.scalar(select(Item.user_id).where(Item.id == item_id))
    due_at = waiting or max([moment + policy.NOTICE_QUIET, *told])
    row = {"user_id": user_id, "item_id": item_id, "topic": topic, "what": what, "due_at": due_at}
    upsert(TABLE, ("item_id", "topic"), [row])


def due(most: int) -> Sequence[int]:
    """Return the ids of people who have something to be told, those first that wait longest."""
    query = select(Notice.user_id).where(Notice.due_at <= now()).group_by(Notice.user_id)
    return db.session.scalars(query.order_by(func.min(Notice.due_at)).limit(most)).all()


def take(user_id: int) -> Sequence[Notice]:
    """Return what the person is to be told now, with its Items. Nobody else is given it again.

    That is what is still true of what is due, or will be soon. None if another clock has taken it.
    """
    moment = now()
    query = select(Notice).join(Notice.item).options(contains_eager(Notice.item))
    query = query.where(
        Notice.user_id == user_id, Notice.due_at <= moment + policy.NOTICES_TOGETHER
    )
    query = query.order_by(Notice.item_id, Notice.topic.desc()).with_for_update(of=Notice)
    taken = db.session.scalars(query, execution_options={"populate_existing": True}).all()
    if not any(notice.due_at <= moment for notice in taken if notice.due_at):
        return []
    for notice in taken:
        notice.due_at = None
    return [notice for notice in taken if notice.is_true]


def told(notices: Collection[Notice]) -> None:
    """Record that the person is told of these in a mail of the caller's transaction."""
    for notice in notices:
        notice.told_at = now()


def delete_of_item(item_id: int) -> None:
    write(delete(Notice).where(Notice.item_id == item_id))
