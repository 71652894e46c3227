"""The payments of recurring streams that are stored: when, how much, and in which transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import and_, select

from plaidapp.extensions import db

from ..transactions.transactions import Transaction
from . import recurring_streams
from .recurring_streams import Stream


class Paid(NamedTuple):
    """`amount` has Plaid's sign: positive is money out."""

    transaction_id: int
    day: date
    amount: Decimal


def since(user_id: int, day: date) -> Mapping[int, Sequence[Paid]]:
    """Return the payments from `day` on, oldest first, by the ids of their streams.

    Those that the person has hidden are left out.
    """
    payments = recurring_streams.payments_of(Stream.user_id == user_id, Stream.last_date >= day)
    query = (
        select(payments.c.stream_id, Transaction.id, Transaction.date, Transaction.amount)
        .join(
            payments,
            and_(
                Transaction.plaid_transaction_id == payments.c.plaid_transaction_id,
                Transaction.item_id == payments.c.item_id,
            ),
        )
        .where(
            Transaction.date >= day,
            Transaction.removed_at.is_(None),
            ~Transaction.hidden,
        )
        .order_by(Transaction.date, Transaction.id)
    )
    found = defaultdict[int, list[Paid]](list)
    for stream_id, row_id, date_paid, amount in db.session.execute(query):
        found[stream_id].append(Paid(row_id, date_paid, amount))
    return found
