"""Keep the monthly and the detailed totals equal to what the transactions add up to."""

import datetime
import functools
import operator
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    select,
    tuple_,
)

from plaidapp.extensions import db

from ..base.dates import AccountMonth, month_from_sql, month_runs, month_sql
from ..base.sums import money_sum, split, units_of
from ..base.upsert import upsert
from ..base.writes import in_batches
from . import detailed_totals, monthly_totals
from .transactions import Transaction

ALWAYS = (datetime.date.min, datetime.date.max)

RowIds = Sequence[int] | Select[int]
"""Ids of transactions, or a query for them."""
Totals = dict[tuple[Any, ...], tuple[Any, ...]]
"""The values of the columns after the key, by the values of the key."""


class Kind(NamedTuple):
    """A table of totals, with its key and its other columns."""

    table: Table
    key: tuple[str, ...]
    values: tuple[str, ...]


SUMS = ("money_in", "money_out", "count", "hidden", "money_in_high", "money_out_high")
MONTHLY = Kind(
    monthly_totals.TABLE,
    ("account_id", "month", "category", "currency"),
    (*SUMS, "detailed_rows"),
)
DETAILED = Kind(
    detailed_totals.TABLE, ("account_id", "month", "category", "currency", "detailed"), SUMS
)


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
    for kind, computed in _computed(account_ids, first, last).items():
        _store(kind, _stored(kind, account_ids, first, last), computed)


def _store(kind: Kind, stored: Totals, computed: Totals) -> None:
    for keys in in_batches([key for key in stored if key not in computed]):
        key_columns = tuple_(*(kind.table.c[name] for name in kind.key))
        db.session.execute(delete(kind.table).where(key_columns.in_(keys)))
    changed = [(*key, *sums) for key, sums in computed.items() if stored.get(key) != sums]
    rows = [dict(zip(kind.key + kind.values, row, strict=True)) for row in changed]
    upsert(kind.table, kind.key, rows, new=not stored)


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


def _stored(
    kind: Kind, account_ids: Sequence[int], first: datetime.date, last: datetime.date
) -> Totals:
    width = len(kind.key)
    rows = db.session.execute(_totals(kind), _which(account_ids, first, last))
    return {tuple(row[:width]): tuple(row[width:]) for row in rows}


def _computed(
    account_ids: Sequence[int], first: datetime.date, last: datetime.date
) -> dict[Kind, Totals]:
    """Return the totals that should be stored."""
    detailed: Totals = {}
    for account_id, month, *names, money_in, money_out, count, hidden in db.session.execute(
        _sums(db.engine.dialect.name), _which(account_ids, first, last)
    ):
        sums = money_in, money_out, int(count), int(hidden)
        detailed[account_id, month_from_sql(month), *names] = sums
    monthly: Totals = {}
    for (*of_month, _), sums in detailed.items():
        so_far = monthly.get(tuple(of_month), (0, 0, 0, 0))
        monthly[tuple(of_month)] = tuple(map(operator.add, so_far, sums))
    return {
        MONTHLY: {key: (*_split(sums), sums[2] + sums[3]) for key, sums in monthly.items()},
        DETAILED: {key: _split(sums) for key, sums in detailed.items()},
    }


def _which(account_ids: Sequence[int], first: datetime.date, last: datetime.date) -> dict[str, Any]:
    """Return the values of the two statements below."""
    return {"account_ids": account_ids, "first": first, "last": last}


_IDS: BindParameter[int] = bindparam("account_ids", expanding=True)
_FIRST: BindParameter[datetime.date] = bindparam("first")
_LAST: BindParameter[datetime.date] = bindparam("last")


@functools.cache  # building a statement takes longer than running it
def _totals(kind: Kind) -> Select[Any]:
    columns = kind.table.c
    query = select(*(columns[name] for name in kind.key + kind.values))
    return query.where(columns.account_id.in_(_IDS), columns.month.between(_FIRST, _LAST))


@functools.cache
def _sums(_dialect: str) -> Select[Any]:
    """Return a statement for each dialect, because `money_sum` differs between them."""
    row = (
        select(
            Transaction.account_id,
            month_sql(Transaction.date).label("month"),
            Transaction.category.label("category"),
            func.coalesce(Transaction.currency, "").label("currency"),
            Transaction.detailed.label("detailed"),
            units_of(Transaction.amount).label("amount"),
            case((Transaction.hidden, 1), else_=0).label("hidden"),
        )
        .where(
            Transaction.account_id.in_(_IDS),
            Transaction.date.between(_FIRST, _LAST),
            Transaction.removed_at.is_(None),
        )
        .subquery()
    )

    def total(sign: int) -> ColumnElement[Decimal]:
        counts = (row.c.hidden == 0) & (sign * row.c.amount > 0)
        return money_sum(case((counts, sign * row.c.amount), else_=0))

    key = [row.c[name] for name in DETAILED.key]
    hidden = func.sum(row.c.hidden)
    return select(*key, total(-1), total(1), func.count() - hidden, hidden).group_by(*key)


def _split(sums: tuple[Any, ...]) -> tuple[Any, ...]:
    money_in, money_out, count, hidden = sums
    (in_low, in_high), (out_low, out_high) = split(money_in), split(money_out)
    return (in_low, out_low, count, hidden, in_high, out_high)


def wrong(account_ids: Iterable[int]) -> set[AccountMonth]:
    """Return the months of these accounts whose totals differ from the sums of the rows."""
    found: set[AccountMonth] = set()
    for ids in in_batches(list(account_ids)):
        for kind, computed in _computed(ids, *ALWAYS).items():
            stored = _stored(kind, ids, *ALWAYS)
            keys = stored.keys() | computed
            found |= {key[:2] for key in keys if stored.get(key) != computed.get(key)}
    return found
