"""How long a pull waits before its next attempt, and how many attempts it has."""

from datetime import timedelta

import pytest

from plaidapp import policy


def seconds(number):
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("failures", "backoff"), [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (9, 60)]
)
def test_each_failure_doubles_the_wait_up_to_a_minute(failures, backoff):
    for _ in range(50):
        delay = policy.retry_delay(failures, [0.0])
        assert seconds(backoff * 0.75) <= delay <= seconds(backoff * 1.25)


def test_waits_differ_so_that_pulls_do_not_return_at_once():
    assert len({policy.retry_delay(3, [0.0]) for _ in range(20)}) > 1


def test_the_longest_wait_that_plaid_asks_for_counts():
    assert policy.retry_delay(1, [0.0, 90.0, 30.0]) == seconds(90)
    assert policy.retry_delay(6, [1.0, 0.5]) >= seconds(45)


def test_a_bank_that_prepares_is_asked_less_and_less_often():
    assert [policy.preparing_delay(attempt) for attempt in range(1, 9)] == [
        seconds(number) for number in (1, 2, 4, 8, 16, 30, 30, 30)
    ]


def test_a_person_learns_sooner_that_a_pull_fails():
    assert policy.max_failures(attended=True) == 3
    assert policy.max_failures(attended=False) == 10


def test_three_missed_heartbeats_do_not_cost_a_worker_its_pull():
    assert seconds(3 * policy.HEARTBEAT_INTERVAL) < policy.HEARTBEAT_LIMIT
