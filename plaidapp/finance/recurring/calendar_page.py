"""The calendar of recurring payments: this month and the next two."""

from dataclasses import dataclass
from functools import cached_property

from flask import render_template

from plaidapp import policy
from plaidapp.auth.access import person
from plaidapp.days import first_weekday, today
from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.recurring import paid

from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from . import months, occurrences
from .months import Month
from .recurring_pages import RecurringPayments, payments_of


@dataclass(frozen=True)
class CalendarPage:
    """`payments` is everything that the list shows too."""

    payments: RecurringPayments

    @cached_property
    def months(self) -> list[Month]:
        now = today()
        start = month_of(now)
        last = months_later(start, policy.CALENDAR_MONTHS - 1)
        found = occurrences.of_streams(
            self.payments.streams,
            paid.since(person().id, start),
            start,
            last_of_month(last),
            now,
        )
        return months.grids(found, now, policy.CALENDAR_MONTHS, first_weekday())


@blueprint.get("/recurring/calendar")
def recurring_calendar() -> str:
    return render_template(
        "finance/recurring/calendar.html", page=CalendarPage(payments_of(person().id))
    )


@polled.get("/recurring/calendar/live")
@unless_unchanged
def calendar_live() -> str:
    """The calendar, once anything changed since `revision`."""
    return render_template(
        "finance/recurring/_calendar_live.html", page=CalendarPage(payments_of(person().id))
    )
