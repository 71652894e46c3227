"""Series: a stream goes on with an earlier one.

Plaid gives a stream another id when its bank is connected again, and sometimes without any reason.
What the person has said of it then still holds, and calendars still know its payments.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select

from plaidapp.extensions import db

from ..transactions.former_rows import FormerRow
from ..transactions.transactions import Transaction
from . import recurring_streams
from .recurring_streams import Stream

Rows = Mapping[int, set[int]]
"""The stored transactions of streams, both by their ids."""
Likeness = tuple[int, bool, Decimal]


def go_on(item_id: int) -> None:
    """Let each new stream of the Item go on with the one that it replaces, or begin a series.

    A stream is replaced by one of the same account, with the same direction and currency, that has
    one of its transactions, or else its name. The most similar ones belong together.
    """
    new = _new(item_id)
    if not new:
        return
    former = _former(item_id, new)
    rows = _rows_of([each.id for each in (*new, *former)]) if former else {}
    pairs = [(_likeness(one, other, rows), one, other) for one in new for other in former]
    similar = [(likeness, one, other) for likeness, one, other in pairs if likeness]
    for _, one, other in sorted(similar, key=lambda pair: pair[0] or (), reverse=True):
        if one.anchor is None and other in former:
            former.remove(other)
            one.series_id, one.anchor = other.series, other.anchor or other.first_date
            one.choice, one.chosen_at = other.choice, other.chosen_at
    for stream in new:
        stream.anchor = stream.anchor or stream.first_date
    db.session.flush()


def _new(item_id: int) -> Sequence[Stream]:
    return db.session.scalars(
        select(Stream)
        .where(Stream.item_id == item_id, Stream.vanished_at.is_(None), Stream.anchor.is_(None))
        .order_by(Stream.id)
        .execution_options(populate_existing=True)
    ).all()


def _former(item_id: int, new: Iterable[Stream]) -> list[Stream]:
    """Return streams of the same accounts that no bank lists anymore, one of each series."""
    account_ids, new_ids = {each.account_id for each in new}, {each.id for each in new}
    every = db.session.scalars(
        select(Stream)
        .where(Stream.account_id.in_(account_ids), Stream.id.not_in(new_ids))
        .order_by(Stream.id)
        .execution_options(populate_existing=True)
    ).all()
    listed = {each.series for each in every if _is_listed(each, item_id)}
    latest = {each.series: each for each in every if each.series not in listed}
    return list(latest.values())


def _is_listed(stream: Stream, item_id: int) -> bool:
    return stream.item_id == item_id and stream.vanished_at is None


def _rows_of(stream_ids: Sequence[int]) -> Rows:
    rows = defaultdict[int, set[int]](set)
    named = (Transaction, Transaction.id), (FormerRow, FormerRow.transaction_id)
    payments = recurring_streams.payments_of(Stream.id.in_(stream_ids))
    for model, row_id in named:
        query = select(payments.c.stream_id, row_id).join(
            model,
            (model.plaid_transaction_id == payments.c.plaid_transaction_id)
            & (model.item_id == payments.c.item_id),
        )
        for stream_id, found in db.session.execute(query):
            rows[stream_id].add(found)
    return rows


def _likeness(one: Stream, other: Stream, rows: Rows) -> Likeness | None:
    """Return how much they are alike, larger for more; None if they are different."""
    if (one.account_id, one.direction, one.currency) != (
        other.account_id,
        other.direction,
        other.currency,
    ):
        return None
    common = len(rows.get(one.id, set()) & rows.get(other.id, set()))
    if not common and one.title.casefold() != other.title.casefold():
        return None
    distance = abs(one.average_amount - other.average_amount)
    return common, one.frequency == other.frequency, -distance
