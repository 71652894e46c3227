"""Which period of a recurring payment a day belongs to: what a calendar knows the payment by.

Banks move days: what is due on the 1st may come on the 31st before it, and Plaid's prediction moves
too. So each period of a series has a day of its own, and a payment belongs to the one whose day is
nearest: to the same one while it is expected, when its day or amount moves, and once it is paid.
The days are counted from the series' anchor, which is stored once and stays:

- every week, every two weeks: every 7 or 14 days from the anchor
- every month, every year: the anchor's day of the month, or the last day of a shorter one
- twice a month: that day, and 15 days later
- irregular: each day is a period

No two payments share a period. A second payment in one is named by its own day as well. An expected
payment whose period is paid already belongs to the next one. A stream that Plaid replaces by
another one keeps its series and its anchor (store/recurring/stream_series.py). If the bank's
frequency changes, the periods do too.
"""

from datetime import date

from plaidapp.store import Stream
from plaidapp.store.base.dates import days_later, months_later
from plaidapp.store.recurring import recurring_streams as streams

HALF = 15  # days of a month
DAYS = {
    streams.WEEKLY: 7,
    streams.BIWEEKLY: 14,
    streams.SEMI_MONTHLY: HALF,
    streams.MONTHLY: 30,
    streams.ANNUALLY: 365,
}
"""How long a period is, roughly."""


def period_of(stream: Stream, day: date) -> date:
    """Return the day of the period that `day` belongs to."""
    anchor = stream.anchor or stream.first_date
    if stream.frequency in (streams.WEEKLY, streams.BIWEEKLY):
        length = DAYS[stream.frequency]
        return days_later(anchor, round((day - anchor).days / length) * length)
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    around = [months_later(anchor, number) for number in range(months - 1, months + 2)]
    if stream.frequency == streams.SEMI_MONTHLY:
        around += [days_later(each, HALF) for each in around]
    elif stream.frequency == streams.ANNUALLY:
        years = day.year - anchor.year
        around = [months_later(anchor, 12 * number) for number in range(years - 1, years + 2)]
    elif stream.frequency != streams.MONTHLY:
        return day
    return min(around, key=lambda each: (abs(each - day), each))


def following(stream: Stream, period: date) -> date:
    """Return the day of the period after this one: the nearest to as many days later."""
    return period_of(stream, days_later(period, DAYS.get(stream.frequency, 1)))
