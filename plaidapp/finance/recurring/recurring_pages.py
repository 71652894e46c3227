"""The page of recurring payments: what comes next, what it costs a month, changes, what ended.

A month of the calendar stands beside the list; the address says which one. The whole calendar has
the same head. Transfers between a person's own accounts are listed but count in no total.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from flask import render_template, request, url_for
from flask_babel import lazy_gettext

from plaidapp import policy
from plaidapp.auth.access import person
from plaidapp.days import today
from plaidapp.store import Item, Stream
from plaidapp.store.connections import items
from plaidapp.store.recurring import recurring_streams

from ..base import asked
from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from . import months, upcoming
from .upcoming import Upcoming

DAYS_AHEAD = 30
RECENTLY = timedelta(days=92)
"""How long a change of the amount is pointed out."""
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
    return str(FREQUENCIES.get(stream.frequency, lazy_gettext("irregular")))


@blueprint.app_template_filter()
def changed_lately(stream: Stream) -> bool:
    return stream.changed_on is not None and stream.changed_on > today() - RECENTLY


def counts_monthly(stream: Stream) -> bool:
    """Does the stream count in what streams amount to in a month?"""
    is_payment = recurring_streams.is_payment(stream.direction, stream.last_amount)
    return is_payment and stream.frequency in TIMES_A_YEAR


def monthly_cost(streams: Iterable[Stream]) -> list[tuple[str | None, Decimal]]:
    """What the streams amount to in a month: one positive total per currency, the largest first.

    A stream counts with its last amount, times the payments of a year, divided by twelve. Streams
    of unknown frequency are left out, and those of which only a refund is known.
    """
    yearly_totals: dict[str | None, Decimal] = {}
    for stream in streams:
        if counts_monthly(stream):
            yearly = yearly_totals.get(stream.currency, Decimal())
            times = TIMES_A_YEAR[stream.frequency]
            yearly_totals[stream.currency] = yearly + abs(stream.last_amount) * times
    return sorted(
        ((currency, yearly / 12) for currency, yearly in yearly_totals.items()),
        key=lambda total: (-total[1], total[0] or ""),
    )


@dataclass(frozen=True)
class RecurringPayments:
    """Everything on the page. `silent` are the Items whose bank does not report streams."""

    items: Sequence[Item]
    streams: Sequence[Stream]
    silent: Sequence[Item]

    @property
    def upcoming(self) -> Upcoming:
        return upcoming.of_streams(self.streams, DAYS_AHEAD)

    @cached_property
    def bills(self) -> list[Stream]:
        return self._active(recurring_streams.OUT)

    @cached_property
    def income(self) -> list[Stream]:
        return self._active(recurring_streams.IN)

    @property
    def transfers(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_transfer and not stream.is_over]

    @property
    def over(self) -> list[Stream]:
        """Ended, as Plaid or the person says."""
        return [
            stream
            for stream in self.streams
            if stream.is_over and stream.choice != recurring_streams.NOT_RECURRING
        ]

    @property
    def not_recurring(self) -> list[Stream]:
        """What is not recurring, as the person says."""
        return [each for each in self.streams if each.choice == recurring_streams.NOT_RECURRING]

    @property
    def cost(self) -> list[tuple[str | None, Decimal]]:
        return monthly_cost(self.bills)

    @property
    def earned(self) -> list[tuple[str | None, Decimal]]:
        return monthly_cost(self.income)

    def _active(self, direction: str) -> list[Stream]:
        return [
            stream
            for stream in self.streams
            if stream.direction == direction and not stream.is_transfer and not stream.is_over
        ]


def payments_of(user_id: int) -> RecurringPayments:
    return RecurringPayments(
        items.of_user(user_id),
        recurring_streams.of_user(user_id),
        recurring_streams.refusing_items(user_id),
    )


@blueprint.get("/recurring", endpoint="recurring")
def page() -> str:
    return render_template("finance/recurring/recurring.html", **_content())


@polled.get("/recurring/live")
@unless_unchanged
def recurring_live() -> str:
    """The content of the page, once anything changed since `revision`."""
    return render_template("finance/recurring/_recurring_live.html", **_content())


def _content() -> dict[str, Any]:
    """The payments, the month beside the list, and those that it can be turned to."""
    user = person()
    known = months.coming(policy.CALENDAR_AHEAD)
    first = asked.month_among(known)
    place = known.index(first)
    payments = payments_of(user.id)
    (beside,) = months.of_streams(payments.streams, user.id, first, 1)
    return {
        "payments": payments,
        "beside": beside,
        "earlier": known[place - 1] if place else None,
        "later": known[place + 1] if place + 1 < len(known) else None,
        "live_url": url_for(
            "polled.recurring_live",
            month=request.args.get("month"),
            revision=user.ledger_version,
        ),
    }
