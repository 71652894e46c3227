"""Which day it is for a person, wherever they live."""

from zoneinfo import ZoneInfo

import pytest

from plaidapp.extensions import db
from plaidapp.store.people import login_sessions, preferences, session_glances, time_zones, users

MOMENTS = [
    # In California, the day does not change at four in the afternoon.
    ("America/Los_Angeles", "2026-11-26T00:30Z", "2026-11-25"),
    ("America/Los_Angeles", "2026-11-26T07:59Z", "2026-11-25"),
    ("America/Los_Angeles", "2026-11-26T08:00Z", "2026-11-26"),
    # The days on which the clocks change have 23 and 25 hours.
    ("America/Los_Angeles", "2026-03-08T08:00Z", "2026-03-08"),
    ("America/Los_Angeles", "2026-03-09T06:59Z", "2026-03-08"),
    ("America/Los_Angeles", "2026-03-09T07:00Z", "2026-03-09"),
    ("America/Los_Angeles", "2026-11-01T07:00Z", "2026-11-01"),
    ("America/Los_Angeles", "2026-11-02T07:59Z", "2026-11-01"),
    ("America/Los_Angeles", "2026-11-02T08:00Z", "2026-11-02"),
    # In Tokyo, the first of the month begins when UTC still has the last.
    ("Asia/Tokyo", "2026-10-31T14:59Z", "2026-10-31"),
    ("Asia/Tokyo", "2026-10-31T15:00Z", "2026-11-01"),
    # The first and the last zone to begin a day, and half an hour.
    ("Pacific/Kiritimati", "2026-12-31T10:00Z", "2027-01-01"),
    ("Pacific/Pago_Pago", "2027-01-01T10:59Z", "2026-12-31"),
    ("America/St_Johns", "2026-11-26T03:29Z", "2026-11-25"),
    ("America/St_Johns", "2026-11-26T03:30Z", "2026-11-26"),
    # In Egypt, the day on which the clocks change begins at one o'clock.
    ("Africa/Cairo", "2026-04-23T21:59Z", "2026-04-23"),
    ("Africa/Cairo", "2026-04-23T22:00Z", "2026-04-24"),
    ("UTC", "2026-11-25T23:59:59.999999Z", "2026-11-25"),
]


@pytest.mark.parametrize(("zone", "moment", "day"), MOMENTS)
def test_the_day_begins_at_midnight_where_the_person_lives(set_clock, zone, moment, day):
    set_clock(moment)
    assert time_zones.today_in(ZoneInfo(zone)).isoformat() == day


def test_a_persons_day_is_that_of_the_stored_zone(owner, set_clock):
    set_clock("2026-11-25T16:00Z")
    assert str(users.today_of(owner)) == "2026-11-25"
    preferences.set_time_zone(users.by_id(owner), "Asia/Tokyo")
    db.session.commit()
    assert str(users.today_of(owner)) == "2026-11-26"


def test_nobodys_day_is_that_of_utc(context, set_clock):
    set_clock("2026-11-25T16:00Z")
    assert str(users.today_of(999)) == "2026-11-25"


def test_every_zone_can_be_used_and_stored(set_clock):
    set_clock("2026-11-25T16:00Z")
    assert {"UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta"} <= set(time_zones.names())
    for name in time_zones.names():
        assert len(name) <= time_zones.LONGEST_NAME
        assert abs((time_zones.today_in(time_zones.zone_of(name)).day) - 25) <= 1


def test_a_zone_that_no_longer_exists_counts_as_utc():
    assert time_zones.zone_of("Mars/Olympus_Mons").key == "UTC"


def test_the_version_of_the_ledger_changes_with_the_data_and_with_the_day(owner, set_clock):
    set_clock("2026-11-26T03:00Z")
    token, _ = login_sessions.add(owner, "", "", "", kept=False)
    claim = login_sessions.Claim.of(owner, token)

    def version():
        db.session.expire_all()
        version = users.by_id(owner).ledger_version
        db.session.rollback()
        assert session_glances.glance_at_ledger(claim) == version
        return version

    preferences.set_time_zone(users.by_id(owner), "America/St_Johns")
    db.session.commit()
    set_clock("2026-11-26T03:29Z")
    before = version()
    assert version() == before
    set_clock("2026-11-26T03:30Z")
    tomorrow = version()
    assert tomorrow != before
    users.ledger_changed(owner)
    db.session.commit()
    assert version() not in (before, tomorrow)
