"""Arithmetic with days and months, in Python and in SQL.

Results stay within the dates that Python has: from year 1 to year 9999.
"""

import calendar
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, String, cast, func

AccountMonth = tuple[int, date]
"""An account's id and the first day of a month."""


def days_later(day: date, days: int) -> date:
    """Return the day `days` later, or earlier when negative."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def months_later(day: date, months: int, due: int | None = None) -> date:
    """Return the same day of the month `months` later, or earlier when negative.

    In a shorter month this is the month's last day. `due` is the day of the month if `day` comes
    before it because its own month is short: 31 for what was due on January 31 and on February 28.
    """
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if months > 0 else date.min
    longest = calendar.monthrange(year, index + 1)[1]
    return date(year, index + 1, min(due or day.day, longest))


def month_of(day: date) -> date:
    """Return the first day of the month that `day` is in."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """Return the last day of the month that `day` is in."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def month_runs(months: Iterable[AccountMonth]) -> Iterator[tuple[int, date, date]]:
    """Join an account's consecutive months. Yields account, first day and last day."""
    run: tuple[int, date, date] | None = None
    for account_id, month in sorted(months):
        if run and (account_id, month) != (run[0], days_later(run[2], 1)):
            yield run
            run = None
        run = (account_id, run[1] if run else month, last_of_month(month))
    if run:
        yield run


def month_sql(day: SQLColumnExpression[date]) -> ColumnElement[str]:
    """In SQL, return the month of `day` as text, such as "2026-11"."""
    return func.substr(cast(day, String), 1, 7)


def month_from_sql(text: str) -> date:
    """Return the first day of a month that `month_sql` gave."""
    return date.fromisoformat(f"{text}-01")
