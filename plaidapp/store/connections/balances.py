"""Balances day by day: what the bank said, and what follows from it.

A step function: a row holds until the account's next one. `bank` rows are what the bank said on
that day (UTC); `computed` ones follow from those and the transactions (backfill.py).
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from sqlalchemy import ForeignKey, String, Table, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Money
from ..base.upsert import upsert

BANK, COMPUTED = "bank", "computed"


class Balance(Base):
    """What stood in the account at the end of the day; on credit and loans, what was owed."""

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    date: Mapped[datetime.date] = mapped_column(primary_key=True)
    current: Mapped[Decimal] = mapped_column(Money)
    source: Mapped[str] = mapped_column(String(8))


TABLE = cast(Table, Balance.__table__)


_SAID = select(Balance.account_id, Balance.current).where(
    Balance.account_id.in_(bindparam("account_ids", expanding=True)),
    Balance.date == bindparam("day"),
    Balance.source == BANK,
)


def record(day: datetime.date, said: Mapping[int, Decimal]) -> set[int]:
    """Keeps what the bank said of accounts on `day`; returns those of which that was news."""
    rows = db.session.execute(_SAID, {"account_ids": list(said), "day": day})
    known = {account_id: current for account_id, current in rows}  # noqa: C416
    news = {account_id for account_id in said if known.get(account_id) != said[account_id]}
    new = [
        {"account_id": account_id, "date": day, "current": said[account_id], "source": BANK}
        for account_id in sorted(news)
    ]
    upsert(TABLE, ("account_id", "date"), new)
    return news
