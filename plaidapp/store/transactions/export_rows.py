"""Rows in the order a ledger is written in: oldest first, and one account at a time if asked."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from .filters import Filter
from .transactions import AT_ONCE, Transaction

CURRENCY = func.coalesce(Transaction.iso_currency_code, Transaction.unofficial_currency_code)


def oldest_first(wanted: Filter, *also: ColumnElement[bool]) -> Iterator[Transaction]:
    """Every row, a page at a time."""
    query = (
        select(Transaction)
        .options(joinedload(Transaction.account))
        .where(*wanted.conditions(), *also)
        .order_by(Transaction.date, Transaction.id)
        .limit(AT_ONCE)
    )
    page = query
    while rows := db.session.scalars(page).all():
        last = rows[-1].date, rows[-1].id
        yield from rows
        page = query.where(tuple_(Transaction.date, Transaction.id) > tuple_(*last))


def posted(wanted: Filter, account_id: int, currency: str | None) -> Iterator[Transaction]:
    """One account's rows in one currency, without the pending ones: what a bank's statement has."""
    return oldest_first(
        wanted,
        Transaction.account_id == account_id,
        Transaction.pending.is_(False),
        CURRENCY.is_not_distinct_from(currency),
    )


def currencies(wanted: Filter, account_id: int) -> Sequence[str | None]:
    """The currencies of the account's posted rows, nearly always one; None is an unknown one."""
    query = select(CURRENCY).distinct().order_by(CURRENCY)
    conditions = (Transaction.account_id == account_id, Transaction.pending.is_(False))
    return db.session.scalars(query.where(*wanted.conditions(), *conditions)).all()
