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
    """One payment: paid in the transaction `paid`, or expected. `series` and `period` name it.

    `amount` has Plaid's sign: positive is money out. `is_late` says that it was expected before
    today and has not come.
    """

    stream: Stream
    day: date
    amount: Decimal
    series: int
    period: str
    paid: Paid | None = None
    is_late: bool = False

    @property
    def counts(self) -> bool:
        """Does a sum count it? Transfers and refunds are neither costs nor income."""
        is_payment = recurring_streams.is_payment(self.stream.direction, self.amount)
        return is_payment and not self.stream.is_transfer


def of_streams(
    streams: Iterable[Stream], paid: Mapping[int, Sequence[Paid]], start: date, end: date, now: date
) -> list[Occurrence]:
    """Return those from `start` to `end`, both included, ordered by day. `now` is today.

    Transfers are there once, on the side that the money leaves. Streams that the person says are
    not recurring are left out. Of those that have ended, what was paid remains.
    """
    shown = [
        stream
        for stream in streams
        if stream.choice != recurring_streams.NOT_RECURRING
        and (stream.direction == recurring_streams.OUT or not stream.is_transfer)
    ]
    series = _series_of(shown)
    found = [
        each
        for stream in shown
        for each in _of(stream, series[stream.id], paid.get(stream.id, ()), end, now)
    ]
    return sorted(
        (each for each in found if start <= each.day <= end),
        key=lambda each: (each.day, each.stream.id, each.period),
    )


def _series_of(streams: Iterable[Stream]) -> dict[int, int]:
    """Return the series of each stream, by its id. The first stream of a series has it: if Plaid
    lists one again that another has gone on with, that one is a series of its own."""
    series: dict[int, int] = {}
    for stream in sorted(streams, key=lambda each: each.id):
        is_free = stream.series not in series.values()
        series[stream.id] = stream.series if is_free else stream.id
    return series


def _of(
    stream: Stream, series: int, paid: Iterable[Paid], end: date, now: date
) -> Iterator[Occurrence]:
    taken = set[date]()
    for each in paid:
        if not recurring_streams.is_payment(stream.direction, each.amount):
            continue
        period = period_of(stream, each.day)
        also = f" {each.day} {each.transaction_id}" if period in taken else ""
        taken.add(period)
        yield Occurrence(stream, each.day, each.amount, series, f"{period}{also}", each)
    if stream.predicted_next_date is None or stream.is_over:
        return
    last = max(taken, default=date.min)
    last = max(last, period_of(stream, stream.last_date))
    for day in expected(stream, stream.predicted_next_date, end):
        last = max(following(stream, last), period_of(stream, day))
        is_late = day < now
        if not is_late or day == stream.predicted_next_date:
            yield Occurrence(stream, day, stream.last_amount, series, f"{last}", is_late=is_late)
