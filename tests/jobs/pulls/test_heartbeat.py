"""A running pull's sign of life, while the job itself waits for a bank."""

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
from plaidapp.store.pulls import pulls, transitions


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
    """Claimed by nobody yet."""
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    with app.app_context():
        (item,) = items.everyone()
        sync_progress.request_sync([item.id])
        added = pulls.add(alice.id, pulls.TRANSACTIONS, items=[item])
        db.session.commit()
        return added.id


@pytest.fixture
def held(app, pull, bank_server, poll):
    """The pull's job, waiting for a bank that does not answer until it is let go."""
    rulebook = bank_server.faults.rulebook
    before = rulebook.report()["calls"]["/transactions/sync"]

    def run():
        with app.app_context():
            jobs.transactions(pull)

    bank_server.misbehave(path="/transactions/sync", kind="delay", seconds=60, times=1)
    worker = threading.Thread(target=run)
    worker.start()
    poll(lambda: rulebook.report()["calls"]["/transactions/sync"] > before)

    def let_go():
        rulebook.replace([])
        worker.join()

    yield let_go
    let_go()


def change(app, pull_id, **values):
    with app.app_context():
        db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
        db.session.commit()


def hearts():
    return [thread for thread in threading.enumerate() if "_beat" in thread.name]


def test_a_pull_that_waits_for_a_bank_goes_on_beating(read, poll, held):
    beats = [read().heartbeat_at]
    for _ in range(3):
        beats.append(poll(lambda: read().heartbeat_at > beats[-1] and read().heartbeat_at))
    revision = read().revision
    poll(lambda: read().heartbeat_at > beats[-1])

    assert read().revision == revision  # nobody watching has to hear of it
    held()
    assert read().state == "done"


def test_a_pull_that_beats_is_never_taken_for_dead(app, pull, read, poll, held):
    change(app, pull, heartbeat_at=now() - timedelta(hours=1))
    poll(lambda: read().heartbeat_at > now() - timedelta(minutes=1))
    with app.app_context():
        clock.reclaim()
    held()
    assert (read().state, read().attempt) == ("done", 1)


def test_the_beating_ends_with_the_pull(read, held):
    assert len(hearts()) == 1
    held()
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
def test_the_beating_ends_with_a_pull_that_fails(app, pull, read, bank_server, fault, state):
    bank_server.misbehave(path="/transactions/sync", **fault)
    with app.app_context():
        jobs.transactions(pull)
    assert read().state == state
    assert hearts() == []


def test_the_beating_ends_with_a_job_that_crashes(app, pull, read, monkeypatch):
    monkeypatch.delitem(app.extensions, "bank")
    with app.app_context(), pytest.raises(KeyError):
        jobs.transactions(pull)
    assert (read().state, read().error_code) == ("failed", "INTERNAL_ERROR")
    assert hearts() == []


@pytest.fixture
def beats(app):
    """How many beats have reached the database, whatever came of them."""
    counted = []

    def count(*_):
        if threading.current_thread() in hearts():
            counted.append(1)

    with app.app_context():
        event.listen(db.engine, "commit", count)
    return counted


def test_a_job_that_lost_its_pull_beats_for_nobody_else(app, pull, read, poll, beats, held):
    change(app, pull, state="queued")
    with app.app_context():
        assert transitions.claim(pull)
        db.session.commit()
    marked = now() - timedelta(seconds=7)
    change(app, pull, heartbeat_at=marked)
    before = len(beats)
    poll(lambda: len(beats) > before + 3)

    assert read().heartbeat_at == marked
    held()
    after = read()
    assert (after.state, after.attempt, after.heartbeat_at) == ("running", 2, marked)


@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.DONE, pulls.FAILED])
def test_a_pull_that_is_not_running_does_not_beat(app, read, state):
    with app.app_context():
        user = users.add("olive", "olive@example.com", "no hash")
        db.session.flush()
        added = pulls.add(user.id, pulls.TRANSACTIONS, attempt=1, state=state)
        transitions.beat(added.id, attempt=1)
        db.session.commit()
    assert read().heartbeat_at is None


def test_a_heart_goes_on_when_the_database_is_away(app, poll, caplog):
    dead = create_app(
        replace(
            app.config["PLAIDAPP"],
            database_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
        )
    )
    with dead.app_context(), heartbeat.beating(7, 1):
        poll(lambda: caplog.text.count("No heartbeat for pull 7") > 2)
    assert hearts() == []
