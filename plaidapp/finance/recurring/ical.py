"""Recurring payments as an iCalendar, RFC 5545: an event of a whole day for each payment.

An event keeps its UID for good. It is made of the person, the series and the period of the payment
(periods.py). So when the bank moves the day or changes the amount, and when the payment is made,
the same event changes. SEQUENCE and LAST-MODIFIED grow each time.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from flask import url_for
from flask_babel import gettext
from icalendar import Calendar, Event

from plaidapp import policy
from plaidapp.formats import shown_title, signed_money
from plaidapp.store import CalendarFeed

from .occurrences import Occurrence

NAMESPACE = uuid.UUID("6f1c9d0e-3d0b-4d0c-9a55-1f6f2f2f9c11")
"""Of the UIDs (RFC 9562, version 5). Another one would make all events new ones."""
FIRST_SEQUENCE = datetime(2026, 1, 1, tzinfo=UTC)
"""SEQUENCE is the number of seconds since then: it grows, and fits into 31 bits until 2094."""


def written(
    payments: Iterable[Occurrence], owner: str, feed: CalendarFeed, site: str | None
) -> bytes:
    """`owner` is an id of the person, `site` the address that links begin with, if it is known."""
    calendar = Calendar()
    calendar.add("prodid", "-//plaidapp//Recurring payments//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    name = gettext("Recurring payments")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", policy.FEED_REFRESH, {"value": "DURATION"})
    calendar.add("x-published-ttl", policy.FEED_REFRESH)
    for payment in payments:
        calendar.add_component(_event(payment, owner, feed, site))
    text: bytes = calendar.to_ical()
    return text


def _event(payment: Occurrence, owner: str, feed: CalendarFeed, site: str | None) -> Event:
    stream = payment.stream
    modified = max(stream.revised_at or stream.updated_at, feed.changed_at).replace(microsecond=0)
    event = Event()
    key = f"{owner} {payment.series} {payment.period}"
    event.add("uid", f"{uuid.uuid5(NAMESPACE, key)}@plaidapp")
    event.add("dtstamp", modified)
    event.add("last-modified", modified)
    event.add("sequence", max(0, int((modified - FIRST_SEQUENCE).total_seconds())))
    event.add("dtstart", payment.day)
    event.add("dtend", payment.day + timedelta(days=1))
    event.add("summary", _summary(payment, has_amount=feed.has_amounts))
    event.add("description", gettext("Paid.") if payment.paid else gettext("Expected."))
    event.add("status", "CONFIRMED" if payment.paid else "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    if site:
        event.add("url", site + url_for("finance.recurring_stream", stream_id=stream.id))
    return event


def _summary(payment: Occurrence, *, has_amount: bool) -> str:
    title = shown_title(payment.stream)
    if not has_amount:
        return title
    return f"{title} {signed_money(payment.amount, payment.stream.currency)}"
