"""What recurs: subscriptions, bills and pay, as Plaid finds them in an Item's transactions.

Read as a whole and kept as a whole: a stream that Plaid no longer names is marked, not deleted.
https://plaid.com/docs/api/products/transactions/#transactionsrecurringget
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ForeignKey,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, column_property, joinedload, mapped_column, relationship

from plaidapp.bank import payloads
from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, Money, now
from ..base.upsert import upsert
from ..connections.accounts import Account
from ..connections.items import REPLACED, Item
from ..transactions.categories import CARD_PAYMENT, TRANSFERS, UNKNOWN
from ..transactions.transactions import AT_ONCE, Transaction

IN, OUT = "in", "out"
WEEKLY, BIWEEKLY, SEMI_MONTHLY = "WEEKLY", "BIWEEKLY", "SEMI_MONTHLY"
MONTHLY, ANNUALLY = "MONTHLY", "ANNUALLY"
TOMBSTONED = "TOMBSTONED"
EARLY = "EARLY_DETECTION"


class Payment(Base):
    """That a transaction belongs to a stream. By Plaid's id: it may not be stored here yet."""

    __tablename__ = "recurring_payment"

    plaid_transaction_id: Mapped[str] = mapped_column(Text, primary_key=True)
    stream_id: Mapped[int] = mapped_column(
        ForeignKey("recurring_stream.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Stream(Base):
    """Payments that belong together. Amounts have Plaid's sign: positive is money out.

    `previous_amount` is what was paid before `changed_on`, when one steady amount followed another.
    `paid` counts the payments. `vanished_at` is when Plaid named the stream no more.
    """

    __tablename__ = "recurring_stream"
    __table_args__ = (UniqueConstraint("item_id", "plaid_stream_id"),)

    id: Mapped[BigId]
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
    iso_currency_code: Mapped[str | None] = mapped_column(Text)
    unofficial_currency_code: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool]
    updated_at: Mapped[datetime.datetime] = mapped_column(Moment)
    vanished_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship(lazy="raise")

    @property
    def title(self) -> str:
        return self.merchant_name or self.description

    @property
    def currency(self) -> str | None:
        return self.iso_currency_code or self.unofficial_currency_code

    @property
    def category(self) -> str:
        """As for a transaction: paying one's own card is a transfer."""
        if self.category_detailed == CARD_PAYMENT:
            return TRANSFERS[self.direction == OUT]
        return self.category_primary or UNKNOWN

    @property
    def is_transfer(self) -> bool:
        return self.category in TRANSFERS

    @property
    def is_over(self) -> bool:
        return not self.is_active or self.status == TOMBSTONED or self.vanished_at is not None


Stream.paid = column_property(
    select(func.count()).where(Payment.stream_id == Stream.id).correlate(Stream).scalar_subquery()
)


class Change(NamedTuple):
    """One steady amount has followed another."""

    previous: Decimal
    since: datetime.date


def change_of(paid: Iterable[tuple[datetime.date, Decimal]], frequency: str) -> Change | None:
    """What changed, of payments oldest first; None where no amount was steady before.

    A bill that differs every month has not changed its price, even if two in a row were alike: an
    amount has to be paid twice at least before another comes, as a rule. Of yearly ones once is
    enough.
    """
    runs = [list(run) for _, run in groupby(paid, key=lambda payment: payment[1])]
    if len(runs) < 2:
        return None
    *before, latest = runs
    steady = len(before[-1]) >= 2 and sum(map(len, before)) >= 2 * len(before)
    if not steady and frequency != ANNUALLY:
        return None
    return Change(before[-1][0][1], latest[0][0])


def save(
    user_id: int, item_id: int, account_ids: Mapping[str, int], answer: payloads.Recurring
) -> int:
    """Makes the Item's streams what the bank just said; returns how many they are.

    What recurs on an account that is not stored is left out: it is not shared.
    """
    sent = [
        (direction, stream)
        for direction, streams in ((IN, answer.inflow_streams), (OUT, answer.outflow_streams))
        for stream in streams
        if stream.account_id in account_ids
    ]
    ledger = _ledger(item_id, [plaid_id for _, one in sent for plaid_id in one.transaction_ids])
    upsert(
        cast(Table, Stream.__table__),
        ("item_id", "plaid_stream_id"),
        [
            {"user_id": user_id, "item_id": item_id, "direction": direction}
            | _columns(stream, account_ids, ledger)
            for direction, stream in sent
        ],
    )
    _mark_vanished(item_id, {stream.stream_id for _, stream in sent})
    _link(item_id, [stream for _, stream in sent])
    return len(sent)


def _ledger(item_id: int, plaid_ids: Sequence[str]) -> dict[str, tuple[datetime.date, Decimal]]:
    """Date and amount of those of the transactions that are stored."""
    found: dict[str, tuple[datetime.date, Decimal]] = {}
    for start in range(0, len(plaid_ids), AT_ONCE):
        query = select(
            Transaction.plaid_transaction_id, Transaction.date, Transaction.amount
        ).where(
            Transaction.item_id == item_id,
            Transaction.plaid_transaction_id.in_(plaid_ids[start : start + AT_ONCE]),
        )
        found.update(
            {plaid_id: (day, amount) for plaid_id, day, amount in db.session.execute(query)}
        )
    return found


def _columns(
    stream: payloads.Stream,
    account_ids: Mapping[str, int],
    ledger: Mapping[str, tuple[datetime.date, Decimal]],
) -> dict[str, Any]:
    paid = sorted(ledger[plaid_id] for plaid_id in stream.transaction_ids if plaid_id in ledger)
    if not paid or paid[-1][0] < stream.last_date:  # the newest row is still to be synced
        paid.append((stream.last_date, stream.last_amount.amount))
    change = change_of(paid, stream.frequency)
    return {
        "account_id": account_ids[stream.account_id],
        "plaid_stream_id": stream.stream_id,
        "description": stream.description,
        "merchant_name": stream.merchant_name,
        "category_primary": stream.category and stream.category.primary,
        "category_detailed": stream.category and stream.category.detailed,
        "frequency": stream.frequency,
        "first_date": stream.first_date,
        "last_date": stream.last_date,
        "predicted_next_date": stream.predicted_next_date,
        "average_amount": stream.average_amount.amount,
        "last_amount": stream.last_amount.amount,
        "previous_amount": change and change.previous,
        "changed_on": change and change.since,
        "iso_currency_code": stream.last_amount.iso_currency_code,
        "unofficial_currency_code": stream.last_amount.unofficial_currency_code,
        "status": stream.status,
        "is_active": stream.is_active,
        "updated_at": now(),
        "vanished_at": None,
    }


def _mark_vanished(item_id: int, named: set[str]) -> None:
    db.session.execute(
        update(Stream)
        .where(
            Stream.item_id == item_id,
            Stream.vanished_at.is_(None),
            Stream.plaid_stream_id.not_in(named),
        )
        .values(vanished_at=now())
        .execution_options(synchronize_session=False)
    )


def _link(item_id: int, sent: Iterable[payloads.Stream]) -> None:
    """Writes which transactions belong to the streams, as far as that is not what is stored."""
    query = select(Stream.plaid_stream_id, Stream.id).where(Stream.item_id == item_id)
    ids = {plaid_id: ours for plaid_id, ours in db.session.execute(query)}  # noqa: C416
    wanted = {
        (ids[stream.stream_id], plaid_id) for stream in sent for plaid_id in stream.transaction_ids
    }
    named = sorted({stream_id for stream_id, _ in wanted})
    query = select(Payment.stream_id, Payment.plaid_transaction_id)
    stored = {
        (stream_id, plaid_id)
        for stream_id, plaid_id in db.session.execute(query.where(Payment.stream_id.in_(named)))
    }
    for stream_id, plaid_id in stored - wanted:
        db.session.execute(
            delete(Payment)
            .where(Payment.stream_id == stream_id, Payment.plaid_transaction_id == plaid_id)
            .execution_options(synchronize_session=False)
        )
    if new := sorted(wanted - stored):
        rows = [{"stream_id": ours, "plaid_transaction_id": plaid_id} for ours, plaid_id in new]
        db.session.execute(insert(cast(Table, Payment.__table__)), rows)


def of_user(user_id: int) -> Sequence[Stream]:
    """With their accounts, what is expected first coming first; also those that are over.

    One whose payments are all hidden is as if it were not there.
    """
    payments = exists().where(
        Payment.stream_id == Stream.id,
        Transaction.plaid_transaction_id == Payment.plaid_transaction_id,
        Transaction.item_id == Stream.item_id,
        Transaction.removed_at.is_(None),
    )
    hidden = payments.where(Transaction.hidden) & ~payments.where(~Transaction.hidden)
    return db.session.scalars(
        select(Stream)
        .join(Stream.account)
        .options(joinedload(Stream.account))
        .where(Stream.user_id == user_id, Account.item_id == Stream.item_id, ~hidden)
        .order_by(
            Stream.predicted_next_date.is_(None),
            Stream.predicted_next_date,
            Stream.last_date.desc(),
            Stream.id,
        )
    ).all()


def of_transaction(row: Transaction) -> Stream | None:
    """The stream that a transaction is a payment of."""
    return db.session.scalars(
        select(Stream)
        .join(Payment, Payment.stream_id == Stream.id)
        .where(
            Stream.item_id == row.item_id,
            Stream.vanished_at.is_(None),
            Payment.plaid_transaction_id == row.plaid_transaction_id,
        )
        .order_by(Stream.id)
        .limit(1)
    ).first()


def silent_items(user_id: int) -> Sequence[Item]:
    """The person's Items whose bank was asked what recurs, and refused to say."""
    return db.session.scalars(
        select(Item)
        .where(Item.user_id == user_id, Item.state != REPLACED, Item.streams_refusal.is_not(None))
        .order_by(Item.id)
    ).all()
