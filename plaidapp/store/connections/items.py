"""Items: connections to banks. An Item is Plaid's name for one log-in at one institution."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    case,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db
from plaidapp.texts import gettext_noop

from ..base.types import Moment, now
from ..base.writes import write

GOOD = "good"
LOGIN_REQUIRED = "login_required"
ERROR = "error"
REVOKED = "revoked"  # the person or the bank withdrew the permission
EXPIRING = "expiring"  # works for a few more days
NEW_ACCOUNTS = "new_accounts"  # works, and the bank has more accounts to share
REPLACED = "replaced"  # reconnected: another Item has its accounts now, for good
DISCONNECTING = "disconnecting"  # by the person; Plaid has not confirmed it yet
DISCONNECTED = "disconnected"  # by the person, who keeps the history
NOT_SYNCED = (LOGIN_REQUIRED, REVOKED, REPLACED, DISCONNECTING, DISCONNECTED)
"""States in which the bank is not asked for transactions."""
REPORTING = (GOOD, EXPIRING, NEW_ACCOUNTS)
"""States in which the bank answers."""

ENDED = gettext_noop("This connection has ended. Connect the bank again to update its accounts.")

RECENT = "INITIAL_UPDATE_COMPLETE"
COMPLETE = "HISTORICAL_UPDATE_COMPLETE"
"""The `update_status` once Plaid has the last 30 days of an Item, and once it has everything."""
STATUSES = ("NOT_READY", RECENT, COMPLETE)
"""Any other status says nothing: https://plaid.com/docs/api/products/transactions/"""


class Item(Base):
    """A connection to a bank.

    `access_token` is encrypted; only bank/ can read it. `cursor` is Plaid's sync cursor: every row
    before it is stored. `sync_requested` counts the requests for a sync, and `sync_applied` is the
    count as of the last sync: while it is lower, there is work to do.

    `next_look` is when the clock looks at the Item next. `swept_at` is when it last asked for a
    sync, and `sweeps` counts how often it has in a row, without an answer or a new request.

    While the bank is preparing its history, `preparing_since` is when it first said so, and
    `ask_after` is when it is asked again. `failing_since` is when the first of the latest syncs
    failed with an error that may pass, and `failing_message` is its sentence.

    `changed_at` is when a sync last changed a transaction. `streams_at` is when the bank was last
    asked for recurring payments. Where a bank refuses a product, `sync_refusal`, `streams_refusal`
    or `balances_refusal` has Plaid's error code. `balances_refused_at` is when it last did.
    `refresh_refusal` is the same for Transactions Refresh; `refreshed_at` is when the bank was last
    asked to look again, and `refresh_after` is when that is possible next.

    `is_separate` says that the person connected the bank a second time on purpose: its accounts are
    never merged unasked. `consent_expires_at` is when the person's permission ends, for Plaid's
    `expiry_reason`. `bank_updated_at` and `bank_failed_at` are when Plaid last got data from the
    bank and last failed to, as of `status_read_at`. `disconnected_at` is when the person
    disconnected the bank, and `deletes_history` says that they keep nothing of it.
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
    next_look: Mapped[datetime] = mapped_column(Moment, default=now, index=True)
    swept_at: Mapped[datetime | None] = mapped_column(Moment)
    sweeps: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    streams_at: Mapped[datetime | None] = mapped_column(Moment)
    preparing_since: Mapped[datetime | None] = mapped_column(Moment)
    ask_after: Mapped[datetime | None] = mapped_column(Moment)
    failing_since: Mapped[datetime | None] = mapped_column(Moment)
    failing_message: Mapped[str | None] = mapped_column(Text)
    sync_refusal: Mapped[str | None] = mapped_column(Text)
    streams_refusal: Mapped[str | None] = mapped_column(Text)
    balances_refusal: Mapped[str | None] = mapped_column(Text)
    balances_refused_at: Mapped[datetime | None] = mapped_column(Moment)
    refresh_refusal: Mapped[str | None] = mapped_column(Text)
    refreshed_at: Mapped[datetime | None] = mapped_column(Moment)
    refresh_after: Mapped[datetime | None] = mapped_column(Moment)
    is_separate: Mapped[bool] = mapped_column(default=False)
    consent_expires_at: Mapped[datetime | None] = mapped_column(Moment)
    expiry_reason: Mapped[str | None] = mapped_column(Text)
    bank_updated_at: Mapped[datetime | None] = mapped_column(Moment)
    bank_failed_at: Mapped[datetime | None] = mapped_column(Moment)
    status_read_at: Mapped[datetime | None] = mapped_column(Moment)
    disconnected_at: Mapped[datetime | None] = mapped_column(Moment)
    deletes_history: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    @property
    def is_behind(self) -> bool:
        return self.state != REPLACED and self.sync_applied < self.sync_requested

    @property
    def may_wait(self) -> bool:
        """The bank is still preparing, and it is too early to ask again."""
        return not self.is_behind and self.ask_after is not None and self.ask_after > now()


def add(**fields: Any) -> Item:
    item = Item(**fields)
    db.session.add(item)
    db.session.flush()
    return item


def owned(item_id: int, user_id: int) -> Item | None:
    return db.session.scalar(select(Item).where(Item.id == item_id, Item.user_id == user_id))


def by_plaid_id(plaid_item_id: str) -> Item | None:
    return db.session.scalar(select(Item).where(Item.plaid_item_id == plaid_item_id))


def everyone() -> Sequence[Item]:
    """Return everyone's Items, except replaced ones. For the operator only, not for pages."""
    return db.session.scalars(select(Item).where(Item.state != REPLACED).order_by(Item.id)).all()


def of_user(user_id: int) -> Sequence[Item]:
    """Return the person's Items, oldest first, without replaced ones."""
    theirs = (Item.user_id == user_id) & (Item.state != REPLACED)
    return db.session.scalars(select(Item).where(theirs).order_by(Item.id)).all()


TABLE = cast(Table, Item.__table__)
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


def remember_balances_refusal(item_id: int, code: str | None, moment: datetime | None) -> None:
    """Store why and when the bank last refused balances on demand; None once it sends them."""
    changes = {"balances_refusal": code, "balances_refused_at": moment}
    write(update(Item).where(Item.id == item_id).values(**changes))


def lock(item_id: int) -> Item:
    """Lock the Item until the commit and return it as it is now.

    The lock still lets others insert rows with a foreign key to the Item: somebody who waits for
    the lock may have inserted one already. SQLite needs no lock: only one writer runs at a time.
    Raises NoResultFound.
    """
    query = select(Item).where(Item.id == item_id).with_for_update(key_share=True)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


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


def read_again(item_id: int) -> None:
    """Have the next sync read the Item from the beginning. One that is running starts over."""
    write(update(Item).where(Item.id == item_id).values(cursor=""))


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


def in_states(item_ids: Sequence[int], states: Sequence[str]) -> Sequence[int]:
    """Return those of the Items that are in one of the states."""
    query = select(Item.id).where(Item.id.in_(item_ids), Item.state.in_(states))
    return db.session.scalars(query.order_by(Item.id)).all()


def is_replaced(item_id: int) -> bool:
    state = db.session.scalar(select(Item.state).where(Item.id == item_id))
    return state == REPLACED


def forget_token(item_id: int) -> None:
    """Delete an access token that is no longer valid."""
    write(update(Item).where(Item.id == item_id).values(access_token=b""))
