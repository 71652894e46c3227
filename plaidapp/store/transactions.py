"""Transactions: the ledger. Written in sets by the sync, read by keyset."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    ScalarSelect,
    Table,
    Text,
    UniqueConstraint,
    case,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, aliased, joinedload, mapped_column, relationship

from plaidapp.bank import payloads
from plaidapp.extensions import Base, db

from .accounts import Account
from .categories import CARD_PAYMENT, TRANSFERS, UNKNOWN
from .types import BigId, Moment, Money, now
from .upsert import upsert

AT_ONCE = 500  # ids in one statement; SQLite's oldest limit is 999 parameters


class Transaction(Base):
    """One movement of money. `amount` has Plaid's sign: positive is money out.

    `removed_at` marks what the bank took back; such rows are kept but not shown.
    https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added
    """

    __tablename__ = "transaction"
    __table_args__ = (
        UniqueConstraint("item_id", "plaid_transaction_id"),
        Index(
            "ix_transaction_shown",
            "user_id",
            "date",
            "id",
            postgresql_where=text("removed_at IS NULL"),
            sqlite_where=text("removed_at IS NULL"),
        ),
        Index("ix_transaction_account_id_date", "account_id", "date"),
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    plaid_transaction_id: Mapped[str] = mapped_column(Text)
    pending_transaction_id: Mapped[str | None] = mapped_column(Text)
    date: Mapped[datetime.date]
    authorized_date: Mapped[datetime.date | None]
    amount: Mapped[Decimal] = mapped_column(Money)
    iso_currency_code: Mapped[str | None] = mapped_column(Text)
    unofficial_currency_code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    merchant_name: Mapped[str | None] = mapped_column(Text)
    category_primary: Mapped[str | None] = mapped_column(Text)
    category_detailed: Mapped[str | None] = mapped_column(Text)
    payment_channel: Mapped[str | None] = mapped_column(Text)
    pending: Mapped[bool]
    removed_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    # What the person made of it. The bank's updates never touch these.
    own_category: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[bool] = mapped_column(default=False)
    edited_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship(lazy="raise")

    @property
    def currency(self) -> str | None:
        return self.iso_currency_code or self.unofficial_currency_code

    @hybrid_property
    def category(self) -> str:
        """What the row counts under: what the person chose, or what Plaid says."""
        if self.own_category:
            return self.own_category
        if self.category_detailed == CARD_PAYMENT:
            return TRANSFERS[self.amount > 0]
        return self.category_primary or UNKNOWN

    @category.inplace.expression
    @classmethod
    def _category(cls) -> ColumnElement[str]:
        card_payment = case((cls.amount > 0, TRANSFERS[1]), else_=TRANSFERS[0])
        return case(
            (cls.own_category.is_not(None), cls.own_category),
            (cls.category_detailed == CARD_PAYMENT, card_payment),
            else_=func.coalesce(cls.category_primary, UNKNOWN),
        )


def save(
    user_id: int,
    item_id: int,
    account_ids: Mapping[str, int],
    transactions: Iterable[payloads.Transaction],
) -> None:
    """Adds or updates what the bank sent. Raises KeyError for an account that is not stored."""
    upsert(
        cast(Table, Transaction.__table__),
        ("item_id", "plaid_transaction_id"),
        [
            {
                "user_id": user_id,
                "item_id": item_id,
                "account_id": account_ids[sent.account_id],
                "plaid_transaction_id": sent.transaction_id,
                "pending_transaction_id": sent.pending_transaction_id,
                "date": sent.date,
                "authorized_date": sent.authorized_date,
                "amount": sent.amount,
                "iso_currency_code": sent.iso_currency_code,
                "unofficial_currency_code": sent.unofficial_currency_code,
                "name": sent.title,
                "merchant_name": sent.merchant_name,
                "category_primary": sent.category and sent.category.primary,
                "category_detailed": sent.category and sent.category.detailed,
                "payment_channel": sent.payment_channel,
                "pending": sent.pending,
                "removed_at": None,
            }
            for sent in transactions
        ],
    )


def carry_edits(item_id: int, posted: Iterable[payloads.Transaction]) -> None:
    """Gives posted rows what the person had written on the pending rows they replace.

    Plaid gives a transaction a new id when it posts and names the old one:
    https://plaid.com/docs/transactions/transactions-data/#reconciling-transactions
    """
    replacing = [sent.transaction_id for sent in posted if sent.pending_transaction_id]
    pending = aliased(Transaction)
    for ids in _in_parts(replacing):
        db.session.execute(
            update(Transaction)
            .where(
                Transaction.item_id == item_id,
                Transaction.plaid_transaction_id.in_(ids),
                Transaction.edited_at.is_(None),
                pending.item_id == item_id,
                pending.plaid_transaction_id == Transaction.pending_transaction_id,
                pending.edited_at.is_not(None),
            )
            .values(
                own_category=pending.own_category,
                note=pending.note,
                hidden=pending.hidden,
                edited_at=pending.edited_at,
            )
            .execution_options(synchronize_session=False)
        )


def _in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def mark_removed(item_id: int, plaid_ids: Sequence[str]) -> None:
    """What has gone over to another Item with its account is no longer this Item's to remove."""
    moment = now()
    for ids in _in_parts(plaid_ids):
        db.session.execute(
            update(Transaction)
            .where(
                Transaction.item_id == item_id,
                Transaction.plaid_transaction_id.in_(ids),
                Transaction.account_id.in_(_accounts_of(item_id)),
                Transaction.removed_at.is_(None),
            )
            .values(removed_at=moment)
            .execution_options(synchronize_session=False)
        )


def days_of(item_id: int, plaid_ids: Sequence[str]) -> set[tuple[int, datetime.date]]:
    """The accounts and dates of those of these rows that are stored."""
    found: set[tuple[int, datetime.date]] = set()
    for ids in _in_parts(plaid_ids):
        query = select(Transaction.account_id, Transaction.date).where(
            Transaction.item_id == item_id, Transaction.plaid_transaction_id.in_(ids)
        )
        found.update((account_id, date) for account_id, date in db.session.execute(query))
    return found


def _accounts_of(item_id: int) -> ScalarSelect[int]:
    return select(Account.id).where(Account.item_id == item_id).scalar_subquery()


def shown_ids(item_id: int, since: datetime.date) -> set[str]:
    """Plaid's ids of the Item's rows from `since` on that are not marked removed."""
    query = select(Transaction.plaid_transaction_id).where(
        Transaction.item_id == item_id,
        Transaction.account_id.in_(_accounts_of(item_id)),
        Transaction.date >= since,
        Transaction.removed_at.is_(None),
    )
    return set(db.session.scalars(query))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a person's transactions are meant; both dates are included."""

    user_id: int
    start: datetime.date | None = None
    end: datetime.date | None = None
    item_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted = [Transaction.user_id == self.user_id, Transaction.removed_at.is_(None)]
        if self.start:
            wanted.append(Transaction.date >= self.start)
        if self.end:
            wanted.append(Transaction.date <= self.end)
        if self.item_id:
            wanted.append(Transaction.item_id == self.item_id)
        return wanted


def page(
    wanted: Filter, limit: int, after: tuple[datetime.date, int] | None = None
) -> Sequence[Transaction]:
    """The newest `limit` rows, or those that follow the row with this (date, id)."""
    query = (
        select(Transaction)
        .options(joinedload(Transaction.account))
        .where(*wanted.conditions())
        .order_by(Transaction.date.desc(), Transaction.id.desc())
        .limit(limit)
    )
    if after:
        query = query.where(tuple_(Transaction.date, Transaction.id) < tuple_(*after))
    return db.session.scalars(query).all()


def all_of(wanted: Filter) -> Iterator[Transaction]:
    """Every row, a page at a time."""
    after = None
    while rows := page(wanted, AT_ONCE, after):
        yield from rows
        after = (rows[-1].date, rows[-1].id)


def count(wanted: Filter) -> int:
    query = select(func.count()).select_from(Transaction).where(*wanted.conditions())
    return db.session.scalar(query) or 0


def count_removed(item_id: int) -> int:
    """Rows that the bank has taken back; they are kept, and shown nowhere."""
    query = select(func.count()).select_from(Transaction)
    query = query.where(Transaction.item_id == item_id, Transaction.removed_at.is_not(None))
    return db.session.scalar(query) or 0


def first_date(user_id: int) -> datetime.date | None:
    """The date of the person's oldest transaction."""
    return db.session.scalar(
        select(func.min(Transaction.date)).where(*Filter(user_id).conditions())
    )
