"""The ranges of dates that have names, such as last month."""

from datetime import date
from typing import NamedTuple

from flask_babel import gettext as _

from plaidapp.days import long_day
from plaidapp.store.base.dates import days_later, last_of_month, month_of, months_later


class DateRange(NamedTuple):
    """Both days are included."""

    title: str
    start: date
    end: date

    @property
    def label(self) -> str:
        """Such as "October 1, 2026 to October 31, 2026"."""
        if self.start == self.end:
            return long_day(self.start)
        return _("%(start)s to %(end)s", start=long_day(self.start), end=long_day(self.end))

    def is_past_year(self, day: date) -> bool:
        """Whether it is a whole year that is over on this day."""
        year = self.start.year
        whole = (self.start, self.end) == (date(year, 1, 1), date(year, 12, 31))
        return whole and self.end < day


def named(day: date) -> list[DateRange]:
    """The ranges with names, as seen from this day."""
    month = month_of(day)
    quarter = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    year = date(day.year, 1, 1)
    return [
        DateRange(_("This month"), month, last_of_month(month)),
        DateRange(_("Last month"), months_later(month, -1), days_later(month, -1)),
        DateRange(_("Last 30 days"), days_later(day, -29), day),
        DateRange(_("This quarter"), quarter, days_later(months_later(quarter, 3), -1)),
        DateRange(_("Last quarter"), months_later(quarter, -3), days_later(quarter, -1)),
        DateRange(_("This year"), year, date(day.year, 12, 31)),
        DateRange(_("Last year"), date(day.year - 1, 1, 1), days_later(year, -1)),
    ]
