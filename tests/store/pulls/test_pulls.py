"""Pulls are claimed once, fenced by their attempt, and queued again if their worker dies."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, pulls, shown_pulls, transitions

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
    assert [row.id for row in transitions.due()] == [pull.id]


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
    assert [row.id for row in transitions.due()] == [pull.id]


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
    assert [row.id for row in transitions.due()] == ([pull.id] if is_due else [])


def test_the_pull_that_is_due_longest_comes_first(owner, pull):
    other = pulls.add(owner, kinds.ACCOUNTS)
    change(other, run_after=now() - LATER)
    assert [row.id for row in transitions.due()] == [other.id, pull.id]


def test_ringing_is_recorded_without_a_new_revision(pull):
    transitions.mark_rung([pull])
    rung = read_committed(pull)
    assert rung.rung_at is not None
    assert rung.revision == 0
    assert [row.id for row in transitions.due()] == []


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
    assert [row.id for row in transitions.due()] == [pull.id]


@pytest.mark.parametrize("state", ["running", "done"])
def test_a_pull_that_is_running_or_over_is_not_queued_again(pull, state):
    change(pull, state=state)
    assert not transitions.queue_again(pull.id)
    assert read_committed(pull).state == state


def test_only_the_owner_gets_a_pull(owner, pull):
    assert pulls.owned(pull.id, owner).id == pull.id
    assert pulls.owned(pull.id, owner + 1) is None


def test_recent_pulls_come_newest_first(owner):
    ids = [pulls.add(owner, kinds.ACCOUNTS).id for _ in range(3)]
    db.session.execute(update(Pull).values(state=pulls.DONE))
    assert [pull.id for pull in shown_pulls.recent(owner, 2)] == ids[:0:-1]


def test_active_pulls_are_shown_however_old(owner, pull):
    newer = [pulls.add(owner, kinds.ACCOUNTS).id for _ in range(3)]
    db.session.execute(update(Pull).where(Pull.id != pull.id).values(state=pulls.FAILED))
    assert [shown.id for shown in shown_pulls.recent(owner, 1)] == [newer[-1], pull.id]


def ended(owner, kind, state, ago, *parts, **fields):
    """Add a pull that ended so many seconds ago, with (Item, phase) for each of its Items."""
    moment = now() - timedelta(seconds=ago)
    pull = pulls.add(owner, kind, [item for item, _ in parts], state=state, **fields)
    pull.ended_at = pull.heartbeat_at = moment
    for pull_item, (_, phase) in zip(pull.items, parts, strict=True):
        pull_item.phase = phase
    db.session.commit()
    return pull


def shown(owner):
    return [pull.id for pull in shown_pulls.recent(owner, 5)]


def test_a_dismissed_pull_is_hidden_and_makes_no_room_for_older_ones(owner):
    old, failed = (ended(owner, kinds.ACCOUNTS, pulls.FAILED, ago, sealed=b"x") for ago in (9, 5))
    assert transitions.dismiss(failed.id)
    assert shown_pulls.recent(owner, 1) == []
    assert shown(owner) == [old.id]
    assert read_committed(failed).sealed is None
    assert not transitions.queue_again(failed.id)


@pytest.mark.parametrize("state", ["queued", "running", "done", "dismissed"])
def test_only_failed_pulls_are_dismissed(pull, state):
    change(pull, state=state)
    assert not transitions.dismiss(pull.id)
    assert read_committed(pull).state == state


@pytest.mark.parametrize(
    ("later", "mended"),
    [(kinds.ACCOUNTS, True), (kinds.REPAIR, True), (kinds.TRANSACTIONS, False)],
)
def test_newer_balances_make_up_for_failed_balances(owner, item, later, mended):
    wrong = ended(owner, kinds.ACCOUNTS, pulls.FAILED, 60, (item, pulls.FAILED))
    item.synced_at = now()
    assert shown(owner) == [wrong.id]
    ended(owner, later, pulls.DONE, 30, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == ([] if mended else [wrong.id])


@pytest.mark.parametrize("kind", [kinds.TRANSACTIONS, kinds.TOTAL, kinds.LINK])
def test_a_newer_sync_makes_up_for_a_failed_one(owner, item, kind):
    wrong = ended(owner, kind, pulls.FAILED, 60, (item, pulls.FAILED))
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 30, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    for ago, ids in ((90, [wrong.id]), (30, [])):
        item.synced_at = now() - timedelta(seconds=ago)
        db.session.commit()
        assert shown(owner) == ids


def test_older_failed_or_partial_answers_make_up_for_nothing(owner, item, another_item):
    both = ((item, pulls.FAILED), (another_item, pulls.FAILED))
    wrong = ended(owner, kinds.ACCOUNTS, pulls.FAILED, 60, *both)
    for ago, state in ((120, pulls.DONE), (90, pulls.DONE), (30, pulls.FAILED)):
        parts = ((item, state), (another_item, state))
        ended(owner, kinds.ACCOUNTS, state, ago, *parts, asked_by=pulls.WEBHOOK)
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 20, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == [wrong.id]
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 10, (another_item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == []


def test_a_failed_connection_is_hidden_once_the_same_bank_is_connected(owner, item):
    banks = ("ins_1", "ins_2", None)
    wrong = [ended(owner, kinds.LINK, pulls.FAILED, 60, institution_id=bank) for bank in banks]
    for bank in ("ins_1", None):
        done = ended(owner, kinds.LINK, pulls.DONE, 30, (item, pulls.DONE), institution_id=bank)
    assert shown(owner) == [done.id, done.id - 1, wrong[2].id, wrong[1].id]


def test_an_items_pulls_come_newest_first(owner, item):
    ids = [pulls.add(owner, kinds.TRANSACTIONS, items=[item]).id for _ in range(3)]
    db.session.commit()
    assert [pull_item.pull.id for pull_item in shown_pulls.of_item(item.id, 2)] == ids[:0:-1]
