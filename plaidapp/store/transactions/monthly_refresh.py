"""Keep the monthly totals equal to what the transactions add up to."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, select, tuple_

from plaidapp.extensions import db

from ..base.dates import AccountMonth, month_from_sql, month_runs, month_sql
from ..base.sums import money_sum, split, units_of
from ..base.upsert import upsert
from ..base.writes import in_batches
from .monthly_totals import TABLE
from .transactions import Transaction

COLUMNS = tuple(TABLE.columns.keys())
KEY = COLUMNS[:4]
ALWAYS = (datetime.date.min, datetime.date.max)

RowIds = Sequence[int] | Select[int]
"""Ids of transactions, or a query for them."""
Totals = dict[tuple[Any, ...], tuple[Any, ...]]
"""The values of the columns after the key, by the values of the key."""


def refresh(months: Iterable[AccountMonth]) -> None:
    """Add up these months of accounts again. Totals that are right already are not written.

    The caller has locked the ledger before the first change (users.lock_ledger).
    """
    accounts_of: defaultdict[tuple[datetime.date, datetime.date], list[int]] = defaultdict(list)
    for account_id, first, last in month_runs(months):
        accounts_of[first, last].append(account_id)
    for (first, last), account_ids in accounts_of.items():
        _refresh(account_ids, first, last)


def rebuild(account_ids: Iterable[int]) -> None:
    """Add up all months of these accounts again."""
    _refresh(list(account_ids), *ALWAYS)


def _refresh(account_ids: Sequence[int], first: datetime.date, last: datetime.date) -> None:
    for ids in in_batches(account_ids):
        _refresh_batch(ids, first, last)


def _refresh_batch(account_ids: Sequence[int], first: datetime.date, last: datetime.date) -> None:
    stored, computed = _stored(account_ids, first, last), _computed(account_ids, first, last)
    key_columns = tuple_(*(TABLE.c[name] for name in KEY))
    for keys in in_batches([key for key in stored if key not in computed]):
        db.session.execute(delete(TABLE).where(key_columns.in_(keys)))
    changed = [(*key, *sums) for key, sums in computed.items() if stored.get(key) != sums]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in changed]
    upsert(TABLE, KEY, rows, new=not stored)


def refresh_for(transaction_ids: RowIds) -> None:
    """Add up the months of these rows again, after an edit of what they count under."""
    months: set[AccountMonth] = set()
    for ids in _parts(transaction_ids):
        query = select(Transaction.account_id, month_sql(Transaction.date)).where(
            Transaction.id.in_(ids)
        )
        months |= {
            (account_id, month_from_sql(month))
            for account_id, month in db.session.execute(query.distinct())
        }
    refresh(months)


def _parts(ids: RowIds) -> Iterable[RowIds]:
    return [ids] if isinstance(ids, Select) else in_batches(ids)


def _stored(account_ids: Sequence[int], first: datetime.date, last: datetime.date) -> Totals:
    of_accounts = TABLE.c.account_id.in_(account_ids)
    query = select(TABLE).where(of_accounts, TABLE.c.month.between(first, last))
    return {tuple(row[:4]): tuple(row[4:]) for row in db.session.execute(query)}


def _computed(account_ids: Sequence[int], first: datetime.date, last: datetime.date) -> Totals:
    """Return the totals that should be stored."""
    row = (
        select(
            Transaction.account_id,
            month_sql(Transaction.date).label("month"),
            Transaction.category.label("category"),
            func.coalesce(Transaction.currency, "").label("currency"),
            units_of(Transaction.amount).label("amount"),
            case((Transaction.hidden, 1), else_=0).label("hidden"),
        )
        .where(
            Transaction.account_id.in_(account_ids),
            Transaction.date.between(first, last),
            Transaction.removed_at.is_(None),
        )
        .subquery()
    )

    def total(sign: int) -> ColumnElement[Decimal]:
        counts = (row.c.hidden == 0) & (sign * row.c.amount > 0)
        return money_sum(case((counts, sign * row.c.amount), else_=0))

    key = (row.c.account_id, row.c.month, row.c.category, row.c.currency)
    hidden = func.sum(row.c.hidden)
    query = select(*key, total(-1), total(1), func.count() - hidden, hidden).group_by(*key)
    totals: Totals = {}
    for account_id, month, category, currency, *sums in db.session.execute(query):
        money_in, money_out, *counts = sums
        (in_low, in_high), (out_low, out_high) = split(money_in), split(money_out)
        values = (in_low, out_low, *counts, in_high, out_high)
        totals[account_id, month_from_sql(month), category, currency] = values
    return totals


def wrong(account_ids: Iterable[int]) -> set[AccountMonth]:
    """Return the months of these accounts whose totals differ from the sums of the rows."""
    found: set[AccountMonth] = set()
    for ids in in_batches(list(account_ids)):
        stored, computed = _stored(ids, *ALWAYS), _computed(ids, *ALWAYS)
        differ = {key for key in stored.keys() | computed if stored.get(key) != computed.get(key)}
        found |= {(account_id, month) for account_id, month, *_ in differ}
    return found
