"""How many transactions a filter means, and what they add up to in each currency."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, case, func, select, type_coerce

from plaidapp.extensions import db

from ..base.types import Money, added_up
from ..connections.accounts import Account
from . import monthly_totals, reader, totals_reader
from .categories import SPENT_FROM, TRANSFERS
from .filters import Filter
from .monthly_totals import MonthlyTotal
from .transactions import Transaction

DAY = datetime.timedelta(days=1)


class Sum(NamedTuple):
    """What moved in one currency; `money_in` and `money_out` are both positive."""

    currency: str | None
    money_in: Decimal
    money_out: Decimal

    @property
    def net(self) -> Decimal:
        """Positive when more came in."""
        return self.money_in - self.money_out


class Tally(NamedTuple):
    """`is_more` when there may be more than `rows`, and then no sums. Sums have the currency with
    the most rows first."""

    rows: int
    is_more: bool
    sums: Sequence[Sum]


def tally(wanted: Filter, at_most: int) -> Tally:
    """How many rows there are and what they sum to.

    Of whole months that is kept. Otherwise no more than some `at_most` rows are looked at: all that
    there are, those that an index finds, or the first ones of a ledger that is longer.
    """
    if wanted.is_of_months:
        return _exact(_of_months(wanted))
    if totals_reader.rows(wanted) <= at_most:
        return _exact(_of_rows(wanted.conditions(row_by_row=True)))
    by_date = replace(wanted, sort="date")
    end = reader.end_of_stretch(by_date, at_most)
    found = _exact(_of_rows(reader.in_stretch(by_date, end)))
    if end is None:
        return found
    everything = monthly_totals.count(wanted.user_id)
    if wanted.has_index and found.rows * sum(everything) <= at_most**2:
        found = _exact(_of_rows(wanted.conditions(), at_most + 1))
        if found.rows <= at_most:
            return found
    return Tally(min(found.rows, at_most), True, ())


def sums_of(rows: Iterable[Transaction]) -> list[Sum]:
    """What these rows add up to, the currency with the most of them first."""
    moved: defaultdict[str | None, list[Decimal]] = defaultdict(list)
    for row in rows:
        moved[row.currency].append(row.amount)
    by_rows = sorted(moved.items(), key=lambda pair: (-len(pair[1]), pair[0] or ""))
    return [
        Sum(
            currency,
            sum((-amount for amount in amounts if amount < 0), Decimal(0)),
            sum((amount for amount in amounts if amount > 0), Decimal(0)),
        )
        for currency, amounts in by_rows
    ]


def _exact(query: Any) -> Tally:
    rows = db.session.execute(query).all()
    by_rows = sorted(rows, key=lambda row: (-row.rows, row.currency or ""))
    sums = [Sum(row.currency or None, row.money_in, row.money_out) for row in by_rows if row.rows]
    return Tally(sum(row.rows for row in rows), False, sums)


def _of_rows(conditions: Sequence[Any], limit: int | None = None) -> Any:
    looked_at = (
        select(Transaction.amount, _CURRENCY.label("currency"))
        .where(*conditions)
        .limit(limit)
        .subquery()
    )
    return _sums_of(looked_at.c.amount, looked_at.c.currency)


def _of_months(wanted: Filter) -> Any:
    query = select(
        func.sum(MonthlyTotal.count).label("rows"),
        MonthlyTotal.currency.label("currency"),
        _money(MonthlyTotal.money_in).label("money_in"),
        _money(MonthlyTotal.money_out).label("money_out"),
    ).group_by(MonthlyTotal.currency)
    query = totals_reader.of_categories(wanted, totals_reader.within(wanted, query))
    if wanted.scope == "flow":
        flow = Account.type.in_(SPENT_FROM), MonthlyTotal.category.not_in(TRANSFERS)
        query = query.where(*flow)
    return query


_CURRENCY = func.coalesce(Transaction.iso_currency_code, Transaction.unofficial_currency_code)


def _sums_of(amount: Any, currency: Any) -> Any:
    units = type_coerce(amount, BigInteger)
    return select(
        func.count().label("rows"),
        currency.label("currency"),
        _money(case((units < 0, -units), else_=0)).label("money_in"),
        _money(case((units > 0, units), else_=0)).label("money_out"),
    ).group_by(currency)


def _money(units: Any) -> Any:
    return type_coerce(added_up(type_coerce(units, BigInteger)), Money)


def count_between(user_id: int, start: datetime.date, end: datetime.date) -> int:
    """How many rows there are from `start` to `end`, both included.

    Only those of the first and the last month are counted; what lies between is kept.
    """
    first, last = monthly_totals.month_of(start), monthly_totals.month_of(end)
    if first == last:
        return reader.count(Filter(user_id, start, end))
    begin = monthly_totals.months_later(first, 1)
    between = tally(Filter(user_id, begin, last - DAY), 0).rows
    edges = Filter(user_id, start, begin - DAY), Filter(user_id, last, end)
    return between + sum(reader.count(edge) for edge in edges)


def of_day(wanted: Filter, day: datetime.date) -> list[Sum]:
    """What the rows of the filter that are of this day sum to."""
    part = replace(wanted, start=day, end=day)
    return list(_exact(_of_rows(part.conditions(row_by_row=True))).sums)
