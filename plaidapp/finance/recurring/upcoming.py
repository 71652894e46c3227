"""Which recurring payments are expected in the next days, and which are late."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from plaidapp.days import today
from plaidapp.store import Stream
from plaidapp.store.base.dates import last_of_month, months_later
from plaidapp.store.recurring import recurring_streams

LONGEST_MONTH = 31  # days


@dataclass(frozen=True)
class Upcoming:
    """Payments expected from `today` to `until`, and those expected earlier that have not come."""

    today: date
    until: date
    streams: Sequence[Stream]

    @property
    def late(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_late(self.today)]

    @cached_property
    def days(self) -> list[tuple[date, list[Stream]]]:
        """Each day with its streams. A stream is listed on every day it is expected."""
        streams_of: dict[date, list[Stream]] = {}
        for stream in self.streams:
            for day in expected(stream, self.today, self.until):
                streams_of.setdefault(day, []).append(stream)
        return sorted(streams_of.items())


def of_user(user_id: int, days: int) -> Upcoming:
    """The payments expected today and in the `days` days after it."""
    return of_streams(recurring_streams.of_user(user_id), days)


def of_streams(streams: Iterable[Stream], days: int) -> Upcoming:
    """Only streams that go on. A transfer counts once, on the side that the money leaves."""
    shown = [
        stream
        for stream in streams
        if not stream.is_over
        and (stream.direction == recurring_streams.OUT or not stream.is_transfer)
    ]
    start = today()
    return Upcoming(start, start + timedelta(days=days), shown)


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
