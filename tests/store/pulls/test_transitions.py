"""Pulls are claimed once, fenced by their attempt, and queued again if their worker dies."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, line, pulls, transitions

LATER = timedelta(seconds=60)


@pytest.fixture
def pull(owner):
    pull = pulls.add(owner, kinds.ACCOUNTS)
    db.session.commit()
    return pull


def read(pull):
    db.session.rollback()
    db.session.expunge_all()
    return db.session.get(Pull, pull.id)


def change(pull, **values):
    db.session.execute(update(Pull).where(Pull.id == pull.id).values(**values))
    db.session.commit()


def claim(pull):
    won = transitions.claim(pull.id)
    db.session.commit()
    return won


def test_a_new_pull_is_queued_and_due(pull):
    assert (pull.state, pull.attempt, pull.failures) == ("queued", 0, 0)
    assert pull.active
    assert [row.id for row in line.due()] == [pull.id]


def test_a_claimed_pull_is_running(pull):
    assert claim(pull)
    claimed = read(pull)
    assert (claimed.state, claimed.attempt) == ("running", 1)
    assert claimed.heartbeat_at == claimed.started_at


def test_a_claimed_pull_is_not_claimed_again(pull):
    claim(pull)
    assert not claim(pull)
    assert read(pull).attempt == 1


@pytest.mark.parametrize("state", ["running", "done", "failed"])
def test_only_queued_pulls_are_claimed(pull, state):
    change(pull, state=state)
    assert not claim(pull)


def test_a_pull_that_is_not_due_is_not_claimed(pull):
    change(pull, run_after=now() + LATER)
    assert not claim(pull)


def test_a_deleted_pull_is_not_claimed(context):
    assert not transitions.claim(12345)


def test_a_claim_clears_the_last_error_and_keeps_the_first_start(pull):
    earlier = now() - LATER
    change(pull, error_code="X", error_message="Y", started_at=earlier)
    claim(pull)
    claimed = read(pull)
    assert (claimed.error_code, claimed.error_message) == (None, None)
    assert claimed.started_at == earlier


def test_one_of_two_workers_gets_the_pull(context, owner):
    ids = [pulls.add(owner, kinds.ACCOUNTS).id for _ in range(50)]
    db.session.commit()
    start = threading.Barrier(2)
    wins = []

    def worker():
        with context.app_context():
            for pull_id in ids:
                start.wait()
                if transitions.claim(pull_id):
                    wins.append(pull_id)
                db.session.commit()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == ids
    assert set(db.session.scalars(select(Pull.attempt))) == {1}


def test_a_touch_writes_a_heartbeat(pull):
    claim(pull)
    change(pull, heartbeat_at=now() - LATER)
    before = read(pull)
    assert transitions.touch(pull.id, 1)
    after = read_committed(pull)
    assert after.heartbeat_at > before.heartbeat_at
    assert after.revision == before.revision + 1


def read_committed(pull):
    db.session.commit()
    return read(pull)


@pytest.mark.parametrize(("attempt", "state"), [(1, "running"), (3, "running"), (2, "queued")])
def test_a_touch_of_another_attempt_changes_nothing(pull, attempt, state):
    change(pull, attempt=2, state=state)
    assert not transitions.touch(pull.id, attempt, state=pulls.DONE)
    assert read_committed(pull).state == state


def test_a_pull_without_heartbeats_is_queued_again(pull):
    claim(pull)
    change(pull, heartbeat_at=now() - policy.HEARTBEAT_LIMIT - timedelta(seconds=1))
    assert transitions.reclaim_orphans() == 1
    assert read_committed(pull).state == "queued"
    assert [row.id for row in line.due()] == [pull.id]


@pytest.mark.parametrize("state", ["queued", "done", "failed"])
def test_only_running_pulls_are_reclaimed(pull, state):
    change(pull, state=state, heartbeat_at=now() - LATER)
    assert transitions.reclaim_orphans() == 0


def test_a_pull_with_a_recent_heartbeat_is_not_reclaimed(pull):
    claim(pull)
    assert transitions.reclaim_orphans() == 0


def test_an_attempt_that_lost_its_pull_cannot_write(pull):
    claim(pull)
    change(pull, heartbeat_at=now() - LATER)
    transitions.reclaim_orphans()
    db.session.commit()
    claim(pull)
    assert not transitions.touch(pull.id, 1)
    assert transitions.touch(pull.id, 2)


@pytest.mark.parametrize(
    ("values", "is_due"),
    [
        ({"run_after": -LATER}, True),
        ({"rung_at": timedelta(0)}, False),
        ({"rung_at": -policy.RING_AGAIN - timedelta(seconds=1), "run_after": -LATER}, True),
        ({"rung_at": timedelta(seconds=-3), "run_after": timedelta(seconds=-1)}, True),
        ({"run_after": LATER}, False),
        ({"state": "running"}, False),
        ({"state": "done"}, False),
    ],
    ids=["new", "just rung", "rung long ago", "rung before it was due", "later", "runs", "done"],
)
def test_a_pull_is_due_unless_it_was_rung_lately(pull, values, is_due):
    moment = now()
    change(pull, **{k: moment + v if isinstance(v, timedelta) else v for k, v in values.items()})
    assert [row.id for row in line.due()] == ([pull.id] if is_due else [])


def test_the_pull_that_is_due_longest_comes_first(owner, pull):
    other = pulls.add(owner, kinds.ACCOUNTS)
    change(other, run_after=now() - LATER)
    assert [row.id for row in line.due()] == [other.id, pull.id]


def test_ringing_is_recorded_without_a_new_revision(pull):
    line.mark_rung([pull])
    rung = read_committed(pull)
    assert rung.rung_at is not None
    assert rung.revision == 0
    assert [row.id for row in line.due()] == []


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_trying_again_resets_failures_and_errors(pull, state):
    change(
        pull, state=state, failures=3, error_code="X", error_message="Y", ended_at=now(),
        run_after=now() + LATER, sealed=b"kept",
    )  # fmt: skip
    assert transitions.queue_again(pull.id)
    again = read_committed(pull)
    assert (again.state, again.failures, again.error_code, again.ended_at, again.sealed) == (
        "queued", 0, None, None, b"kept",
    )  # fmt: skip
    assert [row.id for row in line.due()] == [pull.id]


@pytest.mark.parametrize("state", ["running", "done"])
def test_a_pull_that_is_running_or_over_is_not_queued_again(pull, state):
    change(pull, state=state)
    assert not transitions.queue_again(pull.id)
    assert read_committed(pull).state == state


@pytest.mark.parametrize("state", ["queued", "running", "done", "dismissed"])
def test_only_failed_pulls_are_dismissed(pull, state):
    change(pull, state=state)
    assert not transitions.dismiss(pull.id)
    assert read_committed(pull).state == state
