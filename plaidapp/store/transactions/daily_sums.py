"""What was earned and spent on each day by detailed category, added up from the rows."""

import datetime
from collections.abc import Sequence

from sqlalchemy import case, func, select

from plaidapp.extensions import db

from ..base.dates import month_of
from ..base.sums import money_sum, units_of
from . import matching_months
from .detailed_totals import DetailedSum
from .filters import Filter
from .transactions import Transaction

DailySum = tuple[datetime.date, DetailedSum]
"""A day, and the sum of its rows. The sum names the month."""


def flow(
    user_id: int, first: datetime.date, last: datetime.date, at_most: int
) -> Sequence[DailySum] | None:
    """Return what was earned and spent on each day from `first` to `last`, both included.

    None if these months have more than `at_most` rows: nobody waits until they are read.
    """
    wanted = Filter(user_id, first, last, scope="flow")
    if matching_months.count_rows(wanted) > at_most:
        return None
    rows = (
        select(
            Transaction.date,
            Transaction.category.label("category"),
            Transaction.detailed.label("detailed"),
            func.coalesce(Transaction.currency, "").label("currency"),
            Transaction.amount,
        )
        .where(*wanted.conditions(row_by_row=True))
        .subquery()
    )
    units = units_of(rows.c.amount)
    key = rows.c.date, rows.c.category, rows.c.detailed, rows.c.currency
    found = db.session.execute(
        select(
            *key,
            money_sum(case((units < 0, -units), else_=0)),
            money_sum(case((units > 0, units), else_=0)),
        ).group_by(*key)
    )
    return [(day, DetailedSum(month_of(day), *each)) for day, *each in found]
