"""The model of an Item: a connection to a bank.

An Item is Plaid's name for one log-in at one institution.
"""

from datetime import datetime
from typing import cast

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Table, Text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from plaidapp import policy, sealing
from plaidapp.extensions import Base
from plaidapp.sealing import Sealed

from ..base.types import Moment, now
from ..identity.logos import BankLogo
from .item_states import ENDED, GOOD, REPORTING


def _first_check() -> datetime:
    return policy.first_check(now())


class Item(Base):
    """A connection to a bank.

    `access_token` is encrypted; only bank/ can read it. `cursor` is Plaid's sync cursor: every row
    before it is stored. `sync_requested` counts the requests for a sync, and `sync_applied` is the
    count as of the last sync: while it is lower, there is work to do.

    `next_look` is when the clock looks at the Item next. `swept_at` is when it last asked for a
    sync, and `sweeps` counts how often it has in a row, without an answer or a new request.

    While the bank is preparing its history, `preparing_since` is when it first said so, and
    `ask_after` is when it is asked again. `failing_since` is when the first of the latest syncs
    failed with an error that may pass, and `failing_message` is its sentence. `failing_code` is
    Plaid's code for it, and `failing_until` is when Plaid allows the next try, if it said so.

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

    `check_at` is when the clock has the Item compared with the bank next; None until it has planned
    that. `checked_at` and `fully_checked_at` are when that was last done, and done with all rows.
    `check_message` is a sentence if it has failed since.
    """

    __tablename__ = "item"
    __table_args__ = (Index("ix_item_state_id", "state", "id"),)

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
    failing_code: Mapped[str | None] = mapped_column(Text)
    failing_until: Mapped[datetime | None] = mapped_column(Moment)
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
    check_at: Mapped[datetime | None] = mapped_column(Moment, default=_first_check, index=True)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    fully_checked_at: Mapped[datetime | None] = mapped_column(Moment)
    check_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    logo: Mapped[BankLogo | None] = relationship(
        viewonly=True, primaryjoin=lambda: foreign(Item.institution_id) == BankLogo.institution_id
    )

    @property
    def token(self) -> Sealed:
        return Sealed(sealing.access_token(self.user_id, self.plaid_item_id), self.access_token)

    @property
    def is_behind(self) -> bool:
        return self.state not in ENDED and self.sync_applied < self.sync_requested

    @property
    def is_reporting(self) -> bool:
        """The bank answers."""
        return self.state in REPORTING

    @property
    def may_wait(self) -> bool:
        """The bank is still preparing, and it is too early to ask again."""
        return not self.is_behind and self.ask_after is not None and self.ask_after > now()


TABLE = cast(Table, Item.__table__)
