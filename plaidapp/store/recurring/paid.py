"""The payments of recurring streams that are stored: when, how much, and in which transaction."""

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import and_, select

from plaidapp.extensions import db

from ..people import users
from ..transactions.transactions import Transaction
from . import recurring_streams
from .recurring_streams import Stream

ANSWERS_KEPT = 50
"""How many answers each process keeps until the person's data changes. Hundreds of payments are all
over a long ledger, and the list, the calendar and each of its months need the same ones."""


class Paid(NamedTuple):
    """`amount` has Plaid's sign: positive is money out."""

    transaction_id: int
    day: date
    amount: Decimal


def since(user_id: int, day: date) -> Mapping[int, Sequence[Paid]]:
    """Return the payments from `day` on, oldest first, by the ids of their streams.

    Those that the person has hidden are left out.
    """
    return _kept(user_id, day, users.ledger_state(user_id))


@functools.lru_cache(maxsize=ANSWERS_KEPT)
def _kept(user_id: int, day: date, _state: object) -> Mapping[int, Sequence[Paid]]:
    """Read them again in another state."""
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
