"""Pulls: what was asked of the banks, and how far it is. The queue of record.

A pull is a row first and a job second: the row says what to do, a worker claims it (claims.py), and
whoever wants to know how it goes reads it.
"""

import functools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    exists,
    select,
)
from sqlalchemy.orm import Mapped, aliased, joinedload, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from plaidapp import extensions
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..connections.items import Item

LINK, ACCOUNTS, TRANSACTIONS, TOTAL = "link", "accounts", "transactions", "total"
REPAIR = "repair"
REMOVE = "remove"  # of an Item that was replaced, at Plaid
RECURRING = "recurring"
PERSON, WEBHOOK, CLOCK, OPERATOR = "person", "webhook", "clock", "operator"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
DISMISSED = "dismissed"  # failed, and the person wants to see it no more


class Pull(Base):
    """One request: a click, a webhook's, or the clock's.

    `start_date` and `end_date` are what to show when it is done, both included.

    `sealed` is what only the job may read (a public token, a test user's password), encrypted.
    `failures` counts the attempts that ended in an error worth repeating. `revision` grows with
    every change that a watching page should hear of. `asked_by` is a person, or what else asked.
    """

    __tablename__ = "pull"
    __table_args__ = (
        Index("ix_pull_state_run_after", "state", "run_after"),
        Index("ix_pull_user_id_id", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    asked_by: Mapped[str] = mapped_column(String(16), default=PERSON)
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    institution_id: Mapped[str | None] = mapped_column(String(64))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    run_after: Mapped[datetime] = mapped_column(Moment, default=now)
    rung_at: Mapped[datetime | None] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    items: Mapped[list["PullItem"]] = relationship(
        lazy="raise", order_by="PullItem.id", back_populates="pull"
    )

    @property
    def active(self) -> bool:
        return self.state in (QUEUED, RUNNING)


ASKING, READING, STORING = "asking", "reading", "storing"
PREPARING = "preparing"  # the bank itself is not ready; asked again in a while


class PullItem(Base):
    """What a pull did at one Item: `phase` says what it is doing, the counts what it did.

    `pages` and `rows` count what the bank has sent in this update so far; `added`, `modified` and
    `removed` what is stored. `kept` counts transactions and `accounts_kept` accounts that were here
    already, of an earlier connection to the same bank.
    """

    __tablename__ = "pull_item"
    __table_args__ = (UniqueConstraint("pull_id", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pull_id: Mapped[int] = mapped_column(ForeignKey("pull.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    phase: Mapped[str] = mapped_column(String(16), default=QUEUED)
    pages: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    accounts: Mapped[int] = mapped_column(default=0)
    accounts_kept: Mapped[int] = mapped_column(default=0)
    kept: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    modified: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)

    pull: Mapped[Pull] = relationship(lazy="raise", back_populates="items")
    item: Mapped[Item] = relationship(lazy="raise")


def add(user_id: int, kind: str, items: Sequence[Item] = (), **fields: Any) -> Pull:
    """A queued pull over `items`; the caller rings the queue, or commits."""
    parts = [PullItem(item_id=item.id) for item in items]
    pull = Pull(user_id=user_id, kind=kind, items=parts, **fields)
    db.session.add(pull)
    db.session.flush()
    for part, item in zip(parts, items, strict=True):
        set_committed_value(part, "item", item)  # known, so that nobody has to read it
    return pull


_WITH_ITEMS = joinedload(Pull.items).joinedload(PullItem.item)
_BY_ID = select(Pull).where(Pull.id == bindparam("pull_id")).options(_WITH_ITEMS)
_OWNED = _BY_ID.where(Pull.user_id == bindparam("user_id"))


def owned(pull_id: int, user_id: int) -> Pull | None:
    found = db.session.scalars(_OWNED, {"pull_id": pull_id, "user_id": user_id})
    return found.unique().one_or_none()


class Glimpse(NamedTuple):
    """What a poll needs to know of a pull."""

    state: str
    revision: int
    created_at: datetime

    @property
    def is_over(self) -> bool:
        return self.state not in (QUEUED, RUNNING)


_GLANCE = select(Pull.state, Pull.revision, Pull.created_at).where(
    Pull.id == bindparam("pull_id"), Pull.user_id == bindparam("user_id")
)


def glance(pull_id: int, user_id: int) -> Glimpse | None:
    """For polls, see extensions.glance. None for a pull that is not theirs."""
    row = extensions.glance(_GLANCE, pull_id=pull_id, user_id=user_id)
    return Glimpse(*row) if row else None


def by_id(pull_id: int) -> Pull:
    """For jobs. Raises sqlalchemy.exc.NoResultFound."""
    fresh = {"populate_existing": True}
    return db.session.scalars(_BY_ID, {"pull_id": pull_id}, execution_options=fresh).unique().one()


def recent(user_id: int, limit: int) -> Sequence[Pull]:
    """What the person asked for: what is going on, however long ago, and the last `limit`.

    Without those of them that were dismissed, or that failed and are mended. Newest first. What
    webhooks and the clock asked shows in the lists and in the Item's history.
    """
    found = db.session.scalars(_recent(), {"user_id": user_id, "limit": limit})
    return found.unique().all()


@functools.cache  # to build it takes longer than to run it
def _recent() -> Select[Pull]:
    theirs = (Pull.user_id == bindparam("user_id")) & (Pull.asked_by == PERSON)
    newest = select(Pull.id).where(theirs).order_by(Pull.id.desc())
    last = newest.limit(bindparam("limit", type_=Integer)).scalar_subquery()
    shown = db.or_(Pull.state.in_((QUEUED, RUNNING)), Pull.id.in_(last))
    over = db.or_(Pull.state == DISMISSED, (Pull.state == FAILED) & _mended())
    query = select(Pull).where(theirs, shown, ~over).order_by(Pull.id.desc())
    return query.options(_WITH_ITEMS)


def _mended() -> ColumnElement[bool]:
    """Has each Item that it failed at answered the same question since, to whomever?

    A connection that never came to be has no Item; there it is the next one to the same bank.
    """
    part, again, later = aliased(PullItem), aliased(PullItem), aliased(Pull)
    since = later.heartbeat_at > Pull.ended_at
    balances = exists().where(
        again.item_id == part.item_id,
        again.phase == DONE,
        again.pull_id == later.id,
        later.kind.in_((ACCOUNTS, LINK, REPAIR)),
        since,
    )
    rows = exists().where(Item.id == part.item_id, Item.synced_at > Pull.ended_at)
    answered = case(
        (Pull.kind == ACCOUNTS, balances.correlate(part, Pull)), else_=rows.correlate(part, Pull)
    )
    connected = exists().where(
        later.user_id == Pull.user_id,
        later.institution_id == Pull.institution_id,
        later.kind == LINK,
        later.state == DONE,
        since,
    )
    return case(
        (
            exists().where(PullItem.pull_id == Pull.id),
            ~exists().where(part.pull_id == Pull.id, part.phase != DONE, ~answered),
        ),
        else_=connected,
    )


def of_item(item_id: int, limit: int) -> Sequence[PullItem]:
    """What was done at one Item, newest first."""
    query = select(PullItem).where(PullItem.item_id == item_id).order_by(PullItem.id.desc())
    return db.session.scalars(query.options(joinedload(PullItem.pull)).limit(limit)).all()


def syncing(item_id: int) -> Pull | None:
    """The pull that will bring this Item's transactions up to date, if one is under way."""
    return db.session.scalars(
        select(Pull)
        .join(PullItem)
        .where(
            PullItem.item_id == item_id,
            Pull.kind.in_((LINK, TRANSACTIONS, TOTAL)),
            Pull.state.in_((QUEUED, RUNNING)),
        )
        .order_by(Pull.id)
        .limit(1)
    ).first()


def waiting(item_id: int, kind: str) -> Pull | None:
    """A pull of this kind that has not asked the bank about this Item yet."""
    return db.session.scalars(
        select(Pull)
        .join(PullItem)
        .where(PullItem.item_id == item_id, Pull.kind == kind, Pull.state == QUEUED)
        .order_by(Pull.id)
        .limit(1)
    ).first()
