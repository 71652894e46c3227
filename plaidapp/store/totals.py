"""What came in and went out by account, month and category, kept beside the transactions.

A page that shows sums reads these few rows, however many transactions there are. Whoever changes
transactions brings the months they are in up to date, in the same transaction of the database.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
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

from . import accounts
from .accounts import Account
from .transactions import AT_ONCE, Transaction
from .types import Money, added_up
from .upsert import upsert_from

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
KEY = ("account_id", "month", "category", "currency")


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
    given = [
        {"of_account": account_id, "first": month, "next": months_later(month, 1)}
        for account_id, month in sorted(months)
    ]
    if not given:
        return
    first = bindparam("first", type_=Date)
    rows = fresh(
        Transaction.account_id == bindparam("of_account", type_=BigInteger),
        Transaction.date >= first,
        Transaction.date < bindparam("next", type_=Date),
        month=first,
    )
    there = rows.with_only_columns(rows.selected_columns.category, rows.selected_columns.currency)
    gone = delete(MonthlyTotal).where(
        MonthlyTotal.account_id == bindparam("of_account", type_=BigInteger),
        MonthlyTotal.month == first,
        tuple_(MonthlyTotal.category, MonthlyTotal.currency).not_in(there),
    )
    connection = db.session.connection()
    connection.execute(gone, given)
    upsert_from(TABLE, KEY, rows, given)


def refresh_for(transaction_ids: Sequence[int]) -> None:
    """Adds up the months of these rows again, after an edit of what they count under.

    Call `lock_for` with the same ids before the edit.
    """
    months: set[Month] = set()
    for start in range(0, len(transaction_ids), AT_ONCE):
        ids = transaction_ids[start : start + AT_ONCE]
        query = select(Transaction.account_id, Transaction.date).where(Transaction.id.in_(ids))
        months |= {(account, month_of(day)) for account, day in db.session.execute(query)}
    refresh(months)


def lock_for(transaction_ids: Sequence[int]) -> None:
    """Until the commit nobody else changes rows of the accounts that these rows are in."""
    items: set[int] = set()
    for start in range(0, len(transaction_ids), AT_ONCE):
        ids = transaction_ids[start : start + AT_ONCE]
        items |= set(db.session.scalars(select(Transaction.item_id).where(Transaction.id.in_(ids))))
    for item_id in sorted(items):
        accounts.lock(item_id)


def fresh(*conditions: ColumnElement[bool], month: ColumnElement[Any]) -> Select[Any]:
    """The totals as they should be of the rows that meet the conditions, added up anew."""
    row = (
        select(
            Transaction.account_id,
            month.label("month"),
            Transaction.category.label("category"),
            func.coalesce(
                Transaction.iso_currency_code, Transaction.unofficial_currency_code, ""
            ).label("currency"),
            type_coerce(Transaction.amount, BigInteger).label("amount"),
            case((Transaction.hidden, 1), else_=0).label("is_hidden"),
        )
        .where(Transaction.removed_at.is_(None), *conditions)
        .subquery()
    )
    key = (row.c.account_id, row.c.month, row.c.category, row.c.currency)

    def moved(direction: int) -> ColumnElement[int]:
        counts = (row.c.is_hidden == 0) & (direction * row.c.amount > 0)
        units = added_up(case((counts, direction * row.c.amount), else_=0))
        return sql_cast(units, BigInteger)

    return select(
        *key,
        moved(-1).label("money_in"),
        moved(1).label("money_out"),
        (func.count() - func.sum(row.c.is_hidden)).label("count"),
        func.sum(row.c.is_hidden).label("hidden"),
    ).group_by(*key)


def wrong(account_ids: Sequence[int]) -> set[Month]:
    """The months of these accounts whose stored totals are not what the rows add up to."""
    stored = select(TABLE).where(TABLE.c.account_id.in_(account_ids))
    units = [type_coerce(column, BigInteger) for column in (TABLE.c.money_in, TABLE.c.money_out)]
    stored = stored.with_only_columns(
        *(TABLE.c[name] for name in KEY), *units, TABLE.c.count, TABLE.c.hidden
    )
    text = func.substr(sql_cast(Transaction.date, String), 1, 7)
    anew = fresh(Transaction.account_id.in_(account_ids), month=text)
    are = {tuple(row) for row in db.session.execute(stored)}
    should = {
        (account_id, datetime.date.fromisoformat(f"{month}-01"), *rest)
        for account_id, month, *rest in db.session.execute(anew)
    }
    return {(row[0], row[1]) for row in are ^ should}


def months_of(account_ids: Sequence[int]) -> set[Month]:
    """Every month that these accounts have rows or totals of."""
    text = func.substr(sql_cast(Transaction.date, String), 1, 7)
    rows = select(Transaction.account_id, text).where(Transaction.account_id.in_(account_ids))
    totals = select(MonthlyTotal.account_id, MonthlyTotal.month)
    totals = totals.where(MonthlyTotal.account_id.in_(account_ids))
    return {
        (account_id, datetime.date.fromisoformat(f"{month}-01"))
        for account_id, month in db.session.execute(rows.distinct())
    } | {(account_id, month) for account_id, month in db.session.execute(totals.distinct())}


class Sum(NamedTuple):
    """What moved in one month under one category, in one currency; neither part is negative."""

    month: datetime.date
    category: str
    currency: str
    money_in: Decimal
    money_out: Decimal


def monthly(user_id: int, since: datetime.date, types: Collection[str]) -> list[Sum]:
    """Over a person's accounts of these types, from the month that begins with `since` on."""
    key = (MonthlyTotal.month, MonthlyTotal.category, MonthlyTotal.currency)

    def total(column: Any) -> ColumnElement[Decimal]:
        return type_coerce(added_up(type_coerce(column, BigInteger)), Money)

    query = (
        select(*key, total(MonthlyTotal.money_in), total(MonthlyTotal.money_out))
        .join(Account, Account.id == MonthlyTotal.account_id)
        .where(Account.user_id == user_id, Account.type.in_(types), MonthlyTotal.month >= since)
        .group_by(*key)
        .order_by(*key)
    )
    return [Sum(*row) for row in db.session.execute(query)]


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
