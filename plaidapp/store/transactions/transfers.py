"""Matches between the two sides of a transfer, stored with the rows and updated with them.

Both rows of a match name each other in `other_side_id`. What matches is decided by transfer_rule.py
alone. After a change, only rows of the same amounts near the changed days are read again, in the
database transaction of the change and with the ledger locked (users.lock_ledger).
"""

import datetime
import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Date,
    Row,
    Select,
    Table,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import update as update_of

from plaidapp.extensions import db

from ..base.dates import days_later
from ..base.sums import units_of
from ..base.writes import in_batches
from ..connections.accounts import Account
from ..people import users
from . import transfer_rule
from .ingest import Row as SentRow
from .transactions import Transaction
from .transfer_rule import REACH
from .transfer_sides import CATEGORIES, Side

Day = tuple[int, datetime.date]
"""An account's id and a date."""
TABLE = cast(Table, Transaction.__table__)
SIZE = type_coerce(Transaction.size, BigInteger)
MAY_BE_SIDE = or_(
    func.coalesce(Transaction.merchant_name, "") == "",
    Transaction.category_primary.in_(CATEGORIES),
)
"""In SQL, the condition that the rule may match a row: it names no merchant or has a hint."""

_OWNER = users.TABLE.c.id == bindparam("user_id")
_SOME_ACCOUNTS = select(Account.id).where(Account.user_id == bindparam("user_id")).limit(2)
_STATE = select(
    users.TABLE.c.transfers_matched,
    select(func.count()).select_from(_SOME_ACCOUNTS.subquery()).scalar_subquery() > 1,
).where(_OWNER)
_NOTE_MATCHED = (
    update_of(users.TABLE)
    .where(_OWNER, users.TABLE.c.transfers_matched.is_(False))
    .values(transfers_matched=True)
)


def may_be_side(row: SentRow) -> bool:
    """Return the same for a row that the bank sent."""
    return not row.merchant_name or row.category_primary in CATEGORIES


@dataclass(frozen=True)
class Range:
    """The days from `first` to `last`, both included."""

    first: datetime.date = datetime.date.min
    last: datetime.date = datetime.date.max

    def wider(self, days: int) -> "Range":
        return Range(days_later(self.first, -days), days_later(self.last, days))

    def __contains__(self, day: datetime.date) -> bool:
        return self.first <= day <= self.last


ALWAYS = Range()


def match(user_id: int, days: Iterable[datetime.date], sizes: Collection[int]) -> set[Day]:
    """Match the person's rows again after a change.

    `days` and `sizes` are the dates and the amounts without their sign, in units of 10^-8, that the
    changed rows had and have. Returns the accounts and days of rows whose match changed.
    """
    days = set(days)
    if not days or not sizes:
        return set()
    is_matched, has_several_accounts = _state(user_id)
    if not is_matched:
        return match_everything(user_id)
    if not has_several_accounts:
        return set()
    return _match(user_id, list(sizes), Range(min(days), max(days)).wider(REACH))


def match_everything(user_id: int) -> set[Day]:
    """Match all of the person's rows again. Returns the same as `match`."""
    db.session.execute(_NOTE_MATCHED, {"user_id": user_id})
    _, has_several_accounts = _state(user_id)
    return _match(user_id, _sizes(user_id), ALWAYS) if has_several_accounts else set()


def wrong(user_id: int) -> set[Day]:
    """Return the accounts and days of rows whose stored match is not what the rule says."""
    found = set()
    for sizes in in_batches(_sizes(user_id)):
        rows = _rows(user_id, sizes, ALWAYS)
        found |= {(row.account_id, row.date) for row, _ in _wrong(rows, ALWAYS)}
    return found


def _state(user_id: int) -> tuple[bool, bool]:
    """Return whether everything was matched once, and whether the person has several accounts."""
    is_matched, has_several_accounts = db.session.execute(_STATE, {"user_id": user_id}).one()
    return bool(is_matched), bool(has_several_accounts)


def _match(user_id: int, sizes: Sequence[int], affected: Range) -> set[Day]:
    changed = set()
    for part in in_batches(sizes):
        updates = list(_wrong(_rows(user_id, part, affected.wider(REACH)), affected))
        if updates:
            values = [{"row": row.id, "other": other} for row, other in updates]
            db.session.connection().execute(_UPDATE, values)
            changed |= {(row.account_id, row.date) for row, _ in updates}
    return changed


_UPDATE = (
    update_of(TABLE).where(TABLE.c.id == bindparam("row")).values(other_side_id=bindparam("other"))
)


def _wrong(
    rows: Sequence[Row[*tuple[Any, ...]]], affected: Range
) -> Iterator[tuple[Row[*tuple[Any, ...]], int | None]]:
    """Yield rows on `affected` days with another match than the rule's, and the rule's."""
    sides = [Side(*row[: len(_SIDE)]) for row in rows if row.may_be_side]
    others: dict[int, int] = {}
    for out, into in transfer_rule.pairs(sides):
        others[out.id], others[into.id] = into.id, out.id
    for row in rows:
        other = others.get(row.id)
        if row.other_side_id != other and row.date in affected:
            yield row, other


_SIDE = (
    *(Transaction.id, Transaction.plaid_transaction_id, Transaction.account_id),
    *(Account.type, Account.subtype, Account.mask),
    *(Transaction.date, units_of(Transaction.amount).label("amount"), Transaction.currency),
    *(Transaction.name, Transaction.merchant_name, Transaction.category_primary),
    *(Transaction.category_detailed, Transaction.not_transfer),
)
"""The fields of a Side."""


def _rows(user_id: int, sizes: Sequence[int], days: Range) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the rows that the rule may match or that are matched already."""
    values = {"user_id": user_id, "sizes": sizes, "first": days.first, "last": days.last}
    return db.session.execute(_query(db.engine.dialect.name), values).all()


@functools.cache  # building the statement takes longer than running it
def _query(dialect: str) -> Select[*tuple[Any, ...]]:
    # If SQLite could use the index of dates, it would read every row of these days. The index of
    # amounts finds far fewer.
    is_sqlite = dialect == "sqlite"
    day = func.date(Transaction.date, type_=Date) if is_sqlite else Transaction.date
    return (
        select(*_SIDE, Transaction.other_side_id, MAY_BE_SIDE.label("may_be_side"))
        .join(Account, Account.id == Transaction.account_id)
        .where(
            Transaction.user_id == bindparam("user_id"),
            SIZE.in_(bindparam("sizes", expanding=True)),
            Transaction.removed_at.is_(None),
            day.between(bindparam("first"), bindparam("last")),
            or_(MAY_BE_SIDE, Transaction.other_side_id.is_not(None)),
        )
    )


def _sizes(user_id: int) -> Sequence[int]:
    """Return the amounts that the person has with both signs, or that are matched."""
    query: Select[int] = (
        select(SIZE)
        .where(Transaction.user_id == user_id, Transaction.removed_at.is_(None))
        .where(or_(MAY_BE_SIDE, Transaction.other_side_id.is_not(None)))
        .group_by(Transaction.size)
        .having(
            or_(
                (func.min(Transaction.amount) < 0) & (func.max(Transaction.amount) > 0),
                func.count(Transaction.other_side_id) > 0,
            )
        )
    )
    return db.session.scalars(query).all()
