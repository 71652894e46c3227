"""What recurs: what comes next, what it costs a month, what has changed, what is over.

Money that moves between a person's own accounts is listed, and counted in no total.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from flask import render_template
from flask_babel import lazy_gettext

from plaidapp.auth.access import person
from plaidapp.store import Item, Stream
from plaidapp.store.base.dates import months_later
from plaidapp.store.connections import items
from plaidapp.store.recurring import recurring_streams

from ..blueprint import blueprint, polled
from ..forms import today as utc_today
from ..polls import unless_ledger_is

DAYS_AHEAD = 30
RECENTLY = timedelta(days=92)
"""How long an amount that changed is marked."""
TIMES_A_YEAR = {
    recurring_streams.WEEKLY: 52,
    recurring_streams.BIWEEKLY: 26,
    recurring_streams.SEMI_MONTHLY: 24,
    recurring_streams.MONTHLY: 12,
    recurring_streams.ANNUALLY: 1,
}
FREQUENCIES = {
    recurring_streams.WEEKLY: lazy_gettext("every week"),
    recurring_streams.BIWEEKLY: lazy_gettext("every two weeks"),
    recurring_streams.SEMI_MONTHLY: lazy_gettext("twice a month"),
    recurring_streams.MONTHLY: lazy_gettext("every month"),
    recurring_streams.ANNUALLY: lazy_gettext("every year"),
}


@blueprint.app_template_filter()
def how_often(stream: Stream) -> str:
    return str(FREQUENCIES.get(stream.frequency, lazy_gettext("now and then")))


@blueprint.app_template_filter()
def changed_lately(stream: Stream) -> bool:
    return stream.changed_on is not None and stream.changed_on > utc_today() - RECENTLY


@dataclass(frozen=True)
class Upcoming:
    """What is expected from `today` to `until`, and what was expected before and has not come."""

    today: date
    until: date
    streams: Sequence[Stream]

    @property
    def late(self) -> list[Stream]:
        return [stream for stream in self.streams if is_late(stream, self.today)]

    @cached_property
    def days(self) -> list[tuple[date, list[Stream]]]:
        """A stream stands on each of its days."""
        coming: dict[date, list[Stream]] = {}
        for stream in self.streams:
            for day in expected(stream, self.today, self.until):
                coming.setdefault(day, []).append(stream)
        return sorted(coming.items())


def upcoming(user_id: int, days: int = DAYS_AHEAD) -> Upcoming:
    """For `finance/recurring/_upcoming.html`, the panel."""
    return _upcoming(recurring_streams.of_user(user_id), days)


def _upcoming(streams: Iterable[Stream], days: int) -> Upcoming:
    """Of a transfer only the side that the money leaves: the other is the same money."""
    shown = [
        stream
        for stream in streams
        if not stream.is_over
        and (stream.direction == recurring_streams.OUT or not stream.is_transfer)
    ]
    return Upcoming(utc_today(), utc_today() + timedelta(days=days), shown)


def is_late(stream: Stream, today: date) -> bool:
    """Expected on a day that has passed."""
    return stream.predicted_next_date is not None and stream.predicted_next_date < today


def expected(stream: Stream, start: date, end: date) -> Iterator[date]:
    """The days from `start` to `end`, both included, on which the stream's payments should come.

    Plaid predicts the next; those after it follow from the frequency.
    """
    day = stream.predicted_next_date
    if day is None or is_late(stream, start):
        return
    ahead = 0
    while day <= end:
        yield day
        ahead += 1
        following = _after(stream, stream.predicted_next_date or day, ahead)
        if following is None or following <= day:
            return
        day = following


def _after(stream: Stream, first: date, ahead: int) -> date | None:
    """The `ahead`th payment after the predicted one."""
    if stream.frequency == recurring_streams.WEEKLY:
        return first + timedelta(days=7 * ahead)
    if stream.frequency == recurring_streams.BIWEEKLY:
        return first + timedelta(days=14 * ahead)
    if stream.frequency == recurring_streams.MONTHLY:
        return months_later(first, ahead)
    if stream.frequency == recurring_streams.SEMI_MONTHLY:
        # Two days of the month take turns: the predicted one, and that of the last payment.
        months, odd = divmod(ahead, 2)
        return months_later(stream.last_date if odd else first, months + odd)
    return None


def a_month(streams: Iterable[Stream]) -> list[tuple[str | None, Decimal]]:
    """What the streams come to in a month, a total for each currency, the largest first.

    Each counts with its last amount times how often it comes in a year, a twelfth of that; what
    comes at no known frequency is left out.
    """
    totals: dict[str | None, Decimal] = {}
    for stream in streams:
        times = TIMES_A_YEAR.get(stream.frequency, 0)
        if times:
            yearly = totals.get(stream.currency, Decimal()) + abs(stream.last_amount) * times
            totals[stream.currency] = yearly
    return sorted(
        ((currency, yearly / 12) for currency, yearly in totals.items()),
        key=lambda total: (-total[1], total[0] or ""),
    )


@dataclass(frozen=True)
class Overview:
    """Everything on the page. `silent` are the Items whose bank does not say what recurs."""

    items: Sequence[Item]
    streams: Sequence[Stream]
    silent: Sequence[Item]

    @property
    def upcoming(self) -> Upcoming:
        return _upcoming(self.streams, DAYS_AHEAD)

    @cached_property
    def bills(self) -> list[Stream]:
        return self._going_on(recurring_streams.OUT)

    @cached_property
    def income(self) -> list[Stream]:
        return self._going_on(recurring_streams.IN)

    @property
    def transfers(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_transfer and not stream.is_over]

    @property
    def over(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_over]

    @property
    def cost(self) -> list[tuple[str | None, Decimal]]:
        return a_month(self.bills)

    @property
    def earned(self) -> list[tuple[str | None, Decimal]]:
        return a_month(self.income)

    def _going_on(self, direction: str) -> list[Stream]:
        return [
            stream
            for stream in self.streams
            if stream.direction == direction and not stream.is_transfer and not stream.is_over
        ]


def overview_of(user_id: int) -> Overview:
    return Overview(
        items.of_user(user_id),
        recurring_streams.of_user(user_id),
        recurring_streams.refusing_items(user_id),
    )


@blueprint.get("/recurring", endpoint="recurring")
def page() -> str:
    return render_template("finance/recurring/recurring.html", overview=overview_of(person().id))


@polled.get("/recurring/live")
@unless_ledger_is
def recurring_live() -> str:
    """As `live`, for this page."""
    return render_template(
        "finance/recurring/_recurring_live.html", overview=overview_of(person().id)
    )
