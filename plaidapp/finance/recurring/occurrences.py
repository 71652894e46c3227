"""Each payment of recurring streams in a span of days: the paid ones and the expected ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plaidapp.store import Stream
from plaidapp.store.recurring import recurring_streams
from plaidapp.store.recurring.paid import Paid

from .expected_days import expected
from .periods import following, period_of


@dataclass(frozen=True)
class Occurrence:
    """One payment: paid in the transaction `paid`, or expected. `period` names it in its series.

    `amount` has Plaid's sign: positive is money out. `is_late` says that it was expected before
    today and has not come.
    """

    stream: Stream
    day: date
    amount: Decimal
    period: str
    paid: Paid | None = None
    is_late: bool = False


def of_streams(
    streams: Iterable[Stream], paid: Mapping[int, Sequence[Paid]], start: date, end: date, now: date
) -> list[Occurrence]:
    """Return those from `start` to `end`, both included, ordered by day. `now` is today.

    Transfers are there once, on the side that the money leaves. Streams that the person says have
    ended, or are not recurring, are left out. Of those that have ended, what was paid remains.
    """
    shown = [
        stream
        for stream in streams
        if stream.choice is None
        and (stream.direction == recurring_streams.OUT or not stream.is_transfer)
    ]
    found = [each for stream in shown for each in _of(stream, paid.get(stream.id, ()), end, now)]
    return sorted(
        (each for each in found if start <= each.day <= end),
        key=lambda each: (each.day, each.stream.id, each.period),
    )


def _of(stream: Stream, paid: Iterable[Paid], end: date, now: date) -> Iterator[Occurrence]:
    taken = set[date]()
    for each in paid:
        if not recurring_streams.is_payment(stream.direction, each.amount):
            continue
        period = period_of(stream, each.day)
        also = f" {each.day} {each.transaction_id}" if period in taken else ""
        taken.add(period)
        yield Occurrence(stream, each.day, each.amount, f"{period}{also}", each)
    if stream.predicted_next_date is None or stream.is_over:
        return
    last = max(taken, default=date.min)
    last = max(last, period_of(stream, stream.last_date))
    for day in expected(stream, stream.predicted_next_date, end):
        last = max(following(stream, last), period_of(stream, day))
        is_late = day < now
        if not is_late or day == stream.predicted_next_date:
            yield Occurrence(stream, day, stream.last_amount, f"{last}", is_late=is_late)
