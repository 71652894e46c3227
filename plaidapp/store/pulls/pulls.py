"""Pulls: requests to the banks, with their progress. They are the queue of record.

A pull is a row first and a job second: the row says what to do, a worker claims it (see
`transitions`), and pages read from it how it goes.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..connections.item import Item
from . import kinds

# Who asked for a pull.
PERSON, WEBHOOK, CLOCK, OPERATOR = "person", "webhook", "clock", "operator"

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
DISMISSED = "dismissed"  # failed, and the person does not want to see it anymore

# The phases of a PullItem, besides QUEUED, DONE and FAILED.
ASKING, READING, STORING, COMPARING = "asking", "reading", "storing", "comparing"
PREPARING = "preparing"  # the bank is still preparing its data; it is asked again later


class Pull(Base):
    """One request of a person, a webhook, the clock or the operator (`asked_by`).

    `start_date` and `end_date` (both included) limit what the person wants to see when it is done.
    `sealed` is encrypted and only for the job: a test user's name and password.
    `failures` counts the attempts that ended in a retryable error, and `lost_workers` those whose
    worker died. `repeats` counts how often the person wanted the banks asked once more, and
    `repeats_begun` how often that was begun. `revision` grows with every change that a watching
    page should show.
    """

    __tablename__ = "pull"
    __table_args__ = (
        Index("ix_pull_state_run_after", "state", "run_after"),
        Index("ix_pull_state_asked_by_run_after", "state", "asked_by", "run_after"),
        Index("ix_pull_user_id_id", "user_id", "id"),
        Index("ix_pull_user_id_kind_created_at", "user_id", "kind", "created_at"),
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
    lost_workers: Mapped[int] = mapped_column(default=0)
    repeats: Mapped[int] = mapped_column(default=0, server_default="0")
    repeats_begun: Mapped[int] = mapped_column(default=0, server_default="0")
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

    turn_is_known = False
    """True if `line.add` has just added the pull: `rung_at` says whether it has its turn."""

    @property
    def active(self) -> bool:
        return self.state in (QUEUED, RUNNING)

    @property
    def facts(self) -> kinds.Kind:
        """What pulls of this kind do."""
        return kinds.of(self.kind)


class PullItem(Base):
    """What a pull does at one Item: `phase` says what it is doing, the counts what it has done.

    `pages` and `rows` count what the bank has sent in this update so far; `added`, `modified` and
    `removed` count what is stored. `kept` counts transactions and `accounts_kept` accounts that an
    earlier connection to the same bank had stored already.

    `started_over` says that the bank refused the stored cursor, so that everything was read again.
    `refusal` is Plaid's error code if the bank refused the product that the pull asked for and the
    pull made do with what Plaid had stored. `differences` is how many a check has found, and
    `comparison` is how far one has come that is not over (jobs/transactions/check_progress.py).
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
    started_over: Mapped[bool] = mapped_column(default=False)
    differences: Mapped[int | None]
    comparison: Mapped[str | None] = mapped_column(Text, deferred=True)
    refusal: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)

    pull: Mapped[Pull] = relationship(lazy="raise", back_populates="items")
    item: Mapped[Item] = relationship(lazy="raise")

    @property
    def is_idle(self) -> bool:
        """There is nothing to do now: it is done, or it is too early to ask a preparing bank."""
        return self.phase == DONE or (self.phase == PREPARING and self.item.may_wait)

    @property
    def has_final_error(self) -> bool:
        """The error that it failed with is still the Item's: asking again would not help."""
        return self.phase == FAILED and self.error_code == self.item.error_code


TABLE, PARTS = cast(Table, Pull.__table__), cast(Table, PullItem.__table__)


def add(user_id: int, kind: str, items: Sequence[Item] = (), **fields: Any) -> Pull:
    """Add a queued pull over `items`. The caller rings the queue, or commits.

    Raises ValueError for an unknown kind.
    """
    kinds.of(kind)
    pull_items = [PullItem(item_id=item.id) for item in items]
    pull = Pull(user_id=user_id, kind=kind, items=pull_items, **fields)
    db.session.add(pull)
    db.session.flush()
    for pull_item, item in zip(pull.items, items, strict=True):
        set_committed_value(pull_item, "item", item)  # so that it is not read again
    return pull


def add_each(kind: str, items: Sequence[Item], asked_by: str) -> None:
    """Add a queued pull for each Item, in two statements. The clock rings for them."""
    for item in items:
        pull_items = [PullItem(item_id=item.id)]
        db.session.add(Pull(user_id=item.user_id, kind=kind, items=pull_items, asked_by=asked_by))
    db.session.flush()


WITH_ITEMS = joinedload(Pull.items).joinedload(PullItem.item)
_BY_ID = select(Pull).where(Pull.id == bindparam("pull_id")).options(WITH_ITEMS)
_OWNED = _BY_ID.where(Pull.user_id == bindparam("user_id"))


def owned(pull_id: int, user_id: int) -> Pull | None:
    """Return the pull with its Items, or None if it is not this person's."""
    found = db.session.scalars(_OWNED, {"pull_id": pull_id, "user_id": user_id})
    return found.unique().one_or_none()


def by_id(pull_id: int) -> Pull:
    """Return the pull with its Items, for a job. Raises sqlalchemy.exc.NoResultFound."""
    found = db.session.scalars(
        _BY_ID, {"pull_id": pull_id}, execution_options={"populate_existing": True}
    )
    return found.unique().one()
