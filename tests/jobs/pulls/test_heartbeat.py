"""The heartbeat of a running pull, while the job itself waits for a bank."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs import run as jobs
from plaidapp.jobs.pulls import heartbeat
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls, transitions


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(policy, "HEARTBEAT_INTERVAL", 0.02)


@pytest.fixture
def read(app):
    def newest():
        with app.app_context():
            return db.session.scalars(select(Pull).order_by(Pull.id.desc())).first()

    return newest


@pytest.fixture
def pull(app, alice, connect):
    """A pull that no worker has claimed yet."""
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    with app.app_context():
        (item,) = items.everyone()
        sync_progress.request_sync(item.id)
        added = pulls.add(alice.id, kinds.TRANSACTIONS, items=[item])
        db.session.commit()
        return added.id


@pytest.fixture
def release(app, pull, bank_server, poll):
    """Run the pull's job, which waits for its bank until the returned function is called."""
    rulebook = bank_server.faults.rulebook
    before = rulebook.report()["calls"]["/transactions/sync"]

    def run():
        with app.app_context():
            jobs.run(pull)

    bank_server.misbehave(path="/transactions/sync", kind="delay", seconds=60, times=1)
    worker = threading.Thread(target=run)
    worker.start()
    poll(lambda: rulebook.report()["calls"]["/transactions/sync"] > before)

    def end_the_delay():
        rulebook.replace([])
        worker.join()

    yield end_the_delay
    end_the_delay()


def change(app, pull_id, **values):
    with app.app_context():
        db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
        db.session.commit()


def hearts():
    return [thread for thread in threading.enumerate() if "_beat" in thread.name]


def test_a_pull_sends_heartbeats_while_it_waits_for_a_bank(read, poll, release):
    beats = [read().heartbeat_at]
    for _ in range(3):
        beats.append(poll(lambda: read().heartbeat_at > beats[-1] and read().heartbeat_at))
    revision = read().revision
    poll(lambda: read().heartbeat_at > beats[-1])

    assert read().revision == revision  # watching pages need not change
    release()
    assert read().state == "done"


def test_a_pull_with_a_recent_heartbeat_is_not_reclaimed(app, pull, read, poll, release):
    change(app, pull, heartbeat_at=now() - timedelta(hours=1))
    poll(lambda: read().heartbeat_at > now() - timedelta(minutes=1))
    with app.app_context():
        clock.reclaim()
    release()
    assert (read().state, read().attempt) == ("done", 1)


def test_heartbeats_stop_when_the_pull_is_done(read, release):
    assert len(hearts()) == 1
    release()
    assert hearts() == []
    assert read().state == "done"


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"kind": "garbage"}, "queued"),
        (
            {
                "kind": "error",
                "status": 400,
                "error_type": "ITEM_ERROR",
                "error_code": "ITEM_LOGIN_REQUIRED",
            },
            "failed",
        ),
    ],
)
def test_heartbeats_stop_when_the_pull_fails(app, pull, read, bank_server, fault, state):
    bank_server.misbehave(path="/transactions/sync", **fault)
    with app.app_context():
        jobs.run(pull)
    assert read().state == state
    assert hearts() == []


def test_heartbeats_stop_when_the_job_crashes(app, pull, read, monkeypatch):
    monkeypatch.delitem(app.extensions, "bank")
    with app.app_context(), pytest.raises(KeyError):
        jobs.run(pull)
    assert (read().state, read().error_code) == ("failed", "INTERNAL_ERROR")
    assert hearts() == []


@pytest.fixture
def beats(app):
    """Count the heartbeats that were sent to the database, whether or not they changed a row."""
    counted = []

    def count(*_):
        if threading.current_thread() in hearts():
            counted.append(1)

    with app.app_context():
        event.listen(db.engine, "commit", count)
    return counted


def test_a_job_that_lost_its_pull_sends_no_heartbeat_for_its_successor(
    app, pull, read, poll, beats, release
):
    change(app, pull, state="queued")
    with app.app_context():
        assert transitions.claim(pull)
        db.session.commit()
    marked = now() - timedelta(seconds=7)
    change(app, pull, heartbeat_at=marked)
    before = len(beats)
    poll(lambda: len(beats) > before + 3)

    assert read().heartbeat_at == marked
    release()
    after = read()
    assert (after.state, after.attempt, after.heartbeat_at) == ("running", 2, marked)


@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.DONE, pulls.FAILED])
def test_a_pull_that_is_not_running_gets_no_heartbeat(app, read, state):
    with app.app_context():
        user = users.add("olive", "olive@example.com", "no hash")
        db.session.flush()
        added = pulls.add(user.id, kinds.TRANSACTIONS, attempt=1, state=state)
        transitions.beat(added.id, attempt=1)
        db.session.commit()
    assert read().heartbeat_at is None


def test_heartbeats_continue_after_the_database_was_away(app, poll, caplog):
    dead = create_app(
        replace(
            app.config["PLAIDAPP"],
            database_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
        )
    )
    with dead.app_context(), heartbeat.beating(7, 1):
        poll(lambda: caplog.text.count("No heartbeat for pull 7") > 2)
    assert hearts() == []
