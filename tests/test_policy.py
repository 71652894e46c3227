"""docs/policy.md lists every number of plaidapp/policy and server/limits.py with its value."""

import random
import re
from datetime import timedelta
from pathlib import Path

import pytest

from plaidapp import policy
from plaidapp.finance.pulls import long_poll
from server import limits

PAGE = (Path(__file__).parent.parent / "docs/policy.md").read_text()
ROWS = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
NUMBERS = {name: value for name, value in (vars(policy) | vars(limits)).items() if name.isupper()}
UNITS = {"s": 1, "min": 60, "h": 3600, "KB": 1024, "MB": 1024**2}


def written(text):
    """The page's number, in seconds or bytes if it has a unit."""
    number, _, unit = text.partition(" ")
    return float(number) * UNITS.get(unit, 1)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_on_the_page(name):
    value = NUMBERS[name]
    seconds = value.total_seconds() if isinstance(value, timedelta) else value

    assert written(ROWS[name]) == seconds


def test_the_page_has_no_number_that_is_gone():
    assert ROWS.keys() == NUMBERS.keys()


def test_waits_double_until_the_longest(monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)

    waits = [policy.retry_delay(failures, [0.0]).total_seconds() for failures in range(1, 9)]

    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_plaids_own_wait_counts_if_it_is_longer():
    assert policy.retry_delay(1, [0.0, 300.0]) == timedelta(seconds=300)


def test_chance_makes_a_wait_a_quarter_shorter_or_longer():
    waits = [policy.retry_delay(3, [0.0]).total_seconds() for _ in range(200)]

    assert 6 <= min(waits) < 8 < max(waits) <= 10


def test_a_bank_that_prepares_is_asked_less_and_less_often():
    asked = [0.0]
    while asked[-1] < 3 * 86_400:
        waited = timedelta(seconds=asked[-1])
        asked.append(asked[-1] + policy.preparing_delay(waited).total_seconds())

    assert asked[:8] == [0, 1, 2, 4, 8, 16, 32, 64]
    assert sum(60 <= moment < 120 for moment in asked) <= 2
    assert asked[12:] == [2048, 4096, 4096 + 86_400, 4096 + 2 * 86_400, 4096 + 3 * 86_400]


def test_there_are_threads_left_for_pages():
    assert long_poll.PLACES + policy.KEY_WAITERS <= policy.THREADS - 4


def test_wrong_log_ins_bring_delays_that_double_up_to_an_hour():
    delays = [policy.guess_delay(excess).total_seconds() for excess in range(-5, 11)]

    assert delays == [0] * 6 + [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_35_guesses_fit_into_a_day():
    tried, moment = 0, timedelta()
    while moment < timedelta(days=1):
        tried += 1
        moment += policy.guess_delay(tried - policy.FREE_GUESSES)

    assert tried == 35
