"""Transactions: the ledger, written in sets by the sync. `store/ledger.py` reads it."""

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Computed,
    ForeignKey,
    Index,
    ScalarSelect,
    Select,
    Text,
    UniqueConstraint,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, Money, now
from ..connections.accounts import Account
from .categories import CARD_PAYMENT, TRANSFERS, UNKNOWN

BINARY_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, on every database."""
AT_ONCE = 500  # ids in one statement; SQLite's oldest limit is 999 parameters

REMOVED = text("removed_at IS NOT NULL")


def _shown_index(name: str, *columns: str, only: str = "") -> Index:
    """One order of the rows that are shown; `only` of those with this flag, which few rows have."""
    shown = {
        "postgresql": text("removed_at IS NULL" + (f" AND {only} IS true" if only else "")),
        "sqlite": text("removed_at IS NULL" + (f" AND {only} IS 1" if only else "")),
    }
    return Index(name, *columns, postgresql_where=shown["postgresql"], sqlite_where=shown["sqlite"])


class Transaction(Base):
    """One movement of money. `amount` has Plaid's sign: positive is money out.

    `size` is the amount without its sign. `removed_at` marks what the bank took back; such rows are
    kept but not shown. `words` and `note_words` are what the search index reads (store/words.py),
    `title_key` orders by name. `page_id` is the page that the bank's words came in (received.py).

    Only the account is a foreign key. To check one takes PostgreSQL as long as two indexes; the
    person is the account's, and Items are never deleted. A row of an account that has gone over to
    another Item may still name the former one (adoption.py).
    https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added
    """

    __tablename__ = "transaction"
    __table_args__ = (
        UniqueConstraint("item_id", "plaid_transaction_id"),
        _shown_index("ix_transaction_shown", "user_id", "date", "id"),
        _shown_index("ix_transaction_by_size", "user_id", "size", "id"),
        _shown_index("ix_transaction_by_title", "user_id", "title_key", "id"),
        _shown_index("ix_transaction_hidden", "user_id", "date", "id", only="hidden"),
        _shown_index("ix_transaction_pending", "user_id", "date", "id", only="pending"),
        Index("ix_transaction_removed", "item_id", postgresql_where=REMOVED, sqlite_where=REMOVED),
        Index("ix_transaction_account_id_date", "account_id", "date"),
    )

    id: Mapped[BigId]
    user_id: Mapped[int]
    item_id: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    plaid_transaction_id: Mapped[str] = mapped_column(Text)
    pending_transaction_id: Mapped[str | None] = mapped_column(Text)
    date: Mapped[datetime.date]
    authorized_date: Mapped[datetime.date | None]
    amount: Mapped[Decimal] = mapped_column(Money)
    size: Mapped[Decimal] = mapped_column(Money, Computed("abs(amount)", persisted=True))
    iso_currency_code: Mapped[str | None] = mapped_column(Text)
    unofficial_currency_code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    merchant_name: Mapped[str | None] = mapped_column(Text)
    category_primary: Mapped[str | None] = mapped_column(Text)
    category_detailed: Mapped[str | None] = mapped_column(Text)
    payment_channel: Mapped[str | None] = mapped_column(Text)
    title_key: Mapped[str] = mapped_column(BINARY_TEXT, default="", server_default="")
    words: Mapped[str] = mapped_column(Text, default="", server_default="")
    pending: Mapped[bool]
    page_id: Mapped[int | None] = mapped_column(BigInteger)
    removed_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    # What the person made of it. The bank's updates never touch these.
    own_category: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    note_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    hidden: Mapped[bool] = mapped_column(default=False)
    edited_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship(lazy="raise")

    @property
    def title(self) -> str:
        """What a person knows it by."""
        return self.merchant_name or self.name

    @property
    def currency(self) -> str | None:
        return self.iso_currency_code or self.unofficial_currency_code

    @property
    def bank_category(self) -> str:
        """What the row counts under when the person has chosen nothing."""
        if self.category_detailed == CARD_PAYMENT:
            return TRANSFERS[self.amount > 0]
        return self.category_primary or UNKNOWN

    @hybrid_property
    def category(self) -> str:
        """What the row counts under: what the person chose, or what Plaid says."""
        return self.own_category or self.bank_category

    @category.inplace.expression
    @classmethod
    def _category(cls) -> ColumnElement[str]:
        card_payment = case((cls.amount > 0, TRANSFERS[1]), else_=TRANSFERS[0])
        return case(
            (cls.own_category.is_not(None), cls.own_category),
            (cls.category_detailed == CARD_PAYMENT, card_payment),
            else_=func.coalesce(cls.category_primary, UNKNOWN),
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


def count_removed(item_id: int) -> int:
    """Rows that the bank has taken back; they are kept, and shown nowhere."""
    query = select(func.count()).select_from(Transaction)
    query = query.where(Transaction.item_id == item_id, Transaction.removed_at.is_not(None))
    return db.session.scalar(query) or 0


def owned(transaction_id: int, user_id: int) -> Transaction | None:
    """The person's transaction with its account, though the bank may have taken it back."""
    return db.session.scalar(
        _one().where(Transaction.id == transaction_id, Transaction.user_id == user_id)
    )


def replaced_by(row: Transaction) -> Transaction | None:
    """The pending transaction that became this one when it posted, if it was stored."""
    return db.session.scalar(
        _one().where(
            Transaction.item_id == row.item_id,
            Transaction.plaid_transaction_id == row.pending_transaction_id,
        )
    )


def replacing(row: Transaction) -> Transaction | None:
    """What this pending transaction became when it posted."""
    if not row.pending:
        return None
    return db.session.scalar(
        _one()
        .where(
            Transaction.account_id == row.account_id,
            Transaction.pending_transaction_id == row.plaid_transaction_id,
            Transaction.date >= row.date - datetime.timedelta(days=30),
        )
        .limit(1)
    )


def _one() -> Select[Transaction]:
    return select(Transaction).options(joinedload(Transaction.account))
