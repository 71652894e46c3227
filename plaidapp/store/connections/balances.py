"""Balances by day: as the bank reported them, and as computed from them.

A row holds until the account's next row. `bank` rows are of days of the person's on which the bank
reported a balance. `computed` rows follow from those and the transactions, and so does what rows
that posted after a report made of it until the end of its day (reports/balance_history.py).
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from sqlalchemy import BigInteger, ForeignKey, Index, String, Table, bindparam, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.dates import days_later
from ..base.types import Money
from ..base.upsert import upsert
from ..base.writes import in_batches

BANK, COMPUTED = "bank", "computed"
BY_BANK = text(f"source = '{BANK}'")
"""The balances that the bank reported: a few among many where years of rows came at once."""
MOST_DAYS_AHEAD = 2
"""How much later the day may be in another time zone: UTC+14 and UTC-12 are 26 hours apart."""


class Balance(Base):
    """The balance at the end of the day. On credit and loan accounts, it is the amount owed.

    Unless the bank reported it, it is a sum and may need both columns (base/sums.py). `reported` is
    what the bank reported on that day, or None if that is the balance at its end.
    """

    __tablename__ = "balance"
    __table_args__ = (
        Index(
            *("ix_balance_bank", "account_id", "date"),
            postgresql_where=BY_BANK,
            sqlite_where=BY_BANK,
        ),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    date: Mapped[datetime.date] = mapped_column(primary_key=True)
    current: Mapped[Decimal] = mapped_column(Money)
    current_high: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    source: Mapped[str] = mapped_column(String(8))
    reported: Mapped[Decimal | None] = mapped_column(Money)

    @property
    def said(self) -> Decimal | None:
        """What the bank reported on that day."""
        if self.source != BANK:
            return None
        return self.current if self.reported is None else self.reported

    def is_of(self, day: datetime.date) -> bool:
        """Did the bank report what the balance was at the end of this day?"""
        return self.source == BANK and self.date == day and self.reported is None


TABLE = cast(Table, Balance.__table__)
SAID = func.coalesce(Balance.reported, Balance.current)
_REPORTED = (
    select(Balance.account_id, Balance.date, SAID)
    .where(
        Balance.account_id.in_(bindparam("account_ids", expanding=True)),
        Balance.date.between(bindparam("day"), bindparam("latest")),
        Balance.source == BANK,
    )
    .order_by(Balance.date)
)
_LAST_REPORTED = (
    select(SAID)
    .where(Balance.account_id == bindparam("account_id"), BY_BANK)
    .order_by(Balance.date.desc())
    .limit(1)
)


def last_reported(account_id: int) -> Decimal | None:
    """Return the last balance that the bank reported."""
    return db.session.scalar(_LAST_REPORTED, {"account_id": account_id})


def last_report(account_id: int, day: datetime.date) -> Balance | None:
    """Return the last balance up to the end of `day` that the bank reported."""
    query = select(Balance).where(Balance.account_id == account_id, Balance.date <= day, BY_BANK)
    return db.session.scalar(query.order_by(Balance.date.desc()).limit(1))


def record(day: datetime.date, reported: Mapping[int, Decimal]) -> set[tuple[int, datetime.date]]:
    """Store the balances that the bank reported on `day`, by account id.

    If a balance is stored for a later day, the new one replaces it: the person has moved to a time
    zone where it is still the day before, and a history does not run backwards.

    Returns the account and day of each balance that changed.
    """
    days = {"day": day, "latest": days_later(day, MOST_DAYS_AHEAD)}
    stored: dict[int, tuple[datetime.date, Decimal]] = {}
    for ids in in_batches(list(reported)):
        rows = db.session.execute(_REPORTED, {"account_ids": ids, **days})
        stored.update({account_id: (date, current) for account_id, date, current in rows})
    changed: dict[int, datetime.date] = {}
    for account_id, current in sorted(reported.items()):
        date, before = stored.get(account_id, (day, None))
        if current != before:
            changed[account_id] = date
    new = [
        {
            "account_id": account_id,
            "date": date,
            "current": reported[account_id],
            "current_high": 0,
            "source": BANK,
            "reported": None,
        }
        for account_id, date in changed.items()
    ]
    upsert(TABLE, ("account_id", "date"), new)
    return set(changed.items())
