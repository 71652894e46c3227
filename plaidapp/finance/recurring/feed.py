"""The private address from which calendar programs read the recurring payments, as iCalendar.

It needs no log-in: the token in it opens it (plaidapp/auth/calendar_address.py). An unchanged
calendar is answered 304 from one query.
"""

import hashlib

from flask import Blueprint, Response, abort, current_app, request
from flask_babel import get_locale

from plaidapp import policy
from plaidapp.auth import calendar_readers
from plaidapp.store.base.dates import days_later
from plaidapp.store.people import time_zones
from plaidapp.store.people.calendar_feeds import Read
from plaidapp.store.recurring import paid, recurring_streams

from . import ical, occurrences

blueprint = Blueprint("calendar", __name__, url_prefix="/finance")
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Disposition": "inline; filename=plaidapp.ics",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


@blueprint.get("/calendar/<token>.ics")
def feed(token: str) -> Response:
    read = calendar_readers.find(token)
    if read is None:
        abort(404)
    version = _version_of(read)
    if request.if_none_match.contains(version):
        answer = Response(status=304)
    elif seconds := calendar_readers.wait(read):
        return Response(status=429, headers={"Retry-After": str(seconds)})
    else:
        answer = Response(_written(read), content_type="text/calendar; charset=utf-8")
    answer.headers.update(HEADERS)
    answer.set_etag(version)
    return answer


def _version_of(read: Read) -> str:
    """Changes with all that the calendar shows, and every day."""
    feed, user = read
    parts = (feed.token_hash, feed.changed_at, user.ledger_version, get_locale())
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:32]


def _written(read: Read) -> bytes:
    feed, user = read
    now = time_zones.today_in(user.zone)
    start = days_later(now, -policy.FEED_PAST.days)
    end = days_later(now, policy.FEED_AHEAD.days)
    found = occurrences.of_streams(
        recurring_streams.of_user(user.id), paid.since(user.id, start), start, end, now
    )
    return ical.written(found, user.opaque_id or str(user.id), feed, _site())


def _site() -> str | None:
    """The address of this site for links; None if only the reader's request names one."""
    site: str | None = current_app.config["PLAIDAPP"].public_url
    return site
