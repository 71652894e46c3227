"""Balances as lines that begin on any day."""

from datetime import timedelta

import pytest

from plaidapp.store.reports import balance_lines
from tests.store.reports.conftest import DAY, TODAY


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (5, [2, 2, 2, 5, 5, 7]),  # nothing is known before the first balance
        (4, [2, 2, 5, 5, 7]),
        (3, [2, 5, 5, 7]),
        (2, [5, 5, 7]),  # the line begins on the day of a balance
        (0, [7]),
    ],
)
def test_a_line_has_the_balance_of_each_day(owner, bank_update, clock, since, expected):
    for age, current in ((4, "2"), (2, "5"), (0, "7")):
        clock.day = TODAY - age * DAY
        ids = bank_update(c=current)
    start = TODAY - since * DAY
    line = balance_lines.lines(owner, start, TODAY)[ids["c"]]
    days = [start + timedelta(days=number) for number in range(since + 1)]
    assert line.at(days) == expected
    assert (line.known_from, line.source) == (TODAY - 4 * DAY, "bank")


def test_a_balance_of_a_zone_that_the_person_has_left_counts_for_today(owner, bank_update, clock):
    ids = bank_update(c="2")
    clock.day = TODAY + DAY
    bank_update(c="7")
    line = balance_lines.lines(owner, TODAY - DAY, TODAY)[ids["c"]]
    assert line.at([TODAY - DAY, TODAY]) == [2, 7]
    line = balance_lines.lines(owner, TODAY - DAY, TODAY + DAY)[ids["c"]]
    assert line.at([TODAY, TODAY + DAY]) == [2, 7]
