"""The transactions of all accounts. ingest.py writes them in bulk, and reader.py reads them."""

import datetime
import functools
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Computed,
    ForeignKey,
    Index,
    Select,
    Text,
    UniqueConstraint,
    false,
    select,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, foreign, joinedload, mapped_column, relationship, selectinload

from plaidapp.extensions import Base, db

from ..base.currency import HasCurrency
from ..base.dates import days_later
from ..base.types import BigId, Moment, Money
from ..connections.accounts import Account
from ..identity.logos import MerchantLogo
from .categories import category_of, category_sql
from .category_tree import detailed_of, detailed_sql, most_of

BINARY_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code point on every database."""
REMOVED = text("removed_at IS NOT NULL")
UNFILLED = text("pairs IS NULL OR (note IS NOT NULL AND note_pairs IS NULL)")
"""Rows that search_backfill.py has yet to fill in."""


def _shown_index(name: str, *columns: str, only: str = "") -> Index:
    """Index the rows that are not removed, or only those of them with a flag."""
    shown = {
        "postgresql": text("removed_at IS NULL" + (f" AND {only} IS true" if only else "")),
        "sqlite": text("removed_at IS NULL" + (f" AND {only} IS 1" if only else "")),
    }
    return Index(name, *columns, postgresql_where=shown["postgresql"], sqlite_where=shown["sqlite"])


class Transaction(HasCurrency, Base):
    """One movement of money. `amount` has Plaid's sign: positive is money out.

    `size` is the amount without its sign. `category_version` is "v1" or "v2", or None if the bank
    doesn't say. `removed_at` marks a row that the bank removed; it is kept but not shown. The
    search reads `pairs` and `note_pairs` (base/search_terms.py); they are NULL in old rows until
    search_backfill.py fills them in. Rows are sorted by name with `title_key`. `page_id` is the
    page that the row last came in (raw_pages.py). `first_id` is Plaid's first id of a row that has
    another one since its account was reconnected or merged. `other_side_id` is the row in another
    account of the person that is the other side of the same transfer (transfers.py).
    `not_transfer` means that the person separated it from such a row.

    Only the account is a foreign key: on PostgreSQL, checking one takes as long as two indexes.
    The person is the account's, and Items are never deleted. A row of an account that has moved to
    another Item may still name the former Item (reconnected_rows.py).
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
        Index("ix_transaction_unfilled", "id", postgresql_where=UNFILLED, sqlite_where=UNFILLED),
        Index("ix_transaction_account_id_date", "account_id", "date"),
        Index("ix_transaction_page_id", "page_id"),
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
    name: Mapped[str] = mapped_column(Text)
    merchant_name: Mapped[str | None] = mapped_column(Text)
    category_primary: Mapped[str | None] = mapped_column(Text)
    category_detailed: Mapped[str | None] = mapped_column(Text)
    category_version: Mapped[str | None] = mapped_column(Text)
    payment_channel: Mapped[str | None] = mapped_column(Text)
    title_key: Mapped[str] = mapped_column(BINARY_TEXT, default="", server_default="")
    pairs: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_raiseload=True)
    pending: Mapped[bool]
    page_id: Mapped[int | None] = mapped_column(BigInteger)
    removed_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    first_id: Mapped[str | None] = mapped_column(Text)
    other_side_id: Mapped[int | None] = mapped_column(BigInteger)

    # The person's own edits. Updates from the bank never change these.
    own_category: Mapped[str | None] = mapped_column(Text)
    own_detailed: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    note_pairs: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_raiseload=True)
    hidden: Mapped[bool] = mapped_column(default=False)
    not_transfer: Mapped[bool] = mapped_column(server_default=false())
    edited_at: Mapped[datetime.datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship(lazy="raise")
    logo: Mapped[MerchantLogo | None] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=lambda: foreign(Transaction.merchant_name) == MerchantLogo.name,
    )
    other_side: Mapped["Transaction | None"] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin="foreign(Transaction.other_side_id) == remote(Transaction.id)",
    )

    @property
    def public_id(self) -> str:
        """Plaid's id by which programs know the row. It never changes."""
        return self.first_id or self.plaid_transaction_id

    @property
    def is_left_out(self) -> bool:
        """The person has hidden it, or its whole account."""
        return self.hidden or self.account.is_hidden

    @property
    def title(self) -> str:
        """The merchant, or the bank's description."""
        return self.merchant_name or self.name

    @property
    def bank_category(self) -> str:
        """The category that Plaid's categories stand for, as `shown_category`."""
        category = category_of(
            self.category_primary, self.category_detailed, money_out=self.amount > 0
        )
        return most_of(category, detailed_of(category, self.category_detailed, None, None))

    @property
    def own_choice(self) -> str | None:
        """The category that the person chose, a code of either level."""
        return self.own_detailed or self.own_category

    @property
    def shown_category(self) -> str:
        """All that is known of what the row counts under: its detailed category, or the primary one
        if that is for the rest."""
        return most_of(self.category, self.detailed)

    @hybrid_property
    def category(self) -> str:
        """The category that the row counts under: the person's choice, a transfer if it is one side
        of a match, or Plaid's."""
        return self.own_category or category_of(
            self.category_primary,
            self.category_detailed,
            money_out=self.amount > 0,
            is_matched=self.other_side_id is not None,
        )

    @category.inplace.expression
    @classmethod
    @functools.lru_cache  # building it takes longer than a short query
    def _category(cls) -> ColumnElement[str]:
        return category_sql(
            cls.own_category,
            cls.other_side_id.is_not(None),
            cls.category_primary,
            cls.category_detailed,
            cls.amount,
        )

    @hybrid_property
    def detailed(self) -> str:
        """The detailed category that the row counts under. It is the one for all the rest of its
        category if nobody says more."""
        return detailed_of(
            self.category, self.category_detailed, self.own_category, self.own_detailed
        )

    @detailed.inplace.expression
    @classmethod
    @functools.lru_cache
    def _detailed(cls) -> ColumnElement[str]:
        return detailed_sql(
            cls.own_category,
            cls.own_detailed,
            cls.other_side_id.is_not(None),
            cls.category_primary,
            cls.category_detailed,
            cls.amount,
        )


def owned(transaction_id: int, user_id: int) -> Transaction | None:
    """Return the person's transaction with its account, even if the bank removed it."""
    return db.session.scalar(
        _one()
        .options(selectinload(Transaction.other_side).joinedload(Transaction.account))
        .where(Transaction.id == transaction_id, Transaction.user_id == user_id)
    )


def replaced_by(row: Transaction) -> Transaction | None:
    """Return the pending transaction that this one replaced when it posted, if it is stored."""
    return db.session.scalar(
        _one().where(
            Transaction.item_id == row.item_id,
            Transaction.plaid_transaction_id == row.pending_transaction_id,
        )
    )


def replacing(row: Transaction) -> Transaction | None:
    """Return the posted transaction that replaced this pending one."""
    if not row.pending:
        return None
    return db.session.scalar(
        _one()
        .where(
            Transaction.account_id == row.account_id,
            Transaction.pending_transaction_id == row.plaid_transaction_id,
            Transaction.date >= days_later(row.date, -30),
        )
        .limit(1)
    )


def _one() -> Select[Transaction]:
    return select(Transaction).options(
        joinedload(Transaction.account), selectinload(Transaction.logo)
    )
