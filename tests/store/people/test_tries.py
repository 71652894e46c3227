"""The counts of tries in the database. tests/auth/test_throttle.py compares them with Redis's."""

from datetime import timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Tries
from plaidapp.store.people import tries
from plaidapp.store.people.tries import Limit

HOUR = timedelta(hours=1)


@pytest.fixture
def tried(context):
    """`tried(limit)` counts a try. Returns whether it was counted, and the wait in seconds."""

    def count(*limits):
        verdict = tries.count(limits)
        db.session.commit()
        return verdict.counted, round(verdict.wait.total_seconds())

    return count


def test_one_blocked_limit_refuses_the_try_and_no_other_counts_it(tried, set_clock):
    set_clock("2026-11-26T12:00Z")
    strict, generous = Limit("strict", 0, HOUR, True), Limit("generous", 1, HOUR, True)
    assert tried(strict, generous) == (True, 30)

    for _ in range(3):
        assert tried(generous, strict) == (False, 30)
    assert tried(generous) == (True, 30), "its second try"


def test_a_try_is_taken_back_with_its_delay(tried, set_clock):
    set_clock("2026-11-26T12:00Z")
    limit = Limit("address", 1, HOUR, False)
    tried(limit)
    assert tried(limit) == (True, 30)

    tries.take_back(limit.key)
    assert tried(limit) == (True, 30)
    for _ in range(5):
        tries.take_back(limit.key)
    tries.take_back("another")
    assert tried(limit) == (True, 0)


def test_the_clock_deletes_counts_that_have_ended(tried, set_clock):
    set_clock("2026-11-26T12:00Z")
    tried(Limit("ends", 5, HOUR, True))
    set_clock("2026-11-26T12:30Z")
    tried(Limit("goes on", 5, HOUR, True))

    set_clock("2026-11-26T13:00Z")
    clock.clean_up()

    assert db.session.scalars(db.select(Tries.key)).all() == ["goes on"]
