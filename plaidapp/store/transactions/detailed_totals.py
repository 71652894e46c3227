"""The monthly totals by detailed category: what each of them is made of.

They are stored beside the monthly totals, and updated with them (monthly_refresh.py). Totals that
older code has stored are split later (detailed_backfill.py). Until then, a person's rows count
under the detailed category for the rest of each.
"""

import datetime
import functools
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import BigInteger, ForeignKey, Select, Table, Text, bindparam, exists, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Money
from ..connections.accounts import Account
from . import monthly_totals
from .categories import SPENDING_TYPES, is_transfer, spent
from .category_tree import rest_of
from .monthly_totals import UNSPLIT, MonthlyTotal


class DetailedTotal(Base):
    """A part of a MonthlyTotal: that of one detailed category. The columns are the same."""

    __tablename__ = "detailed_total"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    detailed: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    money_in: Mapped[Decimal] = mapped_column(Money)
    money_out: Mapped[Decimal] = mapped_column(Money)
    count: Mapped[int]
    hidden: Mapped[int]
    money_in_high: Mapped[int] = mapped_column(BigInteger)
    money_out_high: Mapped[int] = mapped_column(BigInteger)


TABLE = cast(Table, DetailedTotal.__table__)


class DetailedSum(NamedTuple):
    """A detailed category's money in one month and currency. Neither amount is negative."""

    month: datetime.date
    category: str
    detailed: str
    currency: str
    money_in: Decimal
    money_out: Decimal

    @property
    def spent(self) -> Decimal | None:
        """As `MonthlySum.spent`."""
        return spent(self.category, self.money_in, self.money_out)

    @property
    def earned(self) -> Decimal:
        """What came in and is no refund, less what of it went back."""
        return self.money_in - self.money_out + (self.spent or Decimal(0))


def flow(user_id: int, since: datetime.date) -> list[DetailedSum]:
    """Return what `monthly_totals.flow` does, by detailed category."""
    if not is_split(user_id):
        return [
            DetailedSum(each.month, each.category, rest_of(each.category), *each[2:])
            for each in monthly_totals.flow(user_id, since)
        ]
    values = {"user_id": user_id, "since": since, "types": list(SPENDING_TYPES)}
    rows = db.session.execute(_monthly(db.engine.dialect.name), values)
    return [DetailedSum(*row) for row in rows if not is_transfer(row.category)]


def is_split(user_id: int) -> bool:
    """Return True once all of the person's monthly totals have their parts."""
    return not db.session.scalar(_UNSPLIT, {"user_id": user_id})


_UNSPLIT = select(
    exists().where(
        Account.id == MonthlyTotal.account_id, Account.user_id == bindparam("user_id"), UNSPLIT
    )
)


def has_category(user_id: int, code: str) -> bool:
    """Return True if rows of the person count under this category of either level."""
    found = exists().where(
        Account.id == DetailedTotal.account_id,
        Account.user_id == user_id,
        or_(DetailedTotal.category == code, DetailedTotal.detailed == code),
    )
    return bool(db.session.scalar(select(found)))


@functools.cache  # as in monthly_totals.py
def _monthly(_dialect: str) -> Select[Any]:
    key = TABLE.c.month, TABLE.c.category, TABLE.c.detailed, TABLE.c.currency
    return monthly_totals.sums_by(TABLE, *key)
