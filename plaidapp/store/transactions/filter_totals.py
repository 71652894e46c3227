"""How many transactions match a filter, and what they add up to in each currency."""

import datetime
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Select, case, func, select, true

from plaidapp.extensions import db

from ..base.dates import days_later, last_of_month, month_of, months_later
from ..base.dialect import on_sqlite
from ..base.sums import money_sum, units_of
from ..connections.accounts import Account
from ..people import users
from . import counted_rows, detailed_totals, matching_months, monthly_totals, reader
from .categories import not_transfer_sql, spending_account_sql
from .detailed_totals import DetailedTotal
from .filters import Filter
from .transactions import Transaction

Totals = Select[bool, int, str | None, Decimal, Decimal]
"""A query for whether totals count them, number of rows, currency, money in and money out."""
Joined = Mapping[tuple[Any, ...], tuple[int, Decimal, Decimal]]
"""Number of rows, money in and money out by whether totals count them, currency and, if that is
asked for, category and detailed category."""
SUMS_KEPT = 100
"""How many sums of whole months each process keeps until the person's data changes. Adding up a
ledger of ten years takes 3 ms, and the explorer, the explanation of its sums and each of its pages
need the same ones."""


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
        return _exact(_joined_months(wanted, detailed=wanted.names_detailed))
    stored = matching_months.count_rows(wanted)
    if stored <= at_most:
        return _exact(_joined(_sums_of_rows(wanted, wanted.conditions(row_by_row=True))))
    by_date = replace(wanted, sort="date")
    end = reader.end_of_stretch(by_date, at_most)
    in_stretch = reader.in_stretch(by_date, end)
    if end is None:
        return _exact(_joined(_sums_of_rows(wanted, in_stretch)))
    rows = _count(in_stretch)
    # The index finds rows of all days and accounts. Those that are stored are at least `stored`.
    most = at_most**2 // (rows or 1)
    if wanted.has_index and stored <= most and sum(monthly_totals.count(wanted.user_id)) <= most:
        found = _exact(_joined(_sums_of_rows(wanted, wanted.conditions(), at_most + 1)))
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
    return _exact(_joined(_sums_of_rows(part, part.conditions(row_by_row=True))))


def count_between(user_id: int, start: datetime.date, end: datetime.date) -> int:
    """Return how many rows there are from `start` to `end`, both included.

    Whole months have totals. Only the rows of a first or last month that is not whole are counted.
    """
    first, last = month_of(start), month_of(end)
    begin = start if start == first else months_later(first, 1)
    stop = end if end == last_of_month(end) else days_later(last, -1)
    if first == last or begin > stop:
        return reader.count(Filter(user_id, start, end))
    rows = tally(Filter(user_id, begin, stop), 0).rows
    if start < begin:
        rows += reader.count(Filter(user_id, start, days_later(begin, -1)))
    if stop < end:
        rows += reader.count(Filter(user_id, last, end))
    return rows


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
    if has_totals(wanted, detailed=detailed):
        joined = _joined_months(wanted, detailed=detailed)
    else:
        joined = _joined(_sums_of_rows(wanted, wanted.conditions(), None, _by(detailed)))
    return [
        CategorySum(category, currency or "", *sums, *of_category)
        for (counts, currency, category, *of_category), sums in joined.items()
        if counts is not left_out
    ]


def _by(detailed: bool) -> tuple[str, ...]:
    return ("category", "detailed") if detailed else ("category",)


def _exact(joined: Joined) -> Tally:
    sums: dict[bool, list[CurrencySum]] = {True: [], False: []}
    by_currency = _added((key[:2], part) for key, part in joined.items())
    by_rows = sorted(by_currency.items(), key=lambda part: (-part[1][0], part[0][1] or ""))
    for (counts, currency), (_, *amounts) in by_rows:
        sums[counts].append(CurrencySum(currency or None, *amounts))
    return Tally(sum(rows for rows, *_ in joined.values()), False, sums[True], sums[False])


def _joined_months(wanted: Filter, *, detailed: bool) -> Joined:
    return _kept_months(wanted, _by(detailed), users.ledger_state(wanted.user_id))


@functools.lru_cache(maxsize=SUMS_KEPT)
def _kept_months(wanted: Filter, by: tuple[str, ...], _state: object) -> Joined:
    """Add them up again in another state."""
    return _joined(sums_of_months(wanted, by))


def _joined(query: Totals) -> Joined:
    """Return the sums that have rows by their key. Monthly totals come with one of each account."""
    rows = (cast(tuple[Any, ...], row) for row in db.session.execute(query))
    return _added((row[:-3], row[-3:]) for row in rows if row[-3])


def _added(parts: Iterable[tuple[tuple[Any, ...], Any]]) -> Joined:
    added: dict[tuple[Any, ...], tuple[int, Decimal, Decimal]] = {}
    for key, (rows, money_in, money_out) in parts:
        before = added.get(key, (0, Decimal(0), Decimal(0)))
        added[key] = before[0] + rows, before[1] + money_in, before[2] + money_out
    return added


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
    key = rows.c.counts, rows.c.currency, *(rows.c[name] for name in by)
    return select(
        *key,
        func.count(),
        money_sum(case((units < 0, -units), else_=0)),
        money_sum(case((units > 0, units), else_=0)),
    ).group_by(*key)


def sums_of_months(wanted: Filter, by: Sequence[str] = ()) -> Totals:
    """By account too: they are read in the order of an index, and need not be sorted or hashed.

    On SQLite that index reads all months, so sums within a year are found by month and sorted.
    """
    totals = DetailedTotal if "detailed" in by else matching_months.totals_of(wanted)
    counts = counted_rows.counts_month_sql(wanted, totals.category, Account.type)
    query = select(
        counts.label("counts"),
        totals.currency,
        *(getattr(totals, name) for name in by),
        func.sum(totals.count).label("rows"),
        money_sum(totals.money_in, totals.money_in_high).label("money_in"),
        money_sum(totals.money_out, totals.money_out_high).label("money_out"),
    )
    query = matching_months.in_accounts_and_months(wanted, query, totals)
    if wanted.scope == "flow":
        is_flow = spending_account_sql(Account.type), not_transfer_sql(totals.category)
        query = query.where(*is_flow)
    query = matching_months.in_categories_and_currencies(wanted, query, totals)
    is_short = on_sqlite() and wanted.is_within_a_year
    query = query.group_by(counts if is_short else Account.id, totals.category, totals.currency)
    if "detailed" in by:
        query = query.group_by(DetailedTotal.detailed)
    if on_sqlite():
        return query
    # PostgreSQL takes that order only for one account at a time.
    of_account = query.correlate(Account).lateral()
    accounts = select(*of_account.c).select_from(Account).join(of_account, true())
    return accounts.where(Account.user_id == wanted.user_id)
