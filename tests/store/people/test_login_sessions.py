"""Sessions are found by their token while they are open, and deleted when they are over."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import LoginSession
from plaidapp.store.people import leaving, login_sessions, session_glances, users
from plaidapp.store.people.login_sessions import Claim


@pytest.fixture
def begin(owner):
    def add(*, kept=False):
        token, _ = login_sessions.add(owner, "Firefox", "macOS", "203.0.113.24", kept=kept)
        db.session.commit()
        return Claim.of(owner, token)

    return add


def is_open(claim):
    found = login_sessions.find(claim)
    db.session.rollback()  # a glance uses a connection of its own
    glimpsed = session_glances.glance_at_ledger(claim)
    assert (found is None) == (glimpsed is None)
    return found is not None


def test_a_session_is_found_by_its_token_and_person_only(begin, owner):
    claim = begin()

    user, session = login_sessions.find(claim)

    assert (user.id, session.kept) == (owner, False)
    assert not is_open(Claim(owner, "0" * 64))
    assert not is_open(Claim(owner + 1, claim.token_hash))
    assert not is_open(Claim.of(2**31 - 1, "\0"))


@pytest.mark.parametrize(("kept", "idle", "total"), [(False, 1, 7), (True, 14, 30)])
def test_use_moves_the_end_up_to_a_limit(begin, later, kept, idle, total):
    claim = begin(kept=kept)
    begun = login_sessions.find(claim)[1].created_at
    for _ in range(total // idle + 1):
        _, session = login_sessions.find(claim)
        db.session.rollback()
        login_sessions.note(session, "", is_use=True)
        row = db.session.scalars(select(LoginSession)).one()
        used, end = row.last_used_at, row.ends_at
        db.session.rollback()
        db.session.expire_all()
        assert end == min(used + timedelta(days=idle), begun + timedelta(days=total))
        later(days=idle, minutes=-1)
    assert not is_open(claim)


def test_a_poll_is_seen_but_hides_no_use(begin, later):
    claim = begin()
    later(hours=1)
    ends = []
    for is_use in (False, True):
        _, session = login_sessions.find(claim)
        db.session.rollback()
        assert not session.is_noted(is_use=is_use)
        login_sessions.note(session, "", is_use=is_use)
        row = db.session.scalars(select(LoginSession)).one()
        assert row.last_used_at >= session.created_at + timedelta(hours=1)
        ends.append(row.ends_at)
        db.session.rollback()
        db.session.expire_all()
    _, session = login_sessions.find(claim)
    assert all(session.is_noted(is_use=is_use) for is_use in (False, True))
    assert ends[0] == session.created_at + policy.SESSION_IDLE
    assert ends[1] >= ends[0] + timedelta(hours=1)


def test_the_clock_deletes_what_is_over_a_part_at_a_time(begin, later, monkeypatch):
    for _ in range(3):
        begin()
    kept = begin(kept=True)
    later(days=2)
    monkeypatch.setattr(policy, "SESSIONS_BATCH", 2)

    left = []
    for _ in range(3):
        clock.clean_up()
        left.append(db.session.scalar(select(func.count()).select_from(LoginSession)))

    assert left == [2, 1, 1]
    assert is_open(kept)


def test_the_sessions_of_a_deleted_person_are_gone(begin, owner):
    claim = begin()
    db.session.delete(users.by_id(owner))
    db.session.commit()

    assert not is_open(claim)
    assert db.session.scalars(select(LoginSession)).all() == []


def test_a_log_in_that_ends_while_everything_is_deleted_opens_nothing(begin, owner):
    leaving.begin(owner)
    assert not is_open(begin())
