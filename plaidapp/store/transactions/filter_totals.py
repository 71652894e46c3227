"""How many transactions match a filter, and what they add up to in each currency."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select

from plaidapp.extensions import db

from ..base.dates import days_later, month_of, months_later
from ..base.sums import money_sum, units_of
from ..connections.accounts import Account
from . import counted_rows, detailed_totals, matching_months, monthly_totals, reader
from .categories import not_transfer_sql, spending_account_sql
from .detailed_totals import DetailedTotal
from .filters import Filter
from .transactions import Transaction

Totals = Select[bool, int, str | None, Decimal, Decimal]
"""A query for whether totals count them, number of rows, currency, money in and money out."""


class CurrencySum(NamedTuple):
    """Money in and money out in one currency. Neither is negative."""

    currency: str | None
    money_in: Decimal
    money_out: Decimal

    @property
    def net(self) -> Decimal:
        """Positive if more came in than went out."""
        return self.money_in - self.money_out


class Tally(NamedTuple):
    """If `is_more`, there may be more than `rows` rows, and there are no sums. Otherwise the sums
    are ordered by their number of rows, the largest first. `left_out` are the sums of the rows that
    totals don't count (counted_rows.py)."""

    rows: int
    is_more: bool
    sums: Sequence[CurrencySum] = ()
    left_out: Sequence[CurrencySum] = ()


def tally(wanted: Filter, at_most: int) -> Tally:
    """Return how many rows match and what they add up to.

    Whole months are read from their totals. Otherwise this reads about `at_most` rows at
    most: all rows of a short ledger, the rows that an index finds, or the first rows of a long one.
    """
    if has_totals(wanted):
        return _exact(_sums_of_months(wanted))
    if matching_months.count_rows(wanted) <= at_most:
        return _exact(_sums_of_rows(wanted, wanted.conditions(row_by_row=True)))
    by_date = replace(wanted, sort="date")
    end = reader.end_of_stretch(by_date, at_most)
    in_stretch = reader.in_stretch(by_date, end)
    if end is None:
        return _exact(_sums_of_rows(wanted, in_stretch))
    rows = _count(in_stretch)
    everything = monthly_totals.count(wanted.user_id)
    if wanted.has_index and rows * sum(everything) <= at_most**2:
        found = _exact(_sums_of_rows(wanted, wanted.conditions(), at_most + 1))
        if found.rows <= at_most:
            return found
    return Tally(min(rows, at_most), True)


def has_totals(wanted: Filter, *, detailed: bool = False) -> bool:
    """True if monthly or, for detailed categories, detailed totals can answer the filter."""
    if not (wanted.names_detailed or detailed):
        return wanted.is_of_months
    return wanted.is_of_months and detailed_totals.is_split(wanted.user_id)


def _count(conditions: Sequence[ColumnElement[bool]]) -> int:
    return db.session.scalar(select(func.count(Transaction.id)).where(*conditions)) or 0


def tally_of(wanted: Filter, rows: Sequence[Transaction]) -> Tally:
    """Return what `tally` does, of rows that are all the rows of the filter."""
    parts: dict[bool, list[Transaction]] = {True: [], False: []}
    for row in rows:
        parts[counted_rows.counts(wanted, row)].append(row)
    return Tally(len(rows), False, _added_up(parts[True]), _added_up(parts[False]))


def _added_up(rows: Iterable[Transaction]) -> list[CurrencySum]:
    amounts_by_currency: defaultdict[str | None, list[Decimal]] = defaultdict(list)
    for row in rows:
        amounts_by_currency[row.currency].append(row.amount)
    by_rows = sorted(amounts_by_currency.items(), key=lambda pair: (-len(pair[1]), pair[0] or ""))
    return [
        CurrencySum(
            currency,
            sum((-amount for amount in amounts if amount < 0), Decimal(0)),
            sum((amount for amount in amounts if amount > 0), Decimal(0)),
        )
        for currency, amounts in by_rows
    ]


def tally_of_day(wanted: Filter, day: datetime.date) -> Tally:
    """Return how many of the filter's rows this day has and what they add up to."""
    part = replace(wanted, start=day, end=day)
    return _exact(_sums_of_rows(part, part.conditions(row_by_row=True)))


def count_between(user_id: int, start: datetime.date, end: datetime.date) -> int:
    """Return how many rows there are from `start` to `end`, both included.

    Only the rows of the first and the last month are counted. The months between have totals.
    """
    first, last = month_of(start), month_of(end)
    if first == last:
        return reader.count(Filter(user_id, start, end))
    begin = months_later(first, 1)
    between = tally(Filter(user_id, begin, days_later(last, -1)), 0).rows
    edges = Filter(user_id, start, days_later(begin, -1)), Filter(user_id, last, end)
    return between + sum(reader.count(edge) for edge in edges)


class CategorySum(NamedTuple):
    """The rows of one category and currency. Neither amount is negative. "" is no currency.

    `detailed` is empty if the sum is one of all of the category's rows.
    """

    category: str
    currency: str
    rows: int
    money_in: Decimal
    money_out: Decimal
    detailed: str = ""


def by_category(
    wanted: Filter, *, left_out: bool = False, detailed: bool = False
) -> list[CategorySum]:
    """Return the parts of what the filter's rows add up to that totals count, or leave out.

    By detailed category if that is asked for or the filter names one. Unless the filter is of whole
    months, this reads all of its rows.
    """
    detailed = detailed or wanted.names_detailed
    by = ("category", "detailed") if detailed else ("category",)
    if has_totals(wanted, detailed=detailed):
        query = _sums_of_months(wanted, by)
    else:
        query = _sums_of_rows(wanted, wanted.conditions(), None, by)
    return [
        CategorySum(
            *(row.category, row.currency or "", row.rows, row.money_in, row.money_out),
            row.detailed if detailed else "",
        )
        for row in db.session.execute(query)
        if row.rows and row.counts is not left_out
    ]


def _exact(query: Totals) -> Tally:
    rows = db.session.execute(query).all()
    sums: dict[bool, list[CurrencySum]] = {True: [], False: []}
    for row in sorted(rows, key=lambda row: (-row.rows, row.currency or "")):
        if row.rows:
            part = CurrencySum(row.currency or None, row.money_in, row.money_out)
            sums[row.counts].append(part)
    return Tally(sum(row.rows for row in rows), False, sums[True], sums[False])


def _sums_of_rows(
    wanted: Filter,
    conditions: Sequence[ColumnElement[bool]],
    limit: int | None = None,
    by: Sequence[str] = (),
) -> Totals:
    rows = (
        select(
            Transaction.amount,
            Transaction.currency.label("currency"),
            counted_rows.counts_row_sql(wanted).label("counts"),
            *(getattr(Transaction, name).label(name) for name in by),
        )
        .where(*conditions)
        .limit(limit)
        .subquery()
    )
    units = units_of(rows.c.amount)
    return _grouped(
        rows,
        func.count(),
        money_sum(case((units < 0, -units), else_=0)),
        money_sum(case((units > 0, units), else_=0)),
        by,
    )


def _sums_of_months(wanted: Filter, by: Sequence[str] = ()) -> Totals:
    totals = DetailedTotal if "detailed" in by else matching_months.totals_of(wanted)
    counts = counted_rows.counts_month_sql(wanted, totals.category, Account.type)
    query = select(
        totals.count,
        totals.currency,
        totals.money_in,
        totals.money_in_high,
        totals.money_out,
        totals.money_out_high,
        counts.label("counts"),
        *(getattr(totals, name) for name in by),
    )
    query = matching_months.in_accounts_and_months(wanted, query, totals)
    if wanted.scope == "flow":
        is_flow = spending_account_sql(Account.type), not_transfer_sql(totals.category)
        query = query.where(*is_flow)
    months = matching_months.in_categories_and_currencies(wanted, query, totals).subquery()
    return _grouped(
        months,
        func.sum(months.c.count),
        money_sum(months.c.money_in, months.c.money_in_high),
        money_sum(months.c.money_out, months.c.money_out_high),
        by,
    )


def _grouped(
    parts: Subquery,
    rows: ColumnElement[int],
    money_in: ColumnElement[Decimal],
    money_out: ColumnElement[Decimal],
    by: Sequence[str],
) -> Totals:
    key = parts.c.counts, parts.c.currency, *(parts.c[name] for name in by)
    sums = rows.label("rows"), money_in.label("money_in"), money_out.label("money_out")
    return select(*key, *sums).group_by(*key)
