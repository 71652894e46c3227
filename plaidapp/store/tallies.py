"""How many transactions a filter means, and what they add up to in each currency."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, case, func, select, type_coerce

from plaidapp.extensions import db

from .accounts import Account
from .categories import SPENT_FROM, TRANSFERS
from .filters import Filter
from .totals import MonthlyTotal
from .transactions import Transaction
from .types import Money, added_up


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
    """`is_more` when there are more than `rows`, and then no sums. Sums have the currency with the
    most rows first."""

    rows: int
    is_more: bool
    sums: Sequence[Sum]


def tally(wanted: Filter, at_most: int) -> Tally:
    """How many rows there are and what they sum to.

    Of whole months that is kept; otherwise no more than `at_most` rows are looked at.
    """
    kept = wanted.is_of_months
    rows = db.session.execute(_of_months(wanted) if kept else _of_rows(wanted, at_most)).all()
    found = sum(row.rows for row in rows)
    if found > at_most and not kept:
        return Tally(at_most, True, ())
    by_rows = sorted(rows, key=lambda row: (-row.rows, row.currency or ""))
    sums = [Sum(row.currency or None, row.money_in, row.money_out) for row in by_rows if row.rows]
    return Tally(found, False, sums)


def _of_rows(wanted: Filter, at_most: int) -> Any:
    looked_at = (
        select(Transaction.amount, _CURRENCY.label("currency"))
        .where(*wanted.conditions())
        .limit(at_most + 1)
        .subquery()
    )
    return _sums_of(looked_at.c.amount, looked_at.c.currency)


def _of_months(wanted: Filter) -> Any:
    query = (
        select(
            func.sum(MonthlyTotal.count).label("rows"),
            MonthlyTotal.currency.label("currency"),
            _money(MonthlyTotal.money_in).label("money_in"),
            _money(MonthlyTotal.money_out).label("money_out"),
        )
        .join(Account, Account.id == MonthlyTotal.account_id)
        .where(Account.user_id == wanted.user_id)
        .group_by(MonthlyTotal.currency)
    )
    if wanted.start:
        query = query.where(MonthlyTotal.month >= wanted.start)
    if wanted.end:
        query = query.where(MonthlyTotal.month <= wanted.end)
    if wanted.item_id:
        query = query.where(Account.item_id == wanted.item_id)
    if wanted.account_ids:
        query = query.where(Account.id.in_(wanted.account_ids))
    if wanted.categories:
        query = query.where(MonthlyTotal.category.in_(wanted.categories))
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


def days(
    wanted: Filter, first: datetime.date, last: datetime.date
) -> dict[datetime.date, list[Sum]]:
    """What each day's rows of the filter sum to, from `first` to `last`."""
    part = replace(wanted, start=first, end=last)
    query = _sums_of(Transaction.amount, _CURRENCY).add_columns(Transaction.date.label("date"))
    query = query.where(*part.conditions()).group_by(Transaction.date).order_by(_CURRENCY)
    found: dict[datetime.date, list[Sum]] = {}
    for row in db.session.execute(query):
        found.setdefault(row.date, []).append(Sum(row.currency, row.money_in, row.money_out))
    return found
