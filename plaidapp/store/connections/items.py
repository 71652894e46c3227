"""Items: one person's log-in at one institution, as Plaid names it."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now

GOOD = "good"
LOGIN_REQUIRED = "login_required"
ERROR = "error"
REVOKED = "revoked"  # the person or the bank took the permission back
EXPIRING = "expiring"  # still good, for some days
NEW_ACCOUNTS = "new_accounts"  # good, and the bank has more to share
REPLACED = "replaced"  # connected anew: another Item holds its accounts, for good
SYNCED_NO_MORE = (LOGIN_REQUIRED, REVOKED, REPLACED)

RECENT = "INITIAL_UPDATE_COMPLETE"
COMPLETE = "HISTORICAL_UPDATE_COMPLETE"
"""The `update_status` of an Item of which Plaid has the last 30 days, or the whole history."""


class Item(Base):
    """A connection to a bank.

    `access_token` is encrypted; only bank/ can read it. `cursor` is Plaid's sync cursor: every row
    before it is stored. `sync_requested` counts what was asked for, `sync_applied` what of that is
    stored: while they differ there is work. `swept_at` is when the clock last asked by itself.

    `changed_at` is when a sync last changed a transaction, `streams_at` the moment as of which the
    bank has said what recurs, or with `streams_refusal`, a code of Plaid's, that it does not say.
    """

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    plaid_item_id: Mapped[str] = mapped_column(Text, unique=True)
    institution_id: Mapped[str | None] = mapped_column(Text)
    institution_name: Mapped[str | None] = mapped_column(Text)
    access_token: Mapped[bytes] = mapped_column(LargeBinary)
    cursor: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(32), default=GOOD)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    update_status: Mapped[str | None] = mapped_column(Text)
    sync_requested: Mapped[int] = mapped_column(default=0)
    sync_applied: Mapped[int] = mapped_column(default=0)
    synced_at: Mapped[datetime | None] = mapped_column(Moment)
    swept_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    streams_at: Mapped[datetime | None] = mapped_column(Moment)
    streams_refusal: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    @property
    def is_behind(self) -> bool:
        return self.state != REPLACED and self.sync_applied < self.sync_requested

    @property
    def title(self) -> str:
        """The bank's name; it is not known yet in the first moment of a connection."""
        from flask_babel import gettext  # which workers, who show nothing, do without

        return self.institution_name or gettext("Your bank")


def add(**fields: Any) -> Item:
    item = Item(**fields)
    db.session.add(item)
    db.session.flush()
    return item


def owned(item_id: int, user_id: int) -> Item | None:
    return db.session.scalar(select(Item).where(Item.id == item_id, Item.user_id == user_id))


def by_plaid_id(plaid_item_id: str) -> Item | None:
    return db.session.scalar(select(Item).where(Item.plaid_item_id == plaid_item_id))


def neglected(limit: int) -> Sequence[Item]:
    """Items that the clock should have synced: a request was not answered, the bank had not
    prepared everything yet, or nobody asked for a day."""
    moment = now()
    behind = (Item.sync_applied < Item.sync_requested) | (Item.update_status != COMPLETE)
    unswept = func.coalesce(Item.swept_at, Item.created_at)
    newest = func.coalesce(Item.synced_at, Item.created_at)
    return db.session.scalars(
        select(Item)
        .where(
            Item.state.not_in(SYNCED_NO_MORE),
            or_(
                and_(behind, Item.state != ERROR, unswept < moment - policy.UNFINISHED_INTERVAL),
                and_(
                    newest < moment - policy.SYNC_INTERVAL, unswept < moment - policy.SYNC_INTERVAL
                ),
            ),
        )
        .order_by(Item.id)
        .limit(limit)
    ).all()


def claim_sweep(item: Item) -> bool:
    """True for one of several clocks that found the same Item at once."""
    result = db.session.execute(
        update(Item)
        .where(Item.id == item.id, Item.swept_at.is_not_distinct_from(item.swept_at))
        .values(swept_at=now())
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], result).rowcount == 1


def everyone() -> Sequence[Item]:
    """All connections of all people: for the operator, not for pages."""
    return db.session.scalars(select(Item).where(Item.state != REPLACED).order_by(Item.id)).all()


def of_user(user_id: int) -> Sequence[Item]:
    """Oldest connection first; those that were replaced are none any more."""
    theirs = (Item.user_id == user_id) & (Item.state != REPLACED)
    return db.session.scalars(select(Item).where(theirs).order_by(Item.id)).all()


def request_sync(item_ids: Sequence[int]) -> None:
    """One more request for each Item. In SQL, so that two at once count as two."""
    db.session.execute(
        update(Item)
        .where(Item.id.in_(item_ids))
        .values(sync_requested=Item.sync_requested + 1)
        .execution_options(synchronize_session=False)
    )


TABLE = cast(Table, Item.__table__)
_TROUBLE = TABLE.c.state.in_((LOGIN_REQUIRED, ERROR))
_MENDED: dict[str, Any] = {
    "state": case((_TROUBLE, GOOD), else_=TABLE.c.state),
    "error_code": case((_TROUBLE, None), else_=TABLE.c.error_code),
    "error_message": case((_TROUBLE, None), else_=TABLE.c.error_message),
}
"""The trouble that ends with the next answer of the bank; other states stay."""
_ANSWERED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"))
    .values(institution_id=bindparam("new_id"), institution_name=bindparam("new_name"), **_MENDED)
)
_WANT = bindparam("want", type_=Integer)
_ADVANCE = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("item_id"), TABLE.c.cursor == bindparam("came_from"))
    .values(
        cursor=bindparam("new_cursor"),
        sync_applied=case((TABLE.c.sync_applied < _WANT, _WANT), else_=TABLE.c.sync_applied),
        update_status=bindparam("status"),
        synced_at=bindparam("moment"),
        changed_at=func.coalesce(bindparam("changed_at", type_=Moment), TABLE.c.changed_at),
        **_MENDED,
    )
    .returning((TABLE.c.sync_applied < TABLE.c.sync_requested) & (TABLE.c.state != REPLACED))
)


def answered(item_id: int, institution_id: str | None, institution_name: str | None) -> None:
    """The bank let us in: what it is called, and no trouble any more if there was."""
    named = {"new_id": institution_id, "new_name": institution_name}
    db.session.execute(_ANSWERED, {"item_id": item_id, **named})


class Advance(Enum):
    """How an Item stands after a sync: somebody else's came first; or all that was asked of it is
    applied; or some of it was asked during the sync, and is not."""

    LOST, APPLIED, BEHIND = range(3)


def advance(
    item_id: int, came_from: str, cursor: str, want: int, status: str, *, changed: bool
) -> Advance:
    """Moves the cursor on if it still stands where this update began.

    Marks every request up to `want` as applied. The caller stores the rows in the same transaction
    and throws them away when it is lost. `changed` says that there are such rows. Until the commit
    nobody can ask for more.
    """
    moment = now()
    values = {
        "item_id": item_id,
        "came_from": came_from,
        "new_cursor": cursor,
        "want": want,
        "status": status,
        "moment": moment,
        "changed_at": moment if changed else None,
    }
    behind = db.session.scalar(_ADVANCE, values)
    if behind is None:
        return Advance.LOST
    return Advance.BEHIND if behind else Advance.APPLIED


def streams_due(item_id: int) -> bool:
    """Is it time to ask what recurs? Once the history is complete, then at most once a day, and
    only of an Item whose transactions have changed since."""
    stale = and_(
        Item.changed_at > Item.streams_at, Item.streams_at < now() - policy.RECURRING_INTERVAL
    )
    query = select(or_(Item.streams_at.is_(None), stale))
    return bool(db.session.scalar(query.where(Item.id == item_id, Item.update_status == COMPLETE)))


def streams_read(item_id: int, moment: datetime, refusal: str | None) -> bool:
    """The bank was asked at `moment` what recurs; False when a later answer is stored already.

    The caller stores the answer in the same transaction, or leaves it on False.
    """
    result = db.session.execute(
        update(Item)
        .where(Item.id == item_id, or_(Item.streams_at.is_(None), Item.streams_at < moment))
        .values(streams_at=moment, streams_refusal=refusal)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], result).rowcount == 1


def lock(item_id: int) -> Item:
    """The Item as it is now; until the commit nobody else changes it, but may point to it: who
    waits for the lock may have done so already.

    SQLite needs no lock of a row: whoever may write is alone. Raises NoResultFound.
    """
    query = select(Item).where(Item.id == item_id).with_for_update(key_share=True)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def set_state(item_id: int, state: str, code: str | None, message: str | None) -> None:
    """A permission that was taken back stays so, whatever else happens, until all is good.

    What was replaced stays so.
    """
    may_change = or_(Item.state != REVOKED, literal(state == GOOD))
    db.session.execute(
        update(Item)
        .where(Item.id == item_id, Item.state != REPLACED, may_change)
        .values(state=state, error_code=code, error_message=message)
        .execution_options(synchronize_session=False)
    )


def replace(item_id: int) -> None:
    """Its accounts have all gone over to another Item."""
    set_state(item_id, REPLACED, None, None)


def is_replaced(item_id: int) -> bool:
    state = db.session.scalar(select(Item.state).where(Item.id == item_id))
    return state == REPLACED


def forget_token(item_id: int) -> None:
    """The access token opens nothing any more."""
    db.session.execute(
        update(Item)
        .where(Item.id == item_id)
        .values(access_token=b"")
        .execution_options(synchronize_session=False)
    )
