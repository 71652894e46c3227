"""Which recurring payments are expected in the next days, which are late, and what they come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from plaidapp.days import today
from plaidapp.store import Stream
from plaidapp.store.base.dates import last_of_month
from plaidapp.store.recurring import recurring_streams

from . import cover
from .cover import Cover
from .expected_days import expected


def is_cost(stream: Stream) -> bool:
    """Is its next payment one that somebody else gets?"""
    is_out = stream.direction == recurring_streams.OUT and stream.last_amount > 0
    return is_out and not stream.is_transfer


@dataclass(frozen=True)
class Upcoming:
    """Payments expected from `today` to `until`, and those expected earlier that have not come.

    A transfer is in `streams` once, on the side that the money leaves. `every` has both sides.
    """

    today: date
    until: date
    streams: Sequence[Stream]
    every: Sequence[Stream]

    @property
    def late(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_late(self.today)]

    @cached_property
    def days(self) -> list[tuple[date, list[Stream]]]:
        """Each day with its streams. A stream is listed on every day it is expected."""
        return self._days(self.streams, self.until)

    @property
    def turn(self) -> date | None:
        """The first listed day of a later month: `due` does not count from there on."""
        return next((day for day, _ in self.days if day > self.end_of_month), None)

    @property
    def mixed(self) -> bool:
        """Are there several currencies?"""
        return len({stream.currency for stream in self.streams}) > 1

    @cached_property
    def due(self) -> list[tuple[str | None, Decimal]]:
        """What the costs from today to the end of the month come to, in each currency.

        Transfers are no costs. Amounts are those of the last payments.
        """
        sums: dict[str | None, Decimal] = {}
        for _, stream in self.costs:
            sums[stream.currency] = sums.get(stream.currency, Decimal()) + stream.last_amount
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0] or ""))

    @property
    def costs(self) -> list[tuple[date, Stream]]:
        """The payments that `due` adds up, each with its day."""
        days = self._days(self.streams, self.end_of_month)
        return [(day, stream) for day, streams in days for stream in streams if is_cost(stream)]

    @property
    def due_by_account(self) -> list[tuple[Cover, Decimal]]:
        """What is available on each account, and what `due` has of it. The largest comes first."""
        sums: dict[int, Decimal] = {}
        for _, stream in self.costs:
            if stream.currency == stream.account.currency:
                number = stream.account_id
                sums[number] = sums.get(number, Decimal()) + stream.last_amount
        pairs = ((each, sums.get(each.account.id)) for each in self.covers)
        return sorted(((each, due) for each, due in pairs if due), key=lambda pair: -pair[1])

    @property
    def end_of_month(self) -> date:
        return last_of_month(self.today)

    @cached_property
    def covers(self) -> list[Cover]:
        """Whether each account covers what it has to pay until the end of the list and the month.

        The account that runs short first comes first.
        """
        found = cover.of_streams(self.every, self.today, max(self.until, self.end_of_month))
        return sorted(found, key=lambda each: each.day or date.max)

    def _days(self, streams: Iterable[Stream], end: date) -> list[tuple[date, list[Stream]]]:
        streams_of: dict[date, list[Stream]] = {}
        for stream in streams:
            for day in expected(stream, self.today, end):
                streams_of.setdefault(day, []).append(stream)
        return sorted(streams_of.items())


def of_user(user_id: int, days: int) -> Upcoming:
    """The payments expected today and in the `days` days after it."""
    return of_streams(recurring_streams.of_user(user_id), days)


def of_streams(streams: Iterable[Stream], days: int) -> Upcoming:
    """Only streams that go on."""
    every = [stream for stream in streams if not stream.is_over]
    shown = [
        stream
        for stream in every
        if stream.direction == recurring_streams.OUT or not stream.is_transfer
    ]
    start = today()
    return Upcoming(start, start + timedelta(days=days), shown, every)
