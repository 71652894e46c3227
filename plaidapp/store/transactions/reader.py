"""Reading transactions in the order of a filter, page by page.

Pages go on from the last row seen, never by counting: as quick on the last page as on the first.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from plaidapp.extensions import db

from . import monthly_totals, totals_reader
from .filters import Filter
from .monthly_totals import Month
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


STRETCH = 5000
"""Rows that are read one by one, before an index is asked for the few that are meant."""
MONTHS_AT_ONCE = 50


def page(wanted: Filter, limit: int, after: Place | None = None) -> Sequence[Transaction]:
    """The first `limit` rows in the filter's order, or those that follow `after`; ties by id.

    What many rows have, a word or a category, fills a page with the nearest of them. For what few
    have, the index of words names them all, in no order, and the monthly totals say where to look.
    """
    if not wanted.is_sparse:
        return _page(wanted, wanted.conditions(), limit, after)
    end = end_of_stretch(wanted, STRETCH, after)
    rows = _page(wanted, in_stretch(wanted, end), limit, after)
    if len(rows) == limit or end is None:
        return rows
    if wanted.categories and wanted.sort == "date" and not wanted.has_index:
        return _by_month(wanted, limit, after)
    return _page(wanted, wanted.conditions(), limit, after)


def _by_month(wanted: Filter, limit: int, after: Place | None) -> Sequence[Transaction]:
    """Reads no month of an account in which nothing counts under the filter's categories."""
    rows: list[Transaction] = []
    for months in _batches(totals_reader.months(wanted, after and after[0]), limit):
        days = (
            and_(Transaction.account_id == account_id, Transaction.date.between(first, last))
            for account_id, first, last in monthly_totals.runs(months)
        )
        conditions = [*wanted.conditions(led=True), or_(*days)]
        rows += _page(wanted, conditions, limit - len(rows), after)
        if len(rows) == limit:
            break
    return rows


def _batches(months: Iterable[tuple[Month, int]], limit: int) -> Iterator[list[Month]]:
    """Months of accounts that should fill a page, no calendar month in two parts."""
    batch: list[Month] = []
    expected = 0
    for _, of_month in groupby(months, key=lambda pair: pair[0][1]):
        for month, count in of_month:
            batch.append(month)
            expected += count
        if expected >= limit or len(batch) > MONTHS_AT_ONCE:
            yield batch
            batch, expected = [], 0
    if batch:
        yield batch


def end_of_stretch(wanted: Filter, length: int, after: Place | None = None) -> Place | None:
    """The place `length` rows further, of whatever rows; None where the ledger ends sooner."""
    order = _order(wanted)
    query = select(*order).where(*wanted.of_order(), *_follow(wanted, after))
    query = query.order_by(*_sorted(wanted)).offset(length - 1).limit(1)
    found = db.session.execute(query).first()
    return tuple(found) if found else None


def in_stretch(wanted: Filter, end: Place | None) -> list[ColumnElement[bool]]:
    """The conditions of the filter's rows up to `end` in its order."""
    if end is None:
        return wanted.conditions(row_by_row=True)
    here, there = _compared(wanted, end)
    if wanted.sort == "date":  # once more, for who reads an index by the first of a pair alone
        wanted = replace(wanted, **{"start" if wanted.descending else "end": end[0]})
    nearer = here >= there if wanted.descending else here <= there
    return [*wanted.conditions(row_by_row=True), nearer]


def _page(
    wanted: Filter, conditions: Sequence[ColumnElement[bool]], limit: int, after: Place | None
) -> Sequence[Transaction]:
    query = (
        select(Transaction)
        .options(joinedload(Transaction.account))
        .where(*conditions, *_follow(wanted, after))
        .order_by(*_sorted(wanted))
        .limit(limit)
    )
    return db.session.scalars(query).all()


def _order(wanted: Filter) -> tuple[Any, Any]:
    return ORDERS[wanted.sort], Transaction.id


def _sorted(wanted: Filter) -> Iterator[Any]:
    return (column.desc() if wanted.descending else column.asc() for column in _order(wanted))


def _follow(wanted: Filter, after: Place | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    here, there = _compared(wanted, after)
    return [here < there if wanted.descending else here > there]


def _compared(wanted: Filter, place: Place) -> tuple[Any, Any]:
    order = _order(wanted)
    return tuple_(*order), tuple_(*place, types=[column.type for column in order])


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
