"""Recurring payments: subscriptions, bills and income that Plaid finds in an Item's transactions.

Plaid calls them streams.
https://plaid.com/docs/api/products/transactions/#transactionsrecurringget
"""

import datetime
import functools
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    ForeignKey,
    Select,
    SQLColumnExpression,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.orm import (
    Mapped,
    column_property,
    defer,
    foreign,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from plaidapp.extensions import Base, db

from ..base.currency import HasCurrency
from ..base.types import BigId, Moment, Money
from ..connections.accounts import Account
from ..connections.item import Item
from ..connections.item_states import ENDED
from ..identity.logos import MerchantLogo
from ..transactions.categories import category_of, is_transfer
from ..transactions.transactions import Transaction

IN, OUT = "in", "out"
WEEKLY, BIWEEKLY, SEMI_MONTHLY = "WEEKLY", "BIWEEKLY", "SEMI_MONTHLY"
MONTHLY, ANNUALLY = "MONTHLY", "ANNUALLY"
TOMBSTONED = "TOMBSTONED"
EARLY = "EARLY_DETECTION"
NOT_RECURRING, OVER = "not_recurring", "ended"
"""What a person may say of a stream."""


def is_payment(direction: str, amount: Decimal) -> bool:
    """Return False for money that came back, such as a refund in a stream of costs."""
    return amount <= 0 if direction == IN else amount >= 0


class Payment(Base):
    """A transaction that belongs to a stream. By Plaid's id, because it may not be stored yet."""

    __tablename__ = "recurring_payment"

    plaid_transaction_id: Mapped[str] = mapped_column(Text, primary_key=True)
    stream_id: Mapped[int] = mapped_column(
        ForeignKey("recurring_stream.id", ondelete="CASCADE"), primary_key=True, index=True
    )


_MATCHED = func.count(Transaction.other_side_id)


def _stored(
    stream_id: SQLColumnExpression[int] | int, item_id: SQLColumnExpression[int] | int
) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a stream's payments that are stored and shown.

    They are no join: SQLite would begin it with all rows of the Item, which may be a million.
    """
    ids = select(Payment.plaid_transaction_id).where(Payment.stream_id == stream_id)
    return (
        Transaction.item_id == item_id,
        Transaction.plaid_transaction_id.in_(ids.correlate_except(Payment)),
        Transaction.removed_at.is_(None),
    )


class Stream(HasCurrency, Base):
    """Payments that belong together. Amounts have Plaid's sign: positive is money out.

    `last_amount` is that of the last payment: a refund in a stream of costs is not one.
    `previous_amount` is what was paid before `changed_on` if one steady amount followed another.
    `paid` is the number of payments. `is_matched` says that at least half of those that are stored
    are sides of transfers. `vanished_at` is when the stream was missing from Plaid's
    answer. `choice` is what the person says of it. `series_id` is the first of the streams that it
    goes on with, `anchor` the day from which the periods of the series are counted, and
    `revised_at` when any of its days or amounts changed.
    """

    __tablename__ = "recurring_stream"
    __table_args__ = (UniqueConstraint("item_id", "plaid_stream_id"),)

    id: Mapped[BigId] = mapped_column()
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    plaid_stream_id: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(String(8))
    description: Mapped[str] = mapped_column(Text)
    merchant_name: Mapped[str | None] = mapped_column(Text)
    category_primary: Mapped[str | None] = mapped_column(Text)
    category_detailed: Mapped[str | None] = mapped_column(Text)
    frequency: Mapped[str] = mapped_column(Text)
    first_date: Mapped[datetime.date]
    last_date: Mapped[datetime.date]
    predicted_next_date: Mapped[datetime.date | None]
    average_amount: Mapped[Decimal] = mapped_column(Money)
    last_amount: Mapped[Decimal] = mapped_column(Money)
    previous_amount: Mapped[Decimal | None] = mapped_column(Money)
    changed_on: Mapped[datetime.date | None]
    status: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool]
    updated_at: Mapped[datetime.datetime] = mapped_column(Moment)
    vanished_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    series_id: Mapped[int | None] = mapped_column(BigInteger)
    anchor: Mapped[datetime.date | None]
    revised_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    choice: Mapped[str | None] = mapped_column(String(16))
    chosen_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    paid: Mapped[int] = column_property(
        select(func.count())
        .where(Payment.stream_id == id)
        .correlate_except(Payment)
        .scalar_subquery()
    )
    is_matched: Mapped[bool] = column_property(
        select((_MATCHED > 0) & (func.count() <= 2 * _MATCHED))
        .where(*_stored(id, item_id))
        .correlate_except(Transaction)
        .scalar_subquery()
    )

    account: Mapped[Account] = relationship(lazy="raise")
    logo: Mapped[MerchantLogo | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: foreign(Stream.merchant_name) == MerchantLogo.name,
    )

    @property
    def title(self) -> str:
        return self.merchant_name or self.description

    @property
    def series(self) -> int:
        """The number of the series that the stream belongs to; most are alone in theirs."""
        return self.series_id or self.id

    @property
    def category(self) -> str:
        return category_of(
            self.category_primary,
            self.category_detailed,
            money_out=self.direction == OUT,
            is_matched=self.is_matched,
        )

    @property
    def is_transfer(self) -> bool:
        return is_transfer(self.category)

    @property
    def is_early(self) -> bool:
        """True while Plaid has seen too few payments to be sure."""
        return self.status == EARLY

    def is_late(self, today: datetime.date) -> bool:
        """Return True if the next payment was expected before `today`."""
        return self.predicted_next_date is not None and self.predicted_next_date < today

    @property
    def is_over(self) -> bool:
        """True if no payment is expected anymore, such as from an account that was closed."""
        ended = not self.is_active or self.status == TOMBSTONED or self.vanished_at is not None
        return ended or self.choice is not None or self.account.closed_at is not None


def of_user(user_id: int) -> Sequence[Stream]:
    """Return the person's streams with their accounts, including those that have ended.

    The stream with the next expected payment comes first. Streams of hidden accounts are left out,
    and those whose payments are all hidden.
    """
    return db.session.scalars(_of_user(), {"user_id": user_id}).all()


def named(user_id: int) -> Sequence[Stream]:
    """Return the same streams for their names. What follows from their payments is not read."""
    return db.session.scalars(_of_user().options(*_UNPAID), {"user_id": user_id}).all()


_UNPAID = [defer(each, raiseload=True) for each in (Stream.paid, Stream.is_matched)]


@functools.cache  # building the query takes longer than running it
def _of_user() -> Select[Stream]:
    payments = exists().where(*_stored(Stream.id, Stream.item_id))
    # The payment that is found first nearly always decides.
    shown = payments.where(~Transaction.hidden) | ~payments.where(Transaction.hidden)
    return (
        select(Stream)
        .join(Stream.account)
        .options(joinedload(Stream.account), selectinload(Stream.logo))
        .where(
            Stream.user_id == bindparam("user_id"),
            Account.item_id == Stream.item_id,
            ~Account.is_hidden,
            shown,
        )
        .order_by(
            Stream.predicted_next_date.is_(None),
            Stream.predicted_next_date,
            Stream.last_date.desc(),
            Stream.id,
        )
    )


def owned(stream_id: int, user_id: int) -> Stream | None:
    """Return the stream if it is listed for this person."""
    return next((each for each in of_user(user_id) if each.id == stream_id), None)


def payments(stream: Stream, limit: int) -> Sequence[Transaction]:
    """Return the latest payments of a stream that are stored, the last one first."""
    return db.session.scalars(
        select(Transaction)
        .where(*_stored(stream.id, stream.item_id))
        .order_by(Transaction.date.desc(), Transaction.id.desc())
        .limit(limit)
    ).all()


def payments_of(*of_streams: ColumnElement[bool]) -> CTE:
    """In SQL, return the ids of the payments of some streams, each with its stream and its Item.

    A query of their rows begins with them, which are few. Without "materialized", SQLite would
    begin with all rows of the Item.
    """
    return (
        select(Payment.stream_id, Payment.plaid_transaction_id, Stream.item_id)
        .join(Stream, Stream.id == Payment.stream_id)
        .where(*of_streams)
        .cte("payments")
        .prefix_with("MATERIALIZED")
    )


def refusing_items(user_id: int) -> Sequence[Item]:
    """Return the person's Items whose bank refused to list recurring payments."""
    return db.session.scalars(
        select(Item)
        .where(Item.user_id == user_id, Item.state.not_in(ENDED), Item.streams_refusal.is_not(None))
        .order_by(Item.id)
    ).all()
