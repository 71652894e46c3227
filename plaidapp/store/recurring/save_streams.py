"""Store a bank's answer about an Item's recurring payments.

The answer is complete and replaces what is stored. A stream that is no longer in it is marked, not
deleted.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, true, update

from plaidapp.bank import payloads
from plaidapp.bank.unread import STREAM
from plaidapp.extensions import db

from ..base.types import now
from ..base.upsert import upsert
from ..base.writes import in_batches, write
from ..transactions import set_aside
from ..transactions.transactions import Transaction
from . import stream_series
from .price_change import price_change
from .recurring_streams import ANNUALLY, IN, OUT, Payment, Stream, is_payment

REVISED = (
    *("description", "merchant_name", "frequency", "first_date", "last_date"),
    *("predicted_next_date", "last_amount", "is_active", "status", "vanished_at"),
)
"""A stream is revised when one of these columns changes: calendars show what follows from them."""
StoredPayments = Mapping[str, tuple[datetime.date, Decimal]]
"""Date and amount of stored transactions, by Plaid's id."""


def save(
    user_id: int, item_id: int, account_ids: Mapping[str, int], answer: payloads.Recurring
) -> int:
    """Replace the Item's streams with those of the answer. Return their number.

    Streams of accounts that are not stored are left out: these accounts are not shared. A stream
    that can't be read is set aside until the bank's next answer, and stays as it was stored before.
    """
    sent = [
        (direction, stream)
        for direction, streams in ((IN, answer.inflow_streams), (OUT, answer.outflow_streams))
        for stream in streams
        if stream.account_id in account_ids
    ]
    payments = _stored_payments(
        item_id, [plaid_id for _, stream in sent for plaid_id in stream.transaction_ids]
    )
    rows = [
        {"user_id": user_id, "item_id": item_id, "direction": direction}
        | _columns(direction, stream, account_ids, payments)
        for direction, stream in sent
    ]
    _note_revisions(item_id, rows)
    upsert(cast(Table, Stream.__table__), ("item_id", "plaid_stream_id"), rows)
    set_aside.replace(item_id, STREAM, set_aside.keys(item_id)[STREAM], answer.unread)
    if all(stream.plaid_id for stream in answer.unread):  # one without an id may be any of them
        unread_ids = {stream.plaid_id for stream in answer.unread if stream.plaid_id}
        _mark_vanished(item_id, unread_ids.union(stream.stream_id for _, stream in sent))
    _save_payments(item_id, [stream for _, stream in sent])
    stream_series.go_on(item_id)
    return len(sent)


def move(from_id: int, to_id: int, item_ids: Collection[int] | None = None) -> None:
    """Move the streams of an account to another one: all, or those of these Items."""
    of_items = true() if item_ids is None else Stream.item_id.in_(item_ids)
    write(update(Stream).where(Stream.account_id == from_id, of_items).values(account_id=to_id))


def delete_of_item(item_id: int) -> None:
    write(delete(Stream).where(Stream.item_id == item_id))


def _stored_payments(item_id: int, plaid_ids: Sequence[str]) -> StoredPayments:
    found: dict[str, tuple[datetime.date, Decimal]] = {}
    for ids in in_batches(plaid_ids):
        query = select(
            Transaction.plaid_transaction_id, Transaction.date, Transaction.amount
        ).where(Transaction.item_id == item_id, Transaction.plaid_transaction_id.in_(ids))
        found.update(
            {plaid_id: (day, amount) for plaid_id, day, amount in db.session.execute(query)}
        )
    return found


def _columns(
    direction: str,
    stream: payloads.PlaidStream,
    account_ids: Mapping[str, int],
    stored: StoredPayments,
) -> dict[str, Any]:
    rows = sorted(stored[plaid_id] for plaid_id in stream.transaction_ids if plaid_id in stored)
    if not rows or rows[-1][0] < stream.last_date:  # the newest row is not synced yet
        rows.append((stream.last_date, stream.last_amount.amount))
    payments = [(day, amount) for day, amount in rows if is_payment(direction, amount)]
    change = price_change(payments, is_annual=stream.frequency == ANNUALLY)
    return {
        "account_id": account_ids[stream.account_id],
        "plaid_stream_id": stream.stream_id,
        "description": stream.description,
        "merchant_name": stream.merchant_name,
        "category_primary": stream.category and stream.category.primary,
        "category_detailed": stream.category and stream.category.detailed,
        "frequency": stream.frequency,
        "first_date": stream.first_date,
        "last_date": stream.last_date,
        "predicted_next_date": stream.predicted_next_date,
        "average_amount": stream.average_amount.amount,
        "last_amount": _last_amount(direction, stream, payments),
        "previous_amount": change and change.previous,
        "changed_on": change and change.since,
        "iso_currency_code": stream.last_amount.iso_currency_code,
        "unofficial_currency_code": stream.last_amount.unofficial_currency_code,
        "status": stream.status,
        "is_active": stream.is_active,
        "updated_at": now(),
        "vanished_at": None,
    }


def _note_revisions(item_id: int, rows: Iterable[dict[str, Any]]) -> None:
    """Set the `revised_at` of rows about to be stored: now, unless they are stored like this."""
    columns = (getattr(Stream, name) for name in REVISED)
    query = select(Stream.plaid_stream_id, Stream.revised_at, *columns)
    found = db.session.execute(query.where(Stream.item_id == item_id))
    stored = {plaid_id: (revised_at, values) for plaid_id, revised_at, *values in found}
    for row in rows:
        revised_at, values = stored.get(row["plaid_stream_id"], (None, None))
        is_same = values == [row[name] for name in REVISED]
        row["revised_at"] = (is_same and revised_at) or row["updated_at"]


def _last_amount(
    direction: str, stream: payloads.PlaidStream, payments: Sequence[tuple[datetime.date, Decimal]]
) -> Decimal:
    sent = stream.last_amount.amount
    return payments[-1][1] if payments and not is_payment(direction, sent) else sent


def _mark_vanished(item_id: int, sent_ids: set[str]) -> None:
    write(
        update(Stream)
        .where(
            Stream.item_id == item_id,
            Stream.vanished_at.is_(None),
            Stream.plaid_stream_id.not_in(sent_ids),
        )
        .values(vanished_at=now())
    )


def _save_payments(item_id: int, sent: Iterable[payloads.PlaidStream]) -> None:
    """Store which transactions belong to the streams. Writes only what differs."""
    query = select(Stream.plaid_stream_id, Stream.id).where(Stream.item_id == item_id)
    ids = {plaid_id: ours for plaid_id, ours in db.session.execute(query)}  # noqa: C416
    wanted = {
        (ids[stream.stream_id], plaid_id) for stream in sent for plaid_id in stream.transaction_ids
    }
    sent_ids = sorted({stream_id for stream_id, _ in wanted})
    query = select(Payment.stream_id, Payment.plaid_transaction_id)
    stored = {
        (stream_id, plaid_id)
        for stream_id, plaid_id in db.session.execute(query.where(Payment.stream_id.in_(sent_ids)))
    }
    for stream_id, plaid_id in stored - wanted:
        write(
            delete(Payment).where(
                Payment.stream_id == stream_id, Payment.plaid_transaction_id == plaid_id
            )
        )
    if new := sorted(wanted - stored):
        rows = [{"stream_id": ours, "plaid_transaction_id": plaid_id} for ours, plaid_id in new]
        db.session.execute(insert(cast(Table, Payment.__table__)), rows)
