"""Read transactions in the order of a filter, page by page.

A page continues after the last row of the page before, and never counts rows, so that the last page
is as fast as the first.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from plaidapp.extensions import db

from ..base.dates import AccountMonth, month_runs
from ..base.writes import BATCH
from . import matching_months
from .filters import Filter
from .transactions import Transaction

Place = tuple[Any, int]
"""Where a page begins: after the row with this sort value and this id."""
LOADED = (
    joinedload(Transaction.account),
    selectinload(Transaction.logo),
    selectinload(Transaction.other_side).joinedload(Transaction.account),
)
"""What a page shows of a row beside its own columns."""

ORDERS: Mapping[str, InstrumentedAttribute[Any]] = {
    "date": Transaction.date,
    "amount": Transaction.size,
    "name": Transaction.title_key,
}
VALUES: Mapping[str, Callable[[Transaction], datetime.date | Decimal | str]] = {
    "date": lambda row: row.date,
    "amount": lambda row: row.size,
    "name": lambda row: row.title_key,
}


def place_of(row: Transaction, sort: str) -> Place:
    """Return what `page` needs to continue after this row."""
    return VALUES[sort](row), row.id


STRETCH = 5000
"""Rows to read one by one before an index is used to find the few that match."""
MONTHS_AT_ONCE = 50


def page(wanted: Filter, limit: int, after: Place | None = None) -> Sequence[Transaction]:
    """Return the first `limit` rows in the filter's order, or those that follow `after`.

    Rows with equal sort values are ordered by id. If many rows match, reading a short stretch in
    order fills the page. If few match, the search index finds all of them, in no order, or the
    monthly totals tell which months to read.
    """
    if not wanted.is_sparse:
        return _page(wanted, wanted.conditions(), limit, after)
    end = end_of_stretch(wanted, STRETCH, after)
    rows = _page(wanted, in_stretch(wanted, end), limit, after)
    if len(rows) == limit or end is None:
        return rows
    return _anywhere(wanted, limit, after)


def _anywhere(wanted: Filter, limit: int, after: Place | None) -> Sequence[Transaction]:
    """Return what `page` does, of a filter that few rows match."""
    first = wanted.search[0] if wanted.search else None
    if first and first.categories and not first.is_category and not wanted.has_index:
        return _by_meaning(wanted, limit, after)
    rows_in_months = wanted.category_sets or wanted.currencies or wanted.leaves_out_accounts
    if rows_in_months and wanted.sort == "date" and not wanted.has_index:
        return _by_month(wanted, limit, after)
    return _page(wanted, wanted.conditions(), limit, after)


def nearby(wanted: Filter, limit: int) -> Sequence[Transaction]:
    """Return what `page` would, but only of the first STRETCH rows of the ledger.

    For a search that no index answers: without a match it would read all rows.
    """
    return _page(wanted, in_stretch(wanted, end_of_stretch(wanted, STRETCH)), limit, None)


def _by_meaning(wanted: Filter, limit: int, after: Place | None) -> Sequence[Transaction]:
    """Read a page of each meaning of a word and merge them."""
    parts = wanted.by_meaning()
    rows = {row.id: row for part in parts for row in _anywhere(part, limit, after)}
    in_order = sorted(
        rows.values(), key=lambda row: place_of(row, wanted.sort), reverse=wanted.descending
    )
    return in_order[:limit]


def _by_month(wanted: Filter, limit: int, after: Place | None) -> Sequence[Transaction]:
    """Read only the months in which the accounts have rows of these categories and currencies."""
    rows: list[Transaction] = []
    for months in _batches(matching_months.months(wanted, after and after[0]), limit):
        days = (
            and_(Transaction.account_id == account_id, Transaction.date.between(first, last))
            for account_id, first, last in month_runs(months)
        )
        conditions = [*wanted.conditions(pre_selected=True), or_(*days)]
        rows += _page(wanted, conditions, limit - len(rows), after)
        if len(rows) == limit:
            break
    return rows


def _batches(
    months: Iterable[tuple[AccountMonth, int]], limit: int
) -> Iterator[list[AccountMonth]]:
    """Group the months so that each group should fill a page. No calendar month is divided."""
    batch: list[AccountMonth] = []
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
    """Return the place `length` rows further in the ledger, or None if it ends before that.

    All of the person's rows count, whether they match or not.
    """
    order = _order(wanted)
    query = select(*order).where(*wanted.of_order(), *_follow(wanted, after))
    query = query.order_by(*_sorted(wanted)).offset(length - 1).limit(1)
    found = db.session.execute(query).first()
    return tuple(found) if found else None


def in_stretch(wanted: Filter, end: Place | None) -> list[ColumnElement[bool]]:
    """Return the conditions of the filter's rows up to `end` in its order."""
    if end is None:
        return wanted.conditions(row_by_row=True)
    here, there = _compared(wanted, end)
    if wanted.sort == "date":  # again, for an index that covers the date alone
        wanted = replace(wanted, **{"start" if wanted.descending else "end": end[0]})
    nearer = here >= there if wanted.descending else here <= there
    return [*wanted.conditions(row_by_row=True), nearer]


def _page(
    wanted: Filter, conditions: Sequence[ColumnElement[bool]], limit: int, after: Place | None
) -> Sequence[Transaction]:
    query = (
        select(Transaction)
        .options(*LOADED)
        .where(*conditions, *_follow(wanted, after))
        .order_by(*_sorted(wanted))
        .limit(limit)
    )
    return db.session.scalars(query).all()


def _order(wanted: Filter) -> tuple[InstrumentedAttribute[Any], InstrumentedAttribute[int]]:
    return ORDERS[wanted.sort], Transaction.id


def _sorted(wanted: Filter) -> Iterator[ColumnElement[Any]]:
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
    """Return these rows, including hidden ones but leaving out other people's."""
    query = select(Transaction).options(*LOADED)
    query = query.where(*Filter(user_id, hidden="any").conditions())
    return db.session.scalars(
        query.where(Transaction.id.in_(transaction_ids)).execution_options(populate_existing=True)
    ).all()


def all_of(wanted: Filter) -> Iterator[Transaction]:
    """Yield every row in the filter's order, reading a page at a time."""
    after = None
    while rows := page(wanted, BATCH, after):
        yield from rows
        after = place_of(rows[-1], wanted.sort)


def count(wanted: Filter) -> int:
    query = select(func.count()).select_from(Transaction).where(*wanted.conditions())
    return db.session.scalar(query) or 0


def first_date(user_id: int) -> datetime.date | None:
    """Return the date of the person's oldest transaction."""
    everything = Filter(user_id, hidden="any")
    return db.session.scalar(select(func.min(Transaction.date)).where(*everything.conditions()))
