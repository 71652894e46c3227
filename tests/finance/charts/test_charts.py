"""The scales of charts, the names beside them, and what is drawn."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from plaidapp.finance.charts import scale
from plaidapp.finance.charts.bars import BarChart, Month
from plaidapp.finance.charts.line import MARKS_APART, LineChart
from plaidapp.finance.charts.sparkline import Sparkline
from plaidapp.finance.charts.time_axis import TimeAxis
from plaidapp.store.base.dates import months_later

FIRST = date(2020, 11, 1)


def line(*values, exact_from=date.min, currency="USD"):
    days = [FIRST + timedelta(days=number) for number in range(len(values))]
    amounts = [Decimal(str(value)) for value in values]
    return LineChart("Balance", currency, days, amounts, exact_from)


def marks(chart):
    return [f"{mark.amount} {mark.note}".strip() for mark in chart.marks]


def test_a_small_movement_looks_small_and_is_not_filled():
    small = line("54711.32", "54720.9")
    assert small.scale.top - small.scale.bottom > 5471
    assert (small.area, small.zero) == ("", None)
    assert marks(small) == ["54,720.90 highest, Nov 2, 2020", "54,711.32 lowest, Nov 1, 2020"]
    debt = line(-1000, -990, -995)
    assert (debt.area, debt.zero) == ("", None)


def test_a_line_is_filled_down_or_up_to_zero_if_zero_is_near():
    above = line(10, 1000, 500)
    assert (above.scale.bottom, above.zero) == (0, 1)
    assert above.area.endswith("V1000H0z")
    below = line(-10, -1000, -500)
    assert (below.scale.top, below.zero) == (0, 0)
    assert below.area.endswith("V0H0z")
    across = line(-500, 1000, 0)
    assert across.scale.bottom < -500
    assert marks(across)[2] == "0.00"
    assert across.area.endswith(f"V{round(across.zero * 1000)}H0z")


def test_a_flat_line_has_one_name_and_nothing_at_all_has_a_scale():
    assert marks(line(7, 7)) == ["7.00"]
    assert line(0, 0).scale.top > 0
    assert marks(line(0)) == ["0.00"]


def test_texts_that_would_cover_each_other_are_moved_apart():
    near = line(100, 99, 100)
    high, low = near.marks
    assert low.text_at - high.text_at == pytest.approx(MARKS_APART)
    assert low.at - high.at < MARKS_APART
    assert len(line(-1, 1000).marks) == 2, "zero has no room"


def test_the_last_of_several_days_is_the_one_of_the_highest_value():
    assert marks(line(5, 9, 9, 5, 5))[0] == "9.00 highest, Nov 3, 2020"


def test_a_balance_stays_until_it_changes():
    assert line(0, 0, 10).path == "M0 1000h2000v-909H2000"


def test_a_line_of_weeks_goes_straight_from_one_to_the_next():
    weeks = [FIRST + timedelta(weeks=number) for number in range(3)]
    chart = LineChart("Balance", "USD", weeks, [Decimal(0), Decimal(10), Decimal(0)])
    assert chart.path == "M0 1000L1000 91L2000 1000"
    assert marks(chart) == ["10.00 Nov 8, 2020", "0.00 Nov 15, 2020"], "others may be higher"


def test_what_is_estimated_is_drawn_apart():
    chart = line(1, 2, 3, 4, 5, exact_from=FIRST + timedelta(days=2))
    assert (chart.estimated, chart.estimated_path[:2], chart.path[:5]) == (2, "M0", "M1000")


@pytest.mark.parametrize("exact_from", [date.min, FIRST + timedelta(days=4), date.max])
def test_one_line_if_nothing_sets_its_parts_apart(exact_from):
    chart = line(1, 2, 3, 4, 5, exact_from=exact_from)
    assert (chart.estimated_path, chart.path[:2]) == ("", "M0")


def test_points_are_exact_in_any_currency():
    amount = "123456789012.12345678"
    points = line(amount, "0.1", currency="BTC").points
    assert points["values"] == [amount, "0.1"]
    assert marks(line(amount, "0.1", currency="BTC"))[0].startswith("123,456,789,012.12345678 ")


def test_a_lone_day_is_a_dot_at_the_end():
    chart = line(12)
    assert (chart.end, chart.path) == (pytest.approx((1.0, 0.5)), "M2000 500H2000")


def test_a_line_is_told_in_a_sentence():
    assert line(12, -3, 5).summary == (
        "Balance: $5.00 on November 3, 2020; "
        "highest, Nov 1, 2020: 12.00; lowest, Nov 2, 2020: −3.00"
    )


def test_four_hundred_points_are_a_few_kilobytes():
    chart = line(*(day * 7919 % 1000 for day in range(400)))
    assert len(chart.path) < 5000
    assert re.fullmatch(r"M\d+ \d+(h\d+v-?\d+)*H2000", chart.path)


def ticks(first, last):
    return [tick.name for tick in TimeAxis(first, last).ticks]


def test_the_names_below_a_line_are_the_calendars_and_have_years():
    assert ticks(date(2026, 11, 1), date(2026, 11, 30)) == [
        *("Nov 2", "Nov 9", "Nov 16", "Nov 23", "Nov 30"),
    ]
    half = ticks(date(2026, 7, 15), date(2027, 1, 15))
    assert half == ["Aug", "Sep", "Oct", "Nov", "Dec", "2027"]
    years = ticks(date(2024, 2, 3), date(2026, 11, 25))
    assert (years[0], "2025" in years, "2026" in years) == ("Apr 2024", True, True)
    assert all(len(name) == 4 for name in ticks(date(2001, 3, 1), date(2026, 11, 25)))
    assert ticks(date(2026, 11, 3), date(2026, 11, 4)) == ["Nov 3", "Nov 4"]
    assert ticks(date(2026, 11, 3), date(2026, 11, 3)) == ["Nov 3"]


@pytest.mark.parametrize("first", [date.min, date(1, 1, 2), date(1900, 5, 5), date(9998, 2, 1)])
@pytest.mark.parametrize("days", [0, 1, 5, 20, 61, 62, 63, 300, 333])
def test_any_line_has_a_few_names_on_its_days(first, days):
    found = TimeAxis(first, first + timedelta(days=days)).ticks
    assert len(found) < 15
    assert all(0 <= tick.at <= 1 for tick in found)
    assert days < 31 or found


def test_all_days_that_python_has_are_a_line():
    assert 1 < len(TimeAxis(date.min, date.max).ticks) < 15


def bars(*sums, count=2, currency="USD"):
    months = [
        Month(months_later(date(2026, 11, 1), index - len(sums) + 1), [Decimal(amount)] * count, {})
        for index, amount in enumerate(sums)
    ]
    return BarChart("Cash flow", currency, ("in", "out")[:count], months)


def test_bars_stand_on_zero_in_the_middle_of_their_month():
    chart = bars(0, 1, 2, 3, 4, 5)
    assert [column.name for column in chart.columns] == ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    assert chart.columns[-1].text == "November 2026: in $5.00, out $5.00"
    for column in chart.columns:
        left, right = column.bars
        assert left.y + left.height == right.y + right.height == 1
        assert right.x + right.width - column.x == pytest.approx(chart.column_width * 0.88)
        assert left.x + right.x + right.width == pytest.approx(2 * column.middle)
    assert [column.bars[0].height for column in chart.columns][::5] == [0, 1]


def test_a_year_of_bars_has_every_second_name_on_a_phone():
    months = bars(*range(12)).columns
    assert [column.name for column in months if not column.is_minor] == [
        *("Jan 2026", "Mar", "May", "Jul", "Sep", "Nov"),
    ]
    assert months[0].name == "Dec"


@pytest.mark.parametrize(
    ("amounts", "beside"),
    [
        ([4380], ["2,000", "4,000"]),
        ([0], []),
        (["0.0003"], ["0.0001", "0.0002", "0.0003"]),
        ([60_000_000_000], ["20B", "40B", "60B"]),
        ([1], ["0.50", "1.00"]),
    ],
)
def test_round_amounts_are_beside_the_bars(amounts, beside):
    currency = "BTC" if amounts == ["0.0003"] else "USD"
    assert [text for _, text in bars(*amounts, currency=currency).ticks] == beside


def test_round_amounts_are_few_whatever_the_scale():
    for exponent in range(-8, 28):
        for digits in (1, 15, 24, 25, 26, 39, 51, 74, 99):
            top = Decimal(digits).scaleb(exponent)
            assert len(scale.ticks(scale.of_bars([top]))) in (1, 2, 3), top


def test_a_sparkline_begins_with_its_history():
    values = [Decimal(value) for value in (9, 9, 9, 10, 20)]
    assert Sparkline(values, unknown=3).path == "M1500 1000L2000 0"
    assert (Sparkline(values, unknown=5).path, Sparkline(values, unknown=5).end) == ("", 0.5)
    assert Sparkline([Decimal(100), Decimal(101)]).path == "M0 550L2000 450", "small stays small"
