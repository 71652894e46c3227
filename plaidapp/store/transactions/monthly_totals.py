"""What came in and went out by account, month and category, kept beside the transactions.

A page that shows sums reads these few rows, however many transactions there are. Whoever changes
transactions brings the months they are in up to date, in the same transaction of the database.
"""

import calendar
import datetime
import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Select,
    String,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Money, added_up, days_later
from ..base.upsert import upsert
from ..connections import accounts
from ..connections.accounts import Account
from .transactions import AT_ONCE, Transaction

Month = tuple[int, datetime.date]
"""An account's id and the first day of a month."""


class MonthlyTotal(Base):
    """Sums of an account's rows of one month, category and currency; neither sum is negative.

    `count` is how many rows that is, pending ones included, removed and hidden ones not; `hidden`
    is how many are hidden. `currency` is empty where the bank names none.
    """

    __tablename__ = "monthly_total"

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


TABLE = cast(Table, MonthlyTotal.__table__)
COLUMNS = tuple(TABLE.columns.keys())
KEY = COLUMNS[:4]


def month_of(day: datetime.date) -> datetime.date:
    return day.replace(day=1)


def months_later(month: datetime.date, number: int) -> datetime.date:
    """The first day of the month so many months later, or before when negative."""
    years, index = divmod(month.month - 1 + number, 12)
    return datetime.date(month.year + years, index + 1, 1)


def refresh(months: Iterable[Month]) -> None:
    """Adds up these months of accounts again; what is right already is not written.

    The accounts are locked by then (`accounts.lock`, `lock_for`), since before the first change.
    """
    for account_id, first, last in runs(months):
        _refresh(account_id, first, last)


def rebuild(account_ids: Iterable[int]) -> None:
    """Adds up everything that these accounts have."""
    for account_id in account_ids:
        _refresh(account_id, datetime.date.min, datetime.date.max)


def runs(months: Iterable[Month]) -> Iterator[tuple[int, datetime.date, datetime.date]]:
    """Months that follow each other as one: the account, the first day and the last."""
    run: tuple[int, datetime.date, datetime.date] | None = None
    for account_id, month in sorted(months):
        if run and (account_id, month) != (run[0], days_later(run[2], 1)):
            yield run
            run = None
        run = (account_id, run[1] if run else month, _last_of(month))
    if run:
        yield run


def _last_of(month: datetime.date) -> datetime.date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _refresh(account_id: int, first: datetime.date, last: datetime.date) -> None:
    stored, should = _stored(account_id, first, last), _fresh(account_id, first, last)
    gone = [key for key in stored if key not in should]
    if gone:
        key_columns = tuple_(*(TABLE.c[name] for name in KEY))
        db.session.execute(delete(TABLE).where(key_columns.in_(gone)))
    new = [(*key, *sums) for key, sums in should.items() if stored.get(key) != sums]
    upsert(TABLE, KEY, [dict(zip(COLUMNS, row, strict=True)) for row in new])


Rows = Sequence[int] | Select[int]
"""Transactions' ids, or a query for them."""


def refresh_for(transaction_ids: Rows) -> None:
    """Adds up the months of these rows again, after an edit of what they count under.

    Call `lock_for` with the same ids before the edit.
    """
    text = func.substr(sql_cast(Transaction.date, String), 1, 7)
    months: set[Month] = set()
    for ids in _in_parts(transaction_ids):
        query = select(Transaction.account_id, text).where(Transaction.id.in_(ids)).distinct()
        months |= {
            (account_id, datetime.date.fromisoformat(f"{month}-01"))
            for account_id, month in db.session.execute(query)
        }
    refresh(months)


def lock_for(transaction_ids: Rows) -> None:
    """Until the commit nobody else changes rows of the accounts that these rows are in."""
    items: set[int] = set()
    for ids in _in_parts(transaction_ids):
        # An account may have gone over to another Item, and not all of its rows with it.
        query = select(Account.item_id).join(Transaction, Transaction.account_id == Account.id)
        items |= set(db.session.scalars(query.where(Transaction.id.in_(ids)).distinct()))
    for item_id in sorted(items):
        accounts.lock(item_id)


def _in_parts(ids: Rows) -> Iterable[Rows]:
    if isinstance(ids, Select):
        return [ids]
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


Totals = dict[tuple[Any, ...], tuple[Any, ...]]
"""The columns after the key by those of the key."""


def _stored(account_id: int, first: datetime.date, last: datetime.date) -> Totals:
    there = TABLE.c.account_id == account_id
    query = select(TABLE).where(there, TABLE.c.month.between(first, last))
    return {tuple(row[:4]): tuple(row[4:]) for row in db.session.execute(query)}


def _fresh(account_id: int, first: datetime.date, last: datetime.date) -> Totals:
    """What should be stored, added up anew."""
    month = func.substr(sql_cast(Transaction.date, String), 1, 7)
    currency = func.coalesce(
        Transaction.iso_currency_code, Transaction.unofficial_currency_code, ""
    )
    row = (
        select(
            month.label("month"),
            Transaction.category.label("category"),
            currency.label("currency"),
            type_coerce(Transaction.amount, BigInteger).label("amount"),
            case((Transaction.hidden, 1), else_=0).label("hidden"),
        )
        .where(
            Transaction.account_id == account_id,
            Transaction.date.between(first, last),
            Transaction.removed_at.is_(None),
        )
        .subquery()
    )

    def moved(direction: int) -> ColumnElement[Decimal]:
        counts = (row.c.hidden == 0) & (direction * row.c.amount > 0)
        return type_coerce(added_up(case((counts, direction * row.c.amount), else_=0)), Money)

    key = (row.c.month, row.c.category, row.c.currency)
    hidden = func.sum(row.c.hidden)
    query = select(*key, moved(-1), moved(1), func.count() - hidden, hidden).group_by(*key)
    return {
        (account_id, datetime.date.fromisoformat(f"{month}-01"), category, currency): tuple(sums)
        for month, category, currency, *sums in db.session.execute(query)
    }


def wrong(account_ids: Iterable[int]) -> set[Month]:
    """The months of these accounts whose stored totals are not what the rows add up to."""
    always = (datetime.date.min, datetime.date.max)
    found: set[Month] = set()
    for account_id in account_ids:
        stored, should = _stored(account_id, *always), _fresh(account_id, *always)
        differ = {key for key in stored.keys() | should if stored.get(key) != should.get(key)}
        found |= {(account_id, key[1]) for key in differ}
    return found


class Sum(NamedTuple):
    """What moved in one month under one category, in one currency; neither part is negative."""

    month: datetime.date
    category: str
    currency: str
    money_in: Decimal
    money_out: Decimal


def monthly(user_id: int, since: datetime.date, types: Collection[str]) -> list[Sum]:
    """Over a person's accounts of these types, from the month that begins with `since` on."""
    asked = {"user_id": user_id, "since": since, "types": list(types)}
    return [Sum(*row) for row in db.session.execute(_monthly(db.engine.dialect.name), asked)]


@functools.cache  # to build it takes longer than to run it
def _monthly(_dialect: str) -> Select[Any]:
    """One for each dialect, since `added_up` is not the same on both."""
    key = (TABLE.c.month, TABLE.c.category, TABLE.c.currency)

    def total(column: Any) -> ColumnElement[Any]:
        return type_coerce(added_up(type_coerce(column, BigInteger)), Money)

    account = accounts.TABLE.c
    return (
        select(*key, total(TABLE.c.money_in), total(TABLE.c.money_out))
        .join(accounts.TABLE, account.id == TABLE.c.account_id)
        .where(
            account.user_id == bindparam("user_id"),
            account.type.in_(bindparam("types", expanding=True)),
            TABLE.c.month >= bindparam("since"),
        )
        .group_by(*key)
        .order_by(*key)
    )


class Count(NamedTuple):
    shown: int
    hidden: int


def count(user_id: int, item_id: int | None = None) -> Count:
    """How many transactions a person has, or one Item, without looking at them."""
    query = (
        select(func.sum(MonthlyTotal.count), func.sum(MonthlyTotal.hidden))
        .join(Account, Account.id == MonthlyTotal.account_id)
        .where(Account.user_id == user_id)
    )
    if item_id is not None:
        query = query.where(Account.item_id == item_id)
    shown, hidden = db.session.execute(query).one()
    return Count(int(shown or 0), int(hidden or 0))
