"""A day of two clocks in fast motion: syncs, checks, mails and deletions, each exactly once.

The app's clock is turned by the test. Two clocks tick at the same time at every step, each in a
thread with its own database session, and one worker does what they ring for.
"""

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.auth import bank_mails
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.mail import postman
from plaidapp.jobs.retention import prune
from plaidapp.store import Activity, Item, LoginSession, Pull, PullItem, Transaction, User
from plaidapp.store.base import types
from plaidapp.store.connections import item_states, state_changes
from plaidapp.store.health import walks
from plaidapp.store.health.walks import Walk
from plaidapp.store.people import activity, login_sessions
from plaidapp.store.pulls import kinds, pulls

STEP = timedelta(minutes=1 if os.environ.get("CHAOS") == "long" else 30)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EXPIRES, ASKS, DIFFERS = 1, 2, 3
"""Items: Alice's first, whose permission ends; her second, which asks for a log-in; and Charlie's,
which differs from what is stored."""


class Time:
    """The app's clock. It stands still until it is turned."""

    def __init__(self):
        self.now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(types, "read_clock", lambda: time.now)
    return time


@pytest.fixture
def nights(monkeypatch):
    """What each step of deleting has deleted."""
    done, step = [], prune.step

    def noted():
        deleted = step()
        if deleted:
            done.append(deleted)
        return deleted

    monkeypatch.setattr(prune, "step", noted)
    return done


@pytest.fixture
def world(app, time, alice, charlie, connect, small_user, mailbox, bank_server):
    """Two people with three banks, whose syncs and checks are due at different hours of the day."""
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], public_url="https://money.example")
    connect(alice, **small_user)
    connect(alice, **small_user | {"institution_id": "ins_109509"})
    connect(charlie, **small_user)
    with app.app_context():
        db.session.execute(update(User).values(email_confirmed_at=time.now))
        for item in db.session.scalars(select(Item)):
            synced = time.now - DAY + item.id * 4 * HOUR
            item.created_at = time.now - 2 * DAY
            item.synced_at = item.status_read_at = synced
            item.next_look = synced + policy.SYNC_INTERVAL
            item.check_at = time.now + 10 * HOUR + item.id * 2 * HOUR
        token = app.extensions["cipher"].decrypt(db.session.get(Item, ASKS).token)
        state_changes.set_state(EXPIRES, item_states.EXPIRING, "PENDING_DISCONNECT", "It ends.")
        differ()
        make_old(alice.id, time.now)
        walks.due(prune.DELETES)
        db.session.execute(update(Walk).values(due_at=policy.next_prune(time.now)))
        db.session.commit()
    bank_server.call("/sandbox/item/reset_login", access_token=token)


def make_old(user_id, moment):
    """Add what the night deletes."""
    activity.note(user_id, activity.Kind.LOGGED_IN)
    db.session.flush()
    db.session.execute(
        update(Activity)
        .where(Activity.kind == activity.Kind.LOGGED_IN)
        .values(created_at=moment - policy.ACTIVITY_KEPT)
    )
    login_sessions.add(user_id, "Safari", "iPhone", "", kept=False)
    db.session.flush()
    over = update(LoginSession).where(LoginSession.system == "iPhone")
    db.session.execute(over.values(ends_at=moment - DAY))
    for _ in range(policy.LATEST_PULLS_KEPT + 1):
        old = pulls.add(user_id, kinds.TOTAL, state=pulls.DONE)
        old.created_at = old.run_after = old.ended_at = moment - policy.PULLS_KEPT - DAY


def differ():
    row = select(Transaction.id).where(Transaction.item_id == DIFFERS).limit(1)
    db.session.execute(
        update(Transaction).where(Transaction.id == row.scalar_subquery()).values(amount=7)
    )


@pytest.fixture
def live(app, time, work_due):
    """`live(DAY)` lets so much time pass for two clocks and a worker."""
    ticks = 0

    def one_clock(start):
        with app.app_context():
            start.wait()
            clock.tick(ticks)
            bank_mails.write_due()
            postman.send_due()
            db.session.remove()

    def pass_by(span, step=STEP):
        nonlocal ticks
        until = time.now + span
        with ThreadPoolExecutor(2) as clocks:
            while time.now < until:
                time.now += step
                ticks += policy.CLEANUP_TICKS
                list(clocks.map(one_clock, [threading.Barrier(2)] * 2))
                if app.extensions["redis"].llen("rq:queue:default"):
                    work_due()

    return pass_by


@pytest.fixture
def by_clock(ask):
    """How often the clock has begun each kind of pull for each Item, until now."""

    def count():
        begun = {pull.id: pull.kind for pull in ask(Pull) if pull.asked_by == pulls.CLOCK}
        rows = [each for each in ask(PullItem) if each.pull_id in begun]
        return Counter((begun[each.pull_id], each.item_id) for each in rows)

    return count


def test_all_that_is_due_in_a_day_happens_exactly_once(world, live, ask, mailbox, nights, by_clock):
    before = by_clock()

    live(DAY)

    assert by_clock() - before == {
        ("transactions", EXPIRES): 1,
        ("transactions", ASKS): 1,
        ("transactions", DIFFERS): 1,
        ("check", EXPIRES): 1,
        ("check", DIFFERS): 1,
        ("status", EXPIRES): 1,  # after a sync that brought nothing new, once a day
        ("status", DIFFERS): 1,
    }
    assert [item.state for item in ask(Item)] == ["expiring", "login_required", "good"]
    assert [(mail["To"], mail["Subject"]) for mail in mailbox.take_all()] == [
        ("alice@example.com", "Access to First Platypus Bank ends soon"),
        ("alice@example.com", "First Gingham Credit Union needs you to log in again"),
        ("charlie@example.com", "A check of First Platypus Bank has found a difference"),
    ]
    assert [night[prune.NOBODYS] for night in nights if prune.NOBODYS in night] == [0, 0], (
        "one walk through all Items and one through all people"
    )
    assert sum(nights, Counter())["pulls"] == 1
    assert [row for row in ask(Activity) if row.kind == activity.Kind.LOGGED_IN] == []
    assert [row for row in ask(LoginSession) if row.system == "iPhone"] == []

    seen = {item.id: (item.synced_at, item.checked_at) for item in ask(Item)}
    nights.clear()
    live(DAY, step=2 * HOUR)

    assert mailbox.mails == [], "what lasts is not told again"
    assert [night[prune.NOBODYS] for night in nights if prune.NOBODYS in night] == [0, 0]
    for item in ask(Item):
        before = seen[item.id]
        is_asked = item.id != ASKS
        assert [item.synced_at > before[0], item.checked_at != before[1]] == [is_asked, is_asked]
