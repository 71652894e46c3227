"""What was earned and spent in a part of a month, added up from its rows.

The monthly totals know whole months only. A fair comparison of a month that has just begun needs
the same days of the month before.
"""

import datetime
from collections.abc import Sequence

from sqlalchemy import case, func, select

from plaidapp.extensions import db

from ..base.sums import money_sum, units_of
from . import reader
from .filters import Filter
from .monthly_totals import MonthlySum
from .transactions import Transaction


def flow(
    user_id: int, first: datetime.date, last: datetime.date, at_most: int
) -> Sequence[MonthlySum] | None:
    """Return what was earned and spent from `first` to `last`, both included.

    `first` is the first day of a month, which the sums name. None if these days have more than
    `at_most` rows of any kind: nobody waits until they are read.
    """
    wanted = Filter(user_id, first, last, scope="flow")
    if reader.end_of_stretch(wanted, at_most + 1):
        return None
    rows = (
        select(
            Transaction.amount,
            Transaction.category.label("category"),
            func.coalesce(Transaction.currency, "").label("currency"),
        )
        .where(*wanted.conditions(row_by_row=True))
        .subquery()
    )
    units = units_of(rows.c.amount)
    found = db.session.execute(
        select(
            rows.c.category,
            rows.c.currency,
            money_sum(case((units < 0, -units), else_=0)),
            money_sum(case((units > 0, units), else_=0)),
        ).group_by(rows.c.category, rows.c.currency)
    )
    return [MonthlySum(first, *of_category) for of_category in found]
