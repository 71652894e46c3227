"""Rows in the order of a ledger file: oldest first, and one account at a time if asked."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from ..base.writes import BATCH
from .filters import Filter
from .transactions import Transaction


def oldest_first(wanted: Filter, *conditions: ColumnElement[bool]) -> Iterator[Transaction]:
    """Yield every row of the filter, reading a page at a time."""
    query = (
        select(Transaction)
        .options(joinedload(Transaction.account))
        .where(*wanted.conditions(), *conditions)
        .order_by(Transaction.date, Transaction.id)
        .limit(BATCH)
    )
    page = query
    while rows := db.session.scalars(page).all():
        last = rows[-1].date, rows[-1].id
        yield from rows
        page = query.where(tuple_(Transaction.date, Transaction.id) > tuple_(*last))


def posted(wanted: Filter, account_id: int, currency: str | None) -> Iterator[Transaction]:
    """Yield one account's rows in one currency without pending ones, as a bank's statement does."""
    return oldest_first(
        wanted,
        Transaction.account_id == account_id,
        Transaction.pending.is_(False),
        Transaction.currency.is_not_distinct_from(currency),
    )


def currencies(wanted: Filter, account_id: int) -> Sequence[str | None]:
    """Return the currencies of the account's posted rows, nearly always one. None is unknown."""
    query = select(Transaction.currency).distinct().order_by(Transaction.currency)
    conditions = (Transaction.account_id == account_id, Transaction.pending.is_(False))
    return db.session.scalars(query.where(*wanted.conditions(), *conditions)).all()
