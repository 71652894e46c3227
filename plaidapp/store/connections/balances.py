"""Balances by day: as the bank reported them, and as computed from them.

A row holds until the account's next row. `bank` rows are what the bank reported on that day, in
UTC. `computed` rows follow from those and the transactions (reports/balance_history.py).
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from sqlalchemy import BigInteger, ForeignKey, String, Table, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Money
from ..base.upsert import upsert

BANK, COMPUTED = "bank", "computed"


class Balance(Base):
    """The balance at the end of the day. On credit and loan accounts, it is the amount owed.

    A computed balance is a sum and may need both columns (base/sums.py).
    """

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    date: Mapped[datetime.date] = mapped_column(primary_key=True)
    current: Mapped[Decimal] = mapped_column(Money)
    current_high: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    source: Mapped[str] = mapped_column(String(8))


TABLE = cast(Table, Balance.__table__)
_REPORTED = select(Balance.account_id, Balance.current).where(
    Balance.account_id.in_(bindparam("account_ids", expanding=True)),
    Balance.date == bindparam("day"),
    Balance.source == BANK,
)


def record(day: datetime.date, reported: Mapping[int, Decimal]) -> set[int]:
    """Store the balances that the bank reported on `day`, by account id.

    Returns the ids of the accounts whose balance changed.
    """
    rows = db.session.execute(_REPORTED, {"account_ids": list(reported), "day": day})
    stored = {account_id: current for account_id, current in rows}  # noqa: C416
    changed = {number for number in reported if stored.get(number) != reported[number]}
    new = [
        {
            "account_id": account_id,
            "date": day,
            "current": reported[account_id],
            "current_high": 0,
            "source": BANK,
        }
        for account_id in sorted(changed)
    ]
    upsert(TABLE, ("account_id", "date"), new)
    return changed
