"""Reading transactions in the order of a filter, page by page.

Pages go on from the last row seen, never by counting: as quick on the last page as on the first.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from .filters import Filter
from .transactions import AT_ONCE, Transaction

Place = tuple[Any, int]
"""Where a page begins: after the row with this value of what is sorted by, and this id."""


ORDERS: dict[str, Any] = {
    "date": Transaction.date,
    "amount": Transaction.size,
    "name": Transaction.title_key,
}
VALUES: dict[str, Callable[[Transaction], Any]] = {
    "date": lambda row: row.date,
    "amount": lambda row: row.size,
    "name": lambda row: row.title_key,
}


def place_of(row: Transaction, sort: str) -> Place:
    """What `page` takes to go on after this row."""
    return VALUES[sort](row), row.id


def page(wanted: Filter, limit: int, after: Place | None = None) -> Sequence[Transaction]:
    """The first `limit` rows in the filter's order, or those that follow `after`; ties by id."""
    by = ORDERS[wanted.sort]
    order = (by, Transaction.id)
    query = (
        select(Transaction)
        .options(joinedload(Transaction.account))
        .where(*wanted.conditions())
        .order_by(*(column.desc() if wanted.descending else column.asc() for column in order))
        .limit(limit)
    )
    if after:
        here, there = tuple_(*order), tuple_(*after, types=[by.type, Transaction.id.type])
        query = query.where(here < there if wanted.descending else here > there)
    return db.session.scalars(query).all()


def by_ids(user_id: int, transaction_ids: Sequence[int]) -> Sequence[Transaction]:
    """Those of the rows that are the person's, hidden ones too."""
    query = select(Transaction).options(joinedload(Transaction.account))
    query = query.where(*Filter(user_id, hidden="any").conditions())
    return db.session.scalars(
        query.where(Transaction.id.in_(transaction_ids)).execution_options(populate_existing=True)
    ).all()


def all_of(wanted: Filter) -> Iterator[Transaction]:
    """Every row in the filter's order, a page at a time."""
    after = None
    while rows := page(wanted, AT_ONCE, after):
        yield from rows
        after = place_of(rows[-1], wanted.sort)


def count(wanted: Filter) -> int:
    query = select(func.count()).select_from(Transaction).where(*wanted.conditions())
    return db.session.scalar(query) or 0


def first_date(user_id: int) -> datetime.date | None:
    """The date of the person's oldest transaction."""
    everything = Filter(user_id, hidden="any")
    return db.session.scalar(select(func.min(Transaction.date)).where(*everything.conditions()))
