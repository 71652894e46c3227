"""The clock finds pulls and Items that need work, and several clocks do no harm."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Item, Pull, PullItem, WebhookKey
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, state_changes, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls, transitions
from plaidapp.store.webhooks import signing_keys

pytestmark = pytest.mark.usefixtures("context")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def owner(context):
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.commit()
    return user.id


def add_item(owner, name="one", **fields):
    """Add an Item that is good and was just synced, unless `fields` say otherwise."""
    moment = now()
    given = {
        "update_status": item_states.COMPLETE,
        "synced_at": moment,
        "created_at": moment - HOUR,
    }
    item = items.add(
        user_id=owner, plaid_item_id=name, access_token=b"", **given | {"swept_at": None} | fields
    )
    db.session.commit()
    return item


def neglected():
    looked = sync_progress.to_look_at(100)
    found = [item.plaid_item_id for item in sync_progress.neglected(looked)]
    db.session.rollback()
    return found


def all_pulls():
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Pull).order_by(Pull.id)).all()


def rung(app):
    return app.extensions["redis"].lrange("rq:queue:default", 0, -1)


BEHIND = {"sync_requested": 3, "sync_applied": 2}
A_DAY = policy.SYNC_INTERVAL + SECOND
NEGLECTED = {
    "in order": (False, lambda t: {}),
    "behind": (True, lambda t: BEHIND),
    "behind, never synced": (True, lambda t: BEHIND | {"synced_at": None, "update_status": None}),
    "behind, swept just now": (False, lambda t: BEHIND | {"swept_at": t - 30 * SECOND}),
    "behind, swept a while ago": (True, lambda t: BEHIND | {"swept_at": t - 61 * SECOND}),
    "behind, new": (False, lambda t: BEHIND | {"created_at": t - 30 * SECOND}),
    "behind, expiring": (True, lambda t: BEHIND | {"state": item_states.EXPIRING}),
    "behind, more accounts": (True, lambda t: BEHIND | {"state": item_states.NEW_ACCOUNTS}),
    "behind, in error": (False, lambda t: BEHIND | {"state": item_states.ERROR}),
    "behind, log-in required": (False, lambda t: BEHIND | {"state": item_states.LOGIN_REQUIRED}),
    "behind, revoked": (False, lambda t: BEHIND | {"state": item_states.REVOKED}),
    "incomplete": (True, lambda t: {"update_status": "INITIAL_UPDATE_COMPLETE"}),
    "not ready": (True, lambda t: {"update_status": "NOT_READY"}),
    "not ready, not to be asked yet": (
        False,
        lambda t: {"update_status": "NOT_READY", "ask_after": t + SECOND},
    ),
    "not ready, to be asked by now": (
        True,
        lambda t: {"update_status": "NOT_READY", "ask_after": t - SECOND},
    ),
    "without a status, to be asked by now": (
        True,
        lambda t: {"update_status": None, "ask_after": t - SECOND},
    ),
    "without transactions": (
        False,
        lambda t: {"update_status": None, "sync_refusal": "PRODUCT_NOT_ENABLED"},
    ),
    "a day old": (True, lambda t: {"synced_at": t - A_DAY, "created_at": t - 2 * A_DAY}),
    "almost a day old": (
        False,
        lambda t: {"synced_at": t - policy.SYNC_INTERVAL + MINUTE, "created_at": t - 2 * A_DAY},
    ),
    "a day old, swept today": (
        False,
        lambda t: {"synced_at": t - 2 * A_DAY, "swept_at": t - HOUR, "created_at": t - 3 * A_DAY},
    ),
    "in error, a day old": (
        True,
        lambda t: {"state": item_states.ERROR, "synced_at": t - A_DAY, "created_at": t - 2 * A_DAY},
    ),
    "in error, behind, swept today": (
        False,
        lambda t: (
            BEHIND
            | {"state": item_states.ERROR, "synced_at": t - 9 * A_DAY, "swept_at": t - 2 * HOUR}
        ),
    ),
    "never synced, a day old": (True, lambda t: {"synced_at": None, "created_at": t - A_DAY}),
    "log-in required for a month": (
        False,
        lambda t: {
            "state": item_states.LOGIN_REQUIRED,
            "synced_at": t - 30 * A_DAY,
            "created_at": t - 60 * A_DAY,
        },
    ),
    "revoked for a month": (
        False,
        lambda t: {
            "state": item_states.REVOKED,
            "synced_at": t - 30 * A_DAY,
            "created_at": t - 60 * A_DAY,
        },
    ),
}


def test_neglected_items_are_found_and_no_others(owner):
    moment = now()
    for name, (_, fields) in NEGLECTED.items():
        add_item(owner, name, **fields(moment))

    assert neglected() == [name for name, (found, _) in NEGLECTED.items() if found]


def test_the_clock_looks_first_at_the_item_that_has_waited_longest(owner):
    moment = now()
    for name, waited in (("a", 1), ("b", 3), ("c", 2), ("d", -1)):
        add_item(owner, name, next_look=moment - waited * MINUTE)
    found = [item.plaid_item_id for item in sync_progress.to_look_at(2)]
    assert found == ["b", "c"]


def asked():
    """Return the names of the Items that pulls are for, in the order in which they were added."""
    db.session.rollback()
    query = select(Item.plaid_item_id).join(PullItem).order_by(PullItem.id)
    return db.session.scalars(query).all()


def test_items_that_fail_again_and_again_starve_no_other(owner, monkeypatch):
    monkeypatch.setattr(policy, "NEGLECTED_BATCH", 2)
    names = ["a", "b", "c", "d", "e", "f", "g"]
    for name in names:
        add_item(owner, name, **BEHIND)

    for _ in range(4):
        clock.ask_for_neglected()
        db.session.execute(update(Pull).values(state=pulls.FAILED))
        pass_time(MINUTE)

    assert asked() == [*names, "a"]


def pass_time(time):
    """Let everything that has happened to Items be longer ago."""
    columns = ("next_look", "swept_at", "synced_at", "created_at")
    items_now = db.session.scalars(select(Item).execution_options(populate_existing=True)).all()
    for item in items_now:
        for name in columns:
            if value := getattr(item, name):
                setattr(item, name, value - time)
    db.session.commit()


def waits_of(item):
    """Return how many minutes the clock waits after each of eight pulls that fail."""
    waits = []
    for number in range(1, 9):
        clock.ask_for_neglected()
        assert len(all_pulls()) == number
        db.session.execute(update(Pull).values(state=pulls.FAILED))
        db.session.refresh(item)
        wait = item.next_look - now()
        waits.append(round(wait / MINUTE))
        pass_time(wait)
    return waits


def test_an_item_that_stays_behind_is_asked_less_and_less_often(owner):
    item = add_item(owner, **BEHIND)
    assert waits_of(item) == [1, 2, 4, 8, 16, 32, 24 * 60, 24 * 60]


MAY_PASS = {
    "the operator's error": {"state": item_states.ERROR, "error_code": "INVALID_API_KEYS"},
    "a missing key": {"state": item_states.ERROR, "error_code": "TOKEN_UNREADABLE"},
    "an error that passes": {"state": item_states.ERROR, "error_code": "INSTITUTION_DOWN"},
    "failing": {"failing_since": datetime(2026, 1, 1, tzinfo=UTC)},
}


@pytest.mark.parametrize("fields", MAY_PASS.values(), ids=MAY_PASS)
def test_an_item_whose_error_may_have_ended_is_tried_every_hour(owner, fields):
    """Nobody tells the app that it has ended, and a warning must not outlive it by a day."""
    item = add_item(owner, synced_at=now(), **fields)
    assert waits_of(item) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_an_item_is_not_tried_before_plaid_allows_it(owner):
    soon = {"failing_since": now() - HOUR, "failing_until": now() + MINUTE}
    add_item(owner, synced_at=now() - HOUR, **soon)

    assert neglected() == []


def test_an_item_that_begins_to_fail_is_tried_soon(owner):
    item = add_item(owner, synced_at=now(), next_look=now() + A_DAY)
    sync_progress.failing(item.id, "INSTITUTION_DOWN", "The bank is down right now.")
    db.session.refresh(item)

    assert item.next_look <= now() + MINUTE


@pytest.mark.parametrize("news", ["a request", "a complete sync"])
def test_news_of_an_item_end_its_longer_waits(owner, news):
    item = add_item(owner, **BEHIND, sweeps=9, swept_at=now() - HOUR, next_look=now() + 9 * HOUR)
    if news == "a request":
        sync_progress.request_sync(item.id)
    else:
        sync_progress.advance(item.id, "", "next", 2, item_states.COMPLETE, changed=False)
        sync_progress.request_sync(item.id)
    db.session.commit()
    assert neglected() == []  # a pull is probably under way

    pass_time(policy.UNFINISHED_INTERVAL + SECOND)

    assert neglected() == ["one"]


@pytest.mark.parametrize("state", [item_states.LOGIN_REQUIRED, item_states.ERROR])
def test_an_item_that_recovers_is_looked_at_again(owner, state):
    item = add_item(owner, **BEHIND, state=state, swept_at=now() - HOUR)
    clock.ask_for_neglected()
    assert all_pulls() == []
    state_changes.answered(item.id, "ins_1", "Tartan Bank")
    db.session.commit()
    clock.ask_for_neglected()
    assert asked() == ["one"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_clock_waits_for_nobody(app, owner):
    first = add_item(owner, "first", **BEHIND)
    add_item(owner, "second", **BEHIND)
    with db.engine.connect() as somebody:
        somebody.execute(select(Item.id).where(Item.id == first.id).with_for_update())
        clock.ask_for_neglected()
        assert asked() == ["second"]
        db.session.rollback()
    clock.ask_for_neglected()
    assert asked() == ["second", "first"]


def test_the_clock_starts_a_pull_for_a_neglected_item(owner):
    item = add_item(owner, **BEHIND)
    clock.ask_for_neglected()

    (pull,) = all_pulls()
    assert (pull.kind, pull.asked_by, pull.state) == ("transactions", "clock", "queued")
    assert [pull_item.item_id for pull_item in pulls.by_id(pull.id).items] == [item.id]
    assert neglected() == []


def test_an_item_that_is_being_synced_gets_no_second_pull(owner):
    item = add_item(owner, **BEHIND)
    pulls.add(owner, kinds.TRANSACTIONS, items=[item], state=pulls.RUNNING)
    db.session.commit()
    clock.ask_for_neglected()
    assert len(all_pulls()) == 1
    assert db.session.get(Item, item.id).sync_requested == 3  # or the sync would start over


def test_several_clocks_start_one_pull_per_item(app, owner):
    for name in ("a", "b", "c"):
        add_item(owner, name, **BEHIND)
    together = threading.Barrier(4)

    def tick(_):
        with app.app_context():
            together.wait()
            clock.ask_for_neglected()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(tick, range(4)))
    assert len(all_pulls()) == 3
    assert db.session.scalars(select(Item.sync_requested)).all() == [4, 4, 4]


@pytest.fixture
def pull(owner):
    """A pull that waits for a worker."""
    added = pulls.add(owner, kinds.TRANSACTIONS, items=[add_item(owner)])
    db.session.commit()
    return added.id


def change(pull_id, **values):
    db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
    db.session.commit()
    db.session.expire_all()


def test_a_pull_whose_worker_died_is_queued_again(app, pull):
    assert transitions.claim(pull)
    change(pull, heartbeat_at=now() - policy.HEARTBEAT_LIMIT - SECOND, rung_at=now() - HOUR)

    clock.tick(1)

    (row,) = all_pulls()
    assert (row.state, row.attempt) == ("queued", 1)
    assert rung(app) == [f"pull-{pull}-1".encode()]
    assert transitions.claim(pull)
    db.session.commit()
    assert not transitions.touch(pull, 1)  # the worker that counted as dead comes back
    assert transitions.touch(pull, 2)


def test_the_clock_leaves_a_pull_with_a_recent_heartbeat_alone(app, pull):
    assert transitions.claim(pull)
    change(pull, heartbeat_at=now() - policy.HEARTBEAT_LIMIT + 5 * SECOND)

    clock.tick(1)

    assert [row.state for row in all_pulls()] == ["running"]
    assert rung(app) == []


def test_clocks_that_tick_at_once_queue_a_pull_again_once(app, pull):
    assert transitions.claim(pull)
    change(pull, heartbeat_at=now() - HOUR)
    together = threading.Barrier(4)

    def tick(_):
        with app.app_context():
            together.wait()
            return transitions.reclaim_orphans(), db.session.commit()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(count for count, _ in threads.map(tick, range(4))) == [0, 0, 0, 1]


def test_a_recently_rung_pull_is_not_rung_again(app, pull):
    clock.ring_due()
    assert rung(app) == [f"pull-{pull}-0".encode()]
    app.extensions["redis"].flushall()
    clock.ring_due()
    assert rung(app) == []


def test_pulls_are_rung_for_again_after_redis_was_wiped(app, pull):
    clock.ring_due()
    app.extensions["redis"].flushall()
    change(pull, run_after=now() - HOUR, rung_at=now() - policy.RING_AGAIN - SECOND)

    clock.ring_due()

    assert rung(app) == [f"pull-{pull}-0".encode()]


def test_a_pull_is_in_the_queue_once_however_often_it_is_rung(app, pull):
    for _ in range(3):
        change(pull, run_after=now() - 2 * HOUR, rung_at=now() - HOUR)
        clock.ring_due()
    assert rung(app) == [f"pull-{pull}-0".encode()]


def test_a_pull_that_is_not_due_is_not_rung(app, pull):
    change(pull, run_after=now() + MINUTE)
    clock.ring_due()
    assert rung(app) == []


def test_a_pull_that_became_due_after_it_was_rung_is_rung(app, pull):
    change(pull, rung_at=now() - 2 * SECOND, run_after=now() - SECOND)
    clock.ring_due()
    assert rung(app) == [f"pull-{pull}-0".encode()]


@pytest.mark.parametrize("state", [pulls.RUNNING, pulls.DONE, pulls.FAILED])
def test_only_queued_pulls_are_rung(app, pull, state):
    change(pull, state=state, heartbeat_at=now())
    clock.ring_due()
    assert rung(app) == []


@pytest.fixture
def elsewhere(app):
    """Make the app with other settings."""
    made = []

    def make(**changes):
        made.append(create_app(replace(app.config["PLAIDAPP"], **changes)))
        return made[-1]

    yield make
    for other in made:
        other.extensions["redis"].close()
        with other.app_context():
            db.engine.dispose()


def test_a_tick_ends_however_many_pulls_wait(app, owner, monkeypatch):
    """Even if the first ones are due again before the last ones have been rung for."""
    monkeypatch.setattr(policy, "RING_AGAIN", 0 * SECOND)
    monkeypatch.setattr(policy, "QUEUE_FILL", 3)
    waiting = [pulls.add(owner, kinds.TOTAL, asked_by=pulls.CLOCK).id for _ in range(5)]
    db.session.commit()

    clock.ring_due()
    assert rung(app) == [f"pull-{pull_id}-0".encode() for pull_id in waiting[:3]]
    app.extensions["redis"].lpop("rq:queue:default", 2)
    change(waiting[0], state=pulls.DONE)
    change(waiting[1], state=pulls.DONE)
    clock.ring_due()
    assert rung(app) == [f"pull-{pull_id}-0".encode() for pull_id in waiting[2:]]


def test_what_a_person_asked_for_passes_a_backlog(app, owner, monkeypatch):
    monkeypatch.setattr(policy, "QUEUE_FILL", 3)
    for asked_by in (pulls.CLOCK, pulls.WEBHOOK, pulls.CLOCK, pulls.CLOCK):
        pulls.add(owner, kinds.TOTAL, asked_by=asked_by)
    db.session.commit()
    clock.ring_due()
    for _ in range(3):
        pulls.add(owner, kinds.TOTAL)
    db.session.commit()
    clock.ring_due()
    assert rung(app) == [f"pull-{number}-0".encode() for number in (5, 6, 7, 2, 1, 3)]


def test_pulls_wait_while_redis_is_away(app, pull, elsewhere):
    with elsewhere(redis_url="redis://127.0.0.1:1/0").app_context():
        clock.tick(1)
    assert [(row.state, row.rung_at) for row in all_pulls()] == [("queued", None)]

    clock.tick(2)
    assert rung(app) == [f"pull-{pull}-0".encode()]


def test_a_duty_that_fails_stops_no_other(app, pull, monkeypatch, caplog):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(clock, "DUTIES", {fail: 1} | clock.DUTIES)

    clock.tick(1)

    assert rung(app) == [f"pull-{pull}-0".encode()]
    assert "The clock could not fail" in caplog.text


def test_forged_key_ids_are_deleted(owner):
    signing_keys.may_ask("made-up", signing_keys.Sender("", names_ours=False))
    db.session.execute(update(WebhookKey).values(asked_at=now() - 2 * policy.SYNC_INTERVAL))
    db.session.commit()
    clock.tick(0)
    assert db.session.scalars(select(WebhookKey)).all() == []


def test_the_clock_goes_on_while_the_database_is_away(elsewhere, poll, caplog, monkeypatch):
    monkeypatch.setattr(policy, "CLOCK_TICK", 0.01)
    dead = elsewhere(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    stop = threading.Event()

    def run():
        with dead.app_context():
            clock.run(stop)

    thread = threading.Thread(target=run)
    thread.start()
    poll(lambda: caplog.text.count("The clock can't reach the database") > 2)
    stop.set()
    thread.join()


def test_the_clock_rings_until_it_is_stopped(app, pull, poll):
    stop = threading.Event()

    def run():
        with app.app_context():
            clock.run(stop)

    thread = threading.Thread(target=run)
    thread.start()
    poll(lambda: rung(app) == [f"pull-{pull}-0".encode()])
    stop.set()
    thread.join()


def test_a_pull_that_lost_too_many_workers_fails(app, pull):
    """It is probably what kills them."""
    for attempt in range(1, policy.MAX_LOST_WORKERS):
        assert transitions.claim(pull)
        change(pull, heartbeat_at=now() - HOUR)
        clock.reclaim()
        assert [(row.state, row.attempt) for row in all_pulls()] == [("queued", attempt)]

    assert transitions.claim(pull)
    change(pull, heartbeat_at=now() - HOUR)
    clock.tick(1)

    (row,) = all_pulls()
    assert (row.state, row.error_code) == ("failed", "WORKER_LOST")
    assert row.ended_at is not None
    assert rung(app) == []


def late(owner, names, **fields):
    """Add Items whose daily sync was due two hours ago."""
    moment = now()
    synced = moment - policy.SYNC_INTERVAL - 2 * HOUR
    times = {"synced_at": synced, "created_at": synced - A_DAY, "next_look": moment - 2 * HOUR}
    for name in names:
        add_item(owner, name, **times, **fields)


def test_very_many_late_syncs_are_spread_over_the_day(owner, monkeypatch):
    monkeypatch.setattr(policy, "NEGLECTED_BATCH", 4)
    late(owner, "abcdefgh")
    late(owner, ["behind"], **BEHIND)
    for _ in range(3):
        clock.ask_for_neglected()
    assert asked() == ["behind"]  # somebody has asked for it
    db.session.rollback()
    spread = select(Item).where(Item.plaid_item_id != "behind").order_by(Item.next_look)
    waits = [item.next_look - now() for item in db.session.scalars(spread)]
    assert all(timedelta() < wait <= policy.SYNC_INTERVAL for wait in waits)
    assert min(after - before for before, after in pairwise(waits)) > HOUR

    pass_time(waits[0] + SECOND)  # its time of day has come
    clock.ask_for_neglected()
    assert len(asked()) == 2


def test_a_few_late_syncs_are_caught_up_with_at_once(owner):
    late(owner, "abc")
    clock.ask_for_neglected()
    assert asked() == ["a", "b", "c"]
