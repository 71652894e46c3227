"""Arithmetic with days and months, in Python and in SQL."""

from datetime import date

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.base.dates import (
    days_later,
    last_of_month,
    month_from_sql,
    month_of,
    month_runs,
    month_sql,
    months_later,
)

JANUARY, FEBRUARY, MARCH, MAY = (date(2026, month, 1) for month in (1, 2, 3, 5))


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2026, 2, 28), 1, date(2026, 3, 1)),
        (date(2026, 3, 1), -1, date(2026, 2, 28)),
        (date.max, 1, date.max),
        (date.min, -1, date.min),
    ],
)
def test_days_later_stays_within_the_dates_that_exist(day, days, expected):
    assert days_later(day, days) == expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 1), 1, date(2026, 2, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 11, 30), 14, date(2028, 1, 30)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
        (date(9999, 12, 5), 1, date.max),
        (date(1, 1, 5), -1, date.min),
    ],
)
def test_months_later_keeps_the_day_where_the_month_has_it(day, months, expected):
    assert months_later(day, months) == expected


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 2, 14), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2024, 2, 1), date(2024, 2, 1), date(2024, 2, 29)),
        (date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_month_has_a_first_and_a_last_day(day, first, last):
    assert (month_of(day), last_of_month(day)) == (first, last)


def test_consecutive_months_of_an_account_become_one_run():
    months = [(2, FEBRUARY), (1, MARCH), (1, JANUARY), (1, FEBRUARY), (1, MAY)]
    assert list(month_runs(months)) == [
        (1, JANUARY, date(2026, 3, 31)),
        (1, MAY, date(2026, 5, 31)),
        (2, FEBRUARY, date(2026, 2, 28)),
    ]
    assert list(month_runs([])) == []


def test_the_last_month_of_one_account_does_not_join_the_first_of_the_next():
    assert list(month_runs([(1, JANUARY), (2, FEBRUARY)])) == [
        (1, JANUARY, date(2026, 1, 31)),
        (2, FEBRUARY, date(2026, 2, 28)),
    ]


def test_sql_agrees_with_python(item, save, transaction):
    day = date(2026, 3, 1)
    save(item, transaction("t", day))
    assert month_from_sql(db.session.scalar(select(month_sql(Transaction.date)))) == month_of(day)
