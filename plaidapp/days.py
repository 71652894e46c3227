"""Days and moments: what today is for the visitor, and how they read on a page.

Days and times are those of the person's time zone, and of UTC for a visitor who is not logged in.
They read as in the language of the page's texts. Dates from the bank stay as they are.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, dates, units
from babel.core import get_global
from flask import Flask, has_request_context
from flask_babel import gettext
from flask_login import current_user

from .formats import number
from .languages import current_locale, text_locale
from .store.base.types import now as moment_now
from .store.people import time_zones


def init_app(app: Flask) -> None:
    for of_days in (
        *(day, inline_day, on_day, coming_day, near_day, month_day),
        *(long_day, month, since, long_month, weekday, short_weekday),
    ):
        app.add_template_filter(of_days)
    for of_moments in (
        *(moment, inline_moment, since_moment, exact_moment, time_of_day, day_of),
        *(ago, duration, wait),
    ):
        app.add_template_filter(of_moments)


def zone() -> ZoneInfo:
    """The time zone of the person who is logged in; UTC if nobody is."""
    is_person = has_request_context() and current_user.is_authenticated
    return current_user.zone if is_person else time_zones.zone_of(time_zones.UTC)


def today() -> date:
    return time_zones.today_in(zone())


def day_of(value: datetime) -> date:
    """The person's day on which a moment is."""
    return value.astimezone(zone()).date()


@lru_cache(1024)
def _pattern(locale: Locale, skeleton: str) -> str:
    """The locale's format of a date with these parts."""
    closest = dates.match_skeleton(skeleton, locale.datetime_skeletons) or skeleton
    return str(locale.datetime_skeletons[closest])


def _date(value: date, skeleton: str) -> str:
    locale = text_locale()
    return dates.format_date(value, _pattern(locale, skeleton), locale)


def day(value: date, now: date | None = None) -> str:
    """Such as "Today", "Yesterday", "Friday", "November 20", "November 20, 2024"."""
    age = ((now or today()) - value).days
    if age == 0:
        return gettext("Today")
    if age == 1:
        return gettext("Yesterday")
    if 1 < age < 7:
        return dates.format_date(value, "EEEE", text_locale())
    return month_day(value, now)


def inline_day(value: date, now: date | None = None) -> str:
    """Such as "today", "yesterday", "tomorrow", "Friday", "November 20", for use within a
    sentence."""
    now = now or today()
    if value == now:
        return gettext("today")
    if value == now - timedelta(days=1):
        return gettext("yesterday")
    if value == now + timedelta(days=1):
        return gettext("tomorrow")
    return day(value, now)


def coming_day(value: date, now: date | None = None) -> str:
    """Such as "Today", "Tomorrow", "Friday, November 27". Another year is named."""
    now = now or today()
    if value == now:
        return gettext("Today")
    if (value - now).days == 1:
        return gettext("Tomorrow")
    # Babel has no such format with whole words, so the words of a short one are written out. In
    # Unicode's patterns, three letters E, c, M or L are a short name and four are the whole name.
    pattern = _pattern(text_locale(), "MMMEd" if value.year == now.year else "yMMMEd")
    written_out = re.sub("E+|c+|MMM|LLL", lambda found: found[0][0] * 4, pattern)
    return dates.format_date(value, written_out, text_locale())


def near_day(value: date, now: date | None = None) -> str:
    """Such as "Today", "Tomorrow", "Fri, Nov 27", where there is little room."""
    age = (value - (now or today())).days
    if age in (0, 1):
        return gettext("Tomorrow") if age else gettext("Today")
    return _date(value, "MMMEd")


def on_day(value: date, now: date | None = None) -> str:
    """Such as "today", "tomorrow", "on Friday", "on December 5", for use within a sentence."""
    now = now or today()
    ahead = (value - now).days
    if ahead in (0, 1):
        return gettext("tomorrow") if ahead else gettext("today")
    soon = 1 < ahead < 7
    named = dates.format_date(value, "EEEE", text_locale()) if soon else month_day(value, now)
    return gettext("on %(day)s", day=named)


def month_day(value: date, now: date | None = None) -> str:
    """Such as "November 27", for use within a sentence. Another year is named."""
    same_year = value.year == (now or today()).year
    return _date(value, "MMMMd") if same_year else long_day(value)


def long_day(value: date) -> str:
    """Such as "November 20, 2024"."""
    return dates.format_date(value, "long", text_locale())


def month(value: date) -> str:
    """Such as "November"."""
    return dates.format_date(value, "LLLL", text_locale())


def short_month(value: date, *, with_year: bool = False) -> str:
    """Such as "Nov", "Nov 2024", for charts."""
    if with_year:
        return _date(value, "yMMM")
    return dates.format_date(value, "LLL", text_locale())


def first_weekday() -> int:
    """The day on which a week begins where the visitor is. Monday is 0."""
    locale = current_locale()
    with_region = get_global("likely_subtags").get(str(locale), str(locale))
    return Locale.parse(with_region).first_week_day


def weekday(value: date) -> str:
    """Such as "Friday"."""
    return dates.format_date(value, "cccc", text_locale())


def short_weekday(value: date) -> str:
    """Such as "Fri", for the head of a calendar."""
    return dates.format_date(value, "ccc", text_locale())


def short_day(value: date, *, with_year: bool = False) -> str:
    """Such as "Nov 20", "Nov 20, 2024", for charts."""
    return _date(value, "yMMMd" if with_year else "MMMd")


def day_and_month(value: date) -> str:
    """Such as "today", "Nov 20", "Nov 20, 2024", for use within a short text."""
    now = today()
    return gettext("today") if value == now else short_day(value, with_year=value.year != now.year)


def since(value: date, now: date | None = None) -> str:
    """Such as "November", for use after "since". Another year is named."""
    if value.year == (now or today()).year:
        return dates.format_date(value, "MMMM", text_locale())
    return long_month(value)


def long_month(value: date) -> str:
    """Such as "November 2026"."""
    return _date(value, "yMMMM")


def moment(value: datetime) -> str:
    """Such as "Today at 2:05 PM", for use on its own."""
    return _at_time(value, day)


def inline_moment(value: datetime) -> str:
    """Such as "today at 2:05 PM", for use within a sentence."""
    return _at_time(value, inline_day)


def since_moment(value: datetime) -> str:
    """Such as "2:05 PM" and "Friday at 2:05 PM", for use after "since" and "as of"."""
    return _time(value) if day_of(value) == today() else inline_moment(value)


def exact_moment(value: datetime) -> str:
    """Such as "November 20, 2026 at 2:05:09 PM PST", for titles."""
    local, locale = value.astimezone(zone()), text_locale()
    return gettext(
        "%(day)s at %(time)s %(zone)s",
        day=long_day(local.date()),
        time=dates.format_time(local, "medium", local.tzinfo, locale),
        zone=dates.get_timezone_name(local, "short", locale=locale),
    )


def _at_time(value: datetime, name_day: Callable[[date], str]) -> str:
    return gettext("%(day)s at %(time)s", day=name_day(day_of(value)), time=_time(value))


def _time(value: datetime) -> str:
    """UTC is named: the person may live elsewhere and not have told us."""
    time = time_of_day(value)
    return gettext("%(time)s UTC", time=time) if zone().key == time_zones.UTC else time


def time_of_day(value: datetime) -> str:
    """Such as "2:05 PM", in the person's zone, which the sentence names."""
    local = value.astimezone(zone())
    return dates.format_time(local, "short", local.tzinfo, text_locale())


def ago(value: datetime, now: datetime | None = None) -> str:
    """Such as "2 minutes ago", "in 3 days". Put the exact moment in its title."""
    span = value - (now or moment_now())
    return dates.format_timedelta(span, add_direction=True, locale=text_locale())


def duration(span: timedelta) -> str:
    """Such as "0.4 sec", "75 sec", "12 min"."""
    seconds = span.total_seconds()
    unit = "second" if seconds < 120 else "minute"
    length = seconds if unit == "second" else seconds / 60
    rounded = round(length, 1) if length < 10 else round(length)
    return units.format_unit(
        number(rounded), f"duration-{unit}", length="short", locale=text_locale()
    )


def wait(span: timedelta) -> str:
    """Such as "30 seconds", "2 minutes", rounded up: nobody should try again too early."""
    seconds = math.ceil(span.total_seconds())
    whole = seconds if seconds <= 60 else math.ceil(seconds / 60) * 60
    return dates.format_timedelta(timedelta(seconds=whole), threshold=1, locale=text_locale())
