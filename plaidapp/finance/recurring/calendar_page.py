"""The calendar of recurring payments: this month and the next two."""

from typing import Any

from flask import render_template

from plaidapp import policy
from plaidapp.auth.access import person
from plaidapp.days import today
from plaidapp.store.base.dates import month_of

from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from . import months
from .recurring_pages import payments_of


@blueprint.get("/recurring/calendar")
def recurring_calendar() -> str:
    return render_template("finance/recurring/calendar.html", **_content())


@polled.get("/recurring/calendar/live")
@unless_unchanged
def calendar_live() -> str:
    """The calendar, once anything changed since `revision`."""
    return render_template("finance/recurring/_calendar_live.html", **_content())


def _content() -> dict[str, Any]:
    """The months, and everything that the list shows too."""
    user_id = person().id
    payments = payments_of(user_id)
    first = month_of(today())
    return {
        "payments": payments,
        "months": months.of_streams(payments.streams, user_id, first, policy.CALENDAR_MONTHS),
    }
