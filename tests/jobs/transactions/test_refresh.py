"""Having a bank look for new transactions: once in a while, and what comes of it is synced."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import refreshes
from plaidapp.store.connections.refreshes import Offer
from plaidapp.store.pulls import kinds, pulls

PATH = "/transactions/refresh"


@pytest.fixture
def ask(begin, run, look):
    """Have the bank of the Item look again; returns the pull."""

    def go(item):
        pull_id = begin(kinds.REFRESH, items=[item])
        run(pull_id)
        return look(pull_id)

    return go


def asked(bank_server):
    return bank_server.faults.rulebook.report()["calls"].get(PATH, 0)


def following():
    """The syncs that wait for their time."""
    query = select(Pull).where(Pull.kind == kinds.TRANSACTIONS).order_by(Pull.id)
    found = db.session.scalars(query).all()
    db.session.remove()
    return found


def refuse(bank_server, code, kind="ITEM_ERROR", status=400):
    bank_server.misbehave(kind="error", path=PATH, status=status, error_type=kind, error_code=code)


def test_what_the_bank_finds_is_stored_by_a_sync_some_seconds_later(
    dynamic, ask, run, stored, at_bank, item_now
):
    before = stored()
    moment = now()

    pull = ask(dynamic)

    assert (pull.state, pull.items[0].refusal) == ("done", None)
    assert pull.items[0].request_id
    assert stored() == before != at_bank(dynamic)
    item = item_now(dynamic)
    assert moment <= item.refreshed_at <= now()
    assert item.refresh_after == item.refreshed_at + policy.REFRESH_INTERVAL
    (later,) = following()
    assert moment + policy.REFRESH_SYNC_DELAY <= later.run_after
    assert item.is_behind

    run(later.id)

    assert stored() == at_bank(dynamic)
    assert not item_now(dynamic).is_behind


def test_a_webhook_makes_that_sync_come_at_once(dynamic, ask):
    ask(dynamic)

    item_requests.sync(db.session.get(Item, dynamic.id), pulls.WEBHOOK)
    db.session.commit()

    (sync,) = following()
    assert sync.run_after <= now()


def test_a_running_sync_may_have_looked_too_early(dynamic, begin, ask):
    running = begin(kinds.TRANSACTIONS, items=[dynamic], state=pulls.RUNNING)

    ask(dynamic)

    assert [sync.id for sync in following() if sync.run_after > now()] != [running]
    assert len(following()) == 2


def test_a_refusal_of_the_product_is_remembered_and_is_no_error_of_the_connection(
    dynamic, ask, item_now, bank_server, subtests
):
    for code in ("PRODUCTS_NOT_SUPPORTED", "PRODUCT_NOT_ENABLED", "INVALID_PRODUCT"):
        with subtests.test(code):
            refuse(bank_server, code)
            pull = ask(dynamic)

            assert (pull.state, pull.items[0].refusal) == ("done", code)
            item = item_now(dynamic)
            assert (item.state, item.refresh_refusal) == ("good", code)
            assert item.refresh_after > now() + policy.REFRESH_INTERVAL
            assert refreshes.offer(item) is Offer.REFUSED
            assert item.refreshed_at is None
            assert following() == []

    bank_server.faults.rulebook.clear()
    ask(dynamic)
    assert item_now(dynamic).refresh_refusal is None


def test_plaids_own_wait_wins(dynamic, ask, item_now, bank_server, monkeypatch):
    monkeypatch.setattr(policy, "RATE_LIMIT_WAIT", 3600.0)
    bank_server.misbehave(kind="rate_limit", path=PATH, limit=0, seconds=60)
    moment = now()

    pull = ask(dynamic)

    assert pull.state == "queued"
    wait = timedelta(seconds=3600)
    assert item_now(dynamic).refresh_after >= moment + wait
    assert pull.run_after >= moment + wait


def test_a_log_in_that_the_bank_needs_is_the_connections_error(dynamic, ask, item_now, bank_server):
    refuse(bank_server, "ITEM_LOGIN_REQUIRED")

    assert ask(dynamic).state == "failed"

    item = item_now(dynamic)
    assert (item.state, item.refresh_refusal) == ("login_required", None)
    assert refreshes.offer(item) is Offer.IMPOSSIBLE


def test_a_bank_that_takes_too_long_counts_as_asked(
    context, dynamic, ask, item_now, bank_server, monkeypatch
):
    """Plaid goes on looking, and would bill another request too."""
    monkeypatch.setattr(policy, "REFRESH_DEADLINE", 1.0)
    bank_server.misbehave(kind="hang", path=PATH, seconds=30)

    pull = ask(dynamic)

    assert pull.state == "done"
    assert asked(bank_server) == 1
    assert item_now(dynamic).refreshed_at
    assert len(following()) == 1


def test_asking_has_more_time_than_other_calls(context, dynamic, ask, bank_server, monkeypatch):
    pool = context.extensions["bank"]._client.rest_client.pool_manager
    monkeypatch.setattr(pool, "deadline", 0.2)
    bank_server.misbehave(kind="delay", path=PATH, seconds=0.4)

    assert ask(dynamic).state == "done"
    assert asked(bank_server) == 1


def test_one_of_two_clicks_begins_the_wait(dynamic, item_now):
    assert refreshes.claim(dynamic.id)
    assert not refreshes.claim(dynamic.id)
    db.session.commit()
    assert refreshes.offer(item_now(dynamic)) is Offer.LATER

    db.session.execute(update(Item).values(refresh_after=now() - timedelta(seconds=1)))
    assert refreshes.claim(dynamic.id)


def test_a_bank_that_delivers_nothing_now_is_not_asked(dynamic, item_now, subtests):
    changes = (
        {"state": "login_required"},
        {"state": "error"},
        {"state": "revoked"},
        {"state": "disconnected"},
        {"update_status": "NOT_READY"},
        {"sync_refusal": "PRODUCTS_NOT_SUPPORTED"},
    )
    for change in changes:
        with subtests.test(change):
            item = item_now(dynamic)
            for name, value in change.items():
                setattr(item, name, value)
            assert refreshes.offer(item) is Offer.IMPOSSIBLE
    assert refreshes.offer(item_now(dynamic)) is Offer.NOW
