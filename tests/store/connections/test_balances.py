"""Under which day a balance is stored."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Balance
from plaidapp.store.connections import accounts, balances
from plaidapp.store.people import preferences, users

TOKYO, CALIFORNIA = "Asia/Tokyo", "America/Los_Angeles"


@pytest.fixture
def report(owner, item, account, set_clock):
    """Store a balance that the bank reports at a moment to a person who lives somewhere. Returns
    all balances of the account."""
    db.session.execute(balances.TABLE.delete())  # the balance of the `item` fixture

    def save(current, moment, zone):
        set_clock(moment)
        preferences.set_time_zone(users.by_id(owner), zone)
        saved = accounts.save(owner, item.id, [account(balances={"current": Decimal(current)})])
        db.session.commit()
        rows = db.session.execute(select(Balance.date, Balance.current).order_by(Balance.date))
        stored = {str(date): int(value) for date, value in rows}
        assert {stored[str(date)] for _, date in saved.reported_days} <= {int(current)}
        return stored

    return save


def test_the_day_of_a_balance_is_the_persons_day(report):
    assert report("5", "2026-11-26T00:30Z", CALIFORNIA) == {"2026-11-25": 5}


def test_the_first_of_the_month_in_tokyo_is_in_its_month(report):
    assert report("5", "2026-10-31T15:00Z", TOKYO) == {"2026-11-01": 5}


def test_after_a_move_to_the_west_the_history_does_not_run_backwards(report):
    report("5", "2026-11-24T20:00Z", TOKYO)  # November 25 there
    report("6", "2026-11-25T20:00Z", TOKYO)  # November 26 there, and November 25 in California
    assert report("7", "2026-11-25T21:00Z", CALIFORNIA) == {"2026-11-25": 5, "2026-11-26": 7}
    assert report("7", "2026-11-25T22:00Z", CALIFORNIA) == {"2026-11-25": 5, "2026-11-26": 7}
    later = report("8", "2026-11-27T20:00Z", CALIFORNIA)
    assert later == {"2026-11-25": 5, "2026-11-26": 7, "2026-11-27": 8}


def test_moving_there_and_back_changes_nothing(report):
    report("5", "2026-11-24T20:00Z", TOKYO)
    report("6", "2026-11-25T20:00Z", TOKYO)
    report("6", "2026-11-25T20:30Z", CALIFORNIA)
    assert report("6", "2026-11-25T21:00Z", TOKYO) == {"2026-11-25": 5, "2026-11-26": 6}


def test_after_a_move_to_the_east_a_new_day_begins(report):
    report("5", "2026-11-25T20:00Z", CALIFORNIA)
    assert report("6", "2026-11-25T21:00Z", TOKYO) == {"2026-11-25": 5, "2026-11-26": 6}
