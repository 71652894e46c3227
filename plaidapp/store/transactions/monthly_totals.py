"""Totals of transactions by account, month, category and currency, stored beside the transactions.

A page that shows sums reads these few rows, however many transactions there are. Code that changes
transactions also updates their months (monthly_refresh.py), in the same database transaction.
"""

import datetime
import functools
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Select,
    Table,
    Text,
    bindparam,
    case,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.sums import money_sum
from ..base.types import Money
from ..connections import accounts
from ..connections.accounts import Account
from .categories import SPENDING_TYPES, is_transfer, spent

UNSPLIT = text("(detailed_rows IS NULL OR detailed_rows <> count + hidden)")
"""Totals that detailed_backfill.py has yet to split."""


class MonthlyTotal(Base):
    """Sums of an account's rows of one month, category and currency. Neither sum is negative.

    `count` is the number of these rows. It includes pending rows, but no removed or hidden ones;
    `hidden` counts the hidden ones. `currency` is empty if the bank names none. Each sum has two
    columns (base/sums.py). `detailed_rows` is how many rows the total has been split into detailed
    categories with (detailed_totals.py).
    """

    __tablename__ = "monthly_total"
    __table_args__ = (
        Index(
            *("ix_monthly_total_unsplit", "account_id", "month"),
            postgresql_where=UNSPLIT,
            sqlite_where=UNSPLIT,
        ),
        # In the order in which sums of many months are grouped, with all that they read.
        Index(
            *("ix_monthly_total_category", "account_id", "category", "currency", "month"),
            *("count", "hidden", "money_in", "money_in_high", "money_out", "money_out_high"),
        ),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    money_in: Mapped[Decimal] = mapped_column(Money)
    money_out: Mapped[Decimal] = mapped_column(Money)
    count: Mapped[int]
    hidden: Mapped[int]
    money_in_high: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    money_out_high: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    detailed_rows: Mapped[int | None]


TABLE = cast(Table, MonthlyTotal.__table__)


class MonthlySum(NamedTuple):
    """A category's money in one month and currency. Neither amount is negative."""

    month: datetime.date
    category: str
    currency: str
    money_in: Decimal
    money_out: Decimal

    @property
    def spent(self) -> Decimal | None:
        """Purchases less refunds; negative if the refunds are larger. None if there are neither."""
        return spent(self.category, self.money_in, self.money_out)


def flow(user_id: int, since: datetime.date) -> list[MonthlySum]:
    """Return what a person earned and spent, from the month that begins with `since`."""
    found = monthly(user_id, since, SPENDING_TYPES)
    return [each for each in found if not is_transfer(each.category)]


def monthly(user_id: int, since: datetime.date, types: Collection[str]) -> list[MonthlySum]:
    """Return the sums of a person's accounts of these types, from the month that begins with
    `since`. Hidden accounts are left out."""
    values = {"user_id": user_id, "since": since, "types": list(types)}
    rows = db.session.execute(_monthly(db.engine.dialect.name), values)
    return [MonthlySum(*row) for row in rows]


def in_and_out(
    account: Account, since: datetime.date
) -> dict[datetime.date, tuple[Decimal, Decimal]]:
    """Return what came in and what went out, by month from the one that begins with `since`.

    Only what is in the account's currency. Transfers count, hidden rows don't.
    """
    sums = (
        money_sum(TABLE.c.money_in, TABLE.c.money_in_high),
        money_sum(TABLE.c.money_out, TABLE.c.money_out_high),
    )
    of_account = TABLE.c.account_id == account.id, TABLE.c.currency == (account.currency or "")
    query = select(TABLE.c.month, *sums).where(*of_account, TABLE.c.month >= since)
    rows = db.session.execute(query.group_by(TABLE.c.month).order_by(TABLE.c.month))
    return {month: (money_in, money_out) for month, money_in, money_out in rows}


@functools.cache  # building the statement takes longer than running it
def _monthly(_dialect: str) -> Select[Any]:
    """Return a statement for each dialect, because `money_sum` differs between them."""
    return sums_by(TABLE, TABLE.c.month, TABLE.c.category, TABLE.c.currency)


def sums_by(table: Table, *key: Column[Any]) -> Select[Any]:
    """Return a statement for a person's sums by `key`, with the parameters of `monthly`."""
    account = accounts.TABLE.c
    return (
        select(
            *key,
            money_sum(table.c.money_in, table.c.money_in_high),
            money_sum(table.c.money_out, table.c.money_out_high),
        )
        .join(accounts.TABLE, account.id == table.c.account_id)
        .where(
            account.user_id == bindparam("user_id"),
            account.is_hidden.is_(False),
            account.type.in_(bindparam("types", expanding=True)),
            table.c.month >= bindparam("since"),
        )
        .group_by(*key)
        .order_by(*key)
    )


def first_month(user_id: int) -> datetime.date | None:
    """Return the first month with transactions of a person; None if there are none."""
    return db.session.scalar(_FIRST_MONTH, {"user_id": user_id})


_FIRST_OF_ACCOUNT = (
    select(func.min(MonthlyTotal.month))
    .where(MonthlyTotal.account_id == Account.id)
    .scalar_subquery()
)
"""It is read from the end of an index, once for each account."""
_FIRST_MONTH = select(func.min(_FIRST_OF_ACCOUNT)).where(Account.user_id == bindparam("user_id"))


class Count(NamedTuple):
    shown: int
    hidden: int


def count(user_id: int, item_id: int | None = None) -> Count:
    """Return how many transactions a person or one of their Items has, without reading them.

    All of a hidden account's are hidden.
    """
    query = _COUNT if item_id is None else _COUNT_OF_ITEM
    shown, every = db.session.execute(query, {"user_id": user_id, "item_id": item_id}).one()
    return Count(int(shown or 0), int(every or 0) - int(shown or 0))


_EVERY_ROW = MonthlyTotal.count + MonthlyTotal.hidden
_COUNT = (
    select(
        func.sum(case((Account.is_hidden, 0), else_=MonthlyTotal.count)),
        func.sum(_EVERY_ROW),
    )
    .join(Account, Account.id == MonthlyTotal.account_id)
    .where(Account.user_id == bindparam("user_id"))
)
_COUNT_OF_ITEM = _COUNT.where(Account.item_id == bindparam("item_id"))


def count_stored(account_ids: Sequence[int]) -> int:
    """Return how many transactions these accounts have, hidden ones included."""
    rows = select(func.sum(_EVERY_ROW)).where(MonthlyTotal.account_id.in_(account_ids))
    return db.session.scalar(rows) or 0
