"""Requesting a sync: every request counts, and one pull answers them all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from plaidapp.extensions import db
from plaidapp.jobs.pulls import item_requests
from plaidapp.jobs.pulls.attempt import Attempt
from plaidapp.store import Item, Pull, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls, transitions

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def item(context):
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.flush()
    return add_item(user.id, "one")


def add_item(user_id, name):
    item = items.add(user_id=user_id, plaid_item_id=name, access_token=b"")
    db.session.commit()
    return item


def begin(item, kind=kinds.TRANSACTIONS, **fields):
    pull = pulls.add(item.user_id, kind, items=[item], **fields)
    db.session.commit()
    return pull


def ask(item):
    pull = item_requests.sync(item, pulls.WEBHOOK)
    db.session.commit()
    return pull


def requested(item):
    db.session.rollback()
    return db.session.scalars(select(Item.sync_requested).where(Item.id == item.id)).one()


def all_pulls():
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Pull).order_by(Pull.id)).all()


def test_the_first_request_starts_a_pull(item):
    pull = ask(item)
    assert (pull.kind, pull.state, pull.asked_by) == ("transactions", "queued", "webhook")
    assert [pull_item.item_id for pull_item in pulls.by_id(pull.id).items] == [item.id]
    assert requested(item) == 1


def test_further_requests_are_counted_and_start_no_pull(item):
    ask(item)
    assert [ask(item), ask(item)] == [None, None]
    assert requested(item) == 3
    assert len(all_pulls()) == 1


@pytest.mark.parametrize("kind", [kinds.LINK, kinds.TRANSACTIONS, kinds.TOTAL])
@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.RUNNING])
def test_an_active_pull_that_syncs_takes_the_request(item, kind, state):
    begin(item, kind, state=state)
    assert ask(item) is None
    assert len(all_pulls()) == 1


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (kinds.ACCOUNTS, pulls.RUNNING),
        (kinds.REPAIR, pulls.RUNNING),
        (kinds.TRANSACTIONS, pulls.DONE),
        (kinds.TRANSACTIONS, pulls.FAILED),
    ],
)
def test_a_pull_of_another_kind_or_one_that_is_over_does_not_take_it(item, kind, state):
    begin(item, kind, state=state)
    assert ask(item).state == "queued"
    assert len(all_pulls()) == 2


def test_a_pull_of_another_item_does_not_take_it(item):
    begin(add_item(item.user_id, "other"))
    assert ask(item) is not None
    assert requested(item) == 1


def test_a_pull_of_several_items_takes_requests_for_each(item):
    other = add_item(item.user_id, "other")
    pulls.add(item.user_id, kinds.TRANSACTIONS, items=[item, other])
    db.session.commit()
    assert [ask(item), ask(other)] == [None, None]


def test_a_pull_that_waits_for_a_preparing_bank_becomes_due(item):
    pull = begin(item, run_after=now() + timedelta(seconds=30))
    assert ask(item).id == pull.id
    assert all_pulls()[0].run_after <= now()
    assert ask(item) is None  # it is due now


def test_a_pull_that_waits_after_a_failure_keeps_waiting(item):
    later = now() + timedelta(seconds=30)
    begin(item, run_after=later, failures=1)
    assert ask(item) is None
    assert all_pulls()[0].run_after == later


def test_concurrent_requests_start_one_pull(app, item):
    together = threading.Barrier(8)

    def knock(_):
        with app.app_context():
            together.wait()
            return ask(item) is not None

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(knock, range(8))) == [False] * 7 + [True]
    assert requested(item) == 8
    assert len(all_pulls()) == 1


def blocked():
    """Return whether somebody waits for a lock that this test holds. SQLite can't tell."""
    if db.engine.dialect.name == "sqlite":
        return True
    with db.engine.connect() as observer:
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return observer.execute(text(query)).first()


def running(item):
    begin(item)
    (pull,) = all_pulls()
    assert transitions.claim(pull.id)
    db.session.commit()
    return pull


def test_a_request_while_a_pull_ends_starts_a_new_pull(app, item, poll):
    """The pull has seen no request and is about to commit: a new request waits for the commit."""
    pull = running(item)
    asked = []

    def knock():
        with app.app_context():
            asked.append(ask(item))

    items.lock(item.id)
    asker = threading.Thread(target=knock)
    asker.start()
    poll(lambda: blocked() or not asker.is_alive())
    db.session.execute(update(Pull).where(Pull.id == pull.id).values(state=pulls.DONE))
    db.session.commit()
    asker.join()

    assert asked[0].id > pull.id


def test_a_pull_that_ends_during_a_request_syncs_again(app, item, poll):
    """The request is counted but not committed yet: the pull waits for it."""
    pull = running(item)
    concluded = []

    def end():
        with app.app_context():
            attempt = Attempt(pulls.by_id(pull.id))
            db.session.commit()
            concluded.append(attempt.conclude([]))

    assert item_requests.sync(item, pulls.WEBHOOK) is None
    ender = threading.Thread(target=end)
    ender.start()
    poll(lambda: blocked() or not ender.is_alive())
    db.session.commit()
    ender.join()

    assert concluded == [False]
    assert [row.state for row in all_pulls()] == ["running"]


@pytest.mark.parametrize(
    ("reached", "shown"),
    [(pulls.DONE, pulls.ASKING), (pulls.PREPARING, pulls.PREPARING)],
)
def test_a_pull_that_syncs_again_does_not_wait_to_start(item, reached, shown):
    """The panel goes on from what it said, so nothing is announced a second time."""
    pull = pulls.by_id(running(item).id)
    pull.items[0].phase = reached
    assert ask(item) is None

    attempt = Attempt(pulls.by_id(pull.id))
    assert attempt.conclude([]) is False
    assert [part.phase for part in pulls.by_id(pull.id).items] == [shown]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_locking_an_item_does_not_wait_for_a_webhook_that_is_being_stored(app, item):
    """The webhook's row refers to the Item, and its transaction may wait for the lock next."""
    with db.engine.connect() as webhook, webhook.begin():
        webhook.execute(insert(Webhook).values(token="1", body="{}", item_id=item.id))
        db.session.execute(text("SET LOCAL lock_timeout = '1s'"))
        assert items.lock(item.id).id == item.id
        db.session.rollback()
