"""A merchant's other transactions, which a person may want under the same category."""

from sqlalchemy import ColumnElement, func, or_, select

from plaidapp.extensions import db

from .category_tree import chosen
from .filter_totals import Tally
from .filters import Filter
from .transactions import Transaction

MOST_COUNTED = 1_000


def others(row: Transaction) -> list[ColumnElement[bool]]:
    """Return the conditions of the rows with the same name for which the person has not chosen the
    same category. Sides of matched transfers are left out."""
    differs = (
        getattr(Transaction, name).is_distinct_from(value)
        for name, value in chosen(row.own_choice).items()
    )
    return [
        *Filter(row.user_id, hidden="any", hidden_accounts=True).of_order(),
        Transaction.title_key == row.title_key,
        Transaction.title_key != "",
        Transaction.id != row.id,
        Transaction.other_side_id.is_(None),
        or_(*differs),
    ]


def count_others(row: Transaction) -> Tally:
    """Return how many such rows there are. There are none if the person has chosen nothing."""
    if not row.own_choice:
        return Tally(0, False)
    found = select(Transaction.id).where(*others(row)).limit(MOST_COUNTED + 1).subquery()
    rows = db.session.scalar(select(func.count()).select_from(found)) or 0
    return Tally(min(rows, MOST_COUNTED), rows > MOST_COUNTED)
