"""On which days the payments of a recurring stream are expected."""

from collections.abc import Iterator
from datetime import date, timedelta

from plaidapp.store import Stream
from plaidapp.store.base.dates import last_of_month, months_later
from plaidapp.store.recurring import recurring_streams

LONGEST_MONTH = 31  # days


def expected(stream: Stream, start: date, end: date) -> Iterator[date]:
    """The days from `start` to `end`, both included, on which the stream's payments are expected.

    Plaid predicts the next day. The days after it follow from the frequency.
    """
    first = stream.predicted_next_date
    if first is None or stream.is_late(start):
        return
    day, number = first, 0
    while day <= end:
        yield day
        number += 1
        following = _payment(stream, first, number)
        if following is None or following <= day:
            return
        day = following


def _payment(stream: Stream, first: date, number: int) -> date | None:
    """The day of the payment that is `number` payments after the predicted one."""
    if stream.frequency == recurring_streams.WEEKLY:
        return first + timedelta(days=7 * number)
    if stream.frequency == recurring_streams.BIWEEKLY:
        return first + timedelta(days=14 * number)
    if stream.frequency == recurring_streams.MONTHLY:
        # The month before a short one has more days and shows which day is meant.
        due = max(first, stream.last_date, key=lambda day: day.day) if _ends_month(first) else first
        return months_later(first, number, due.day)
    if stream.frequency == recurring_streams.SEMI_MONTHLY:
        # Two days of the month alternate: the predicted day and the day of the last payment. The
        # last day of a month stays the last day.
        months, odd = divmod(number, 2)
        day = stream.last_date if odd else first
        return months_later(day, months + odd, LONGEST_MONTH if _ends_month(day) else day.day)
    return None


def _ends_month(day: date) -> bool:
    return day == last_of_month(day)
