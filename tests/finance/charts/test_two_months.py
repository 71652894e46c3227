"""Two months as lines that grow from zero, and how one may go on as the other did."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from plaidapp.finance.charts.line import MARKS_APART
from plaidapp.finance.charts.stacked import NAMES_APART, Amount, Month, StackedBars
from plaidapp.finance.charts.two_months import TwoMonths


def chart(values, before, *, first=date(2020, 11, 1), days=30):
    before_first = date(first.year, first.month - 1, 1)
    amounts = [list(map(Decimal, each)) for each in (values, before)]
    return TwoMonths("Spent", "USD", first, days, amounts[0], before_first, amounts[1])


def test_a_month_goes_on_as_the_month_before_did():
    found = chart([10] * 20, [1] * 19 + [2] + [5] * 10 + [9])
    assert found.pace == [13] * 9 + [17], "October has a day more, which counts on the last"
    assert [mark.amount for mark in found.marks] == ["about 17", "10.00", "9.00"]
    assert found.pace_path.startswith("M1267 ")
    assert not found.is_whole
    assert chart([10] * 30, [1] * 31).pace_path == "", "the month is over"


def test_a_longer_month_has_nothing_to_come_after_the_days_of_a_shorter_one():
    march = chart([7] * 29, [1] * 27 + [3], first=date(2021, 3, 1), days=31)
    assert march.pace == [7, 7]
    assert [day.name for day in march.day_names] == ["1", "10", "20", "29"]


def test_the_lines_stand_on_zero_or_go_below_it():
    assert chart([5], [3]).zero == 1
    refunded = chart([-5, 4], [0, 0])
    assert 0 < refunded.zero < 1
    assert refunded.scale.bottom < -5
    nothing = chart([0], [0] * 31)
    assert (nothing.ticks, nothing.zero) == ([], 1)
    for path in (nothing.path, nothing.before_path, nothing.area, nothing.pace_path):
        assert "nan" not in path


def test_texts_beside_the_lines_stand_apart():
    found = chart([10] * 20, [10] * 31)
    places = [mark.text_at for mark in found.marks]
    assert all(b - a >= MARKS_APART - 1e-9 for a, b in pairwise(places))


def test_a_table_has_every_day_of_both_months():
    rows = chart([1, 2], [3] * 31).rows
    assert len(rows) == 31
    assert rows[1] == (2, date(2020, 11, 2), 2, date(2020, 10, 2), 3)
    assert rows[30] == (31, None, None, date(2020, 10, 31), 3)


def bars(*months, average=None):
    columns = [
        Month(date(2020, number, 1), [Amount(Decimal(each), "/") for each in month])
        for number, month in enumerate(months, 1)
    ]
    names = [f"part {number}" for number in range(len(months[0]))]
    return StackedBars("Spending", "USD", names, columns, average)


def test_parts_stand_on_one_another_and_refunds_have_no_bar():
    found = bars((10, 30), (-5, 20), (0, 0))
    first, second, empty = found.columns
    assert [(part.bar.y, part.bar.height) for part in first.parts] == [(0.75, 0.25), (0, 0.75)]
    assert [(part.number, part.bar.height) for part in second.parts] == [(1, 0.5)]
    assert empty.parts == []
    assert first.parts[1].text == "part 1, January 2020: $30.00"


def test_the_average_is_on_the_scale_and_names_stand_apart():
    found = bars((1,) * 6, average=Decimal(12))
    assert found.average_at == 0
    assert bars((1, 1)).average_at is None
    places = [at for at, *_ in found.direct_names]
    assert all(b - a >= NAMES_APART - 1e-9 for a, b in pairwise(places))
    assert places == pytest.approx(sorted(places))
