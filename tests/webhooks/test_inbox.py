"""Webhooks that come while a sync has locked what they change: answered at once, handled later."""

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Item, Pull, WaitingWebhook, Webhook
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.webhooks import deliveries
from plaidapp.webhooks import handlers, inbox

from .conftest import SYNC, as_sent

ERROR = {
    "webhook_type": "ITEM",
    "webhook_code": "ERROR",
    "error": {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"},
}
BROKEN = {"webhook_type": "ITEM", "webhook_code": "NEW_ACCOUNTS_AVAILABLE"}
REPAIRED = {"webhook_type": "ITEM", "webhook_code": "LOGIN_REPAIRED"}


@pytest.fixture
def syncing(app):
    """Hold, in another thread, the locks that a sync holds while it stores."""

    @contextmanager
    def hold(item):
        locked, over = threading.Event(), threading.Event()

        def store():
            with app.app_context():
                users.lock_ledger(item.user_id)
                items.lock(item.id)
                locked.set()
                over.wait(30)
                db.session.rollback()

        thread = threading.Thread(target=store)
        thread.start()
        assert locked.wait(30)
        try:
            yield
        finally:
            over.set()
            thread.join()

    return hold


@pytest.fixture
def handle(app):
    def now():
        with app.app_context():
            return inbox.handle_waiting()

    return now


def test_a_webhook_does_not_wait_for_a_sync_that_stores(deliver, connected, syncing, handle, ask):
    item = connected("alice")
    with syncing(item):
        assert deliver(SYNC | {"item_id": item.plaid_item_id}) == 200
        assert ask(Webhook)[0].handled_at is None
        assert handle() == 0  # its Item is still locked
    assert not ask(Pull)

    assert handle() == 1
    (pull,) = ask(Pull)
    assert pull.asked_by == "webhook"
    assert pull.rung_at
    assert ask(Item)[0].sync_requested == 1
    assert ask(Webhook)[0].handled_at
    assert handle() == 0


def test_the_locks_of_a_sync_delay_no_other_item(deliver, connected, syncing, handle, ask):
    alices, bobs = connected("alice"), connected("bob")
    closed = {"webhook_type": "ITEM", "webhook_code": "USER_ACCOUNT_REVOKED", "account_id": "none"}
    with syncing(alices):
        for item in (alices, bobs):
            assert deliver(closed | {"item_id": item.plaid_item_id}) == 200
        for item in (alices, bobs):
            assert deliver(SYNC | {"item_id": item.plaid_item_id}) == 200

        assert [pull.user_id for pull in ask(Pull)] == [bobs.user_id]
    assert handle() == 2
    assert len(ask(Pull)) == 2


def test_webhooks_of_an_item_are_handled_in_the_order_in_which_they_came(
    deliver, connected, syncing, handle, ask
):
    item = connected("alice")
    with syncing(item):
        deliver(ERROR | {"item_id": item.plaid_item_id})
    deliver(REPAIRED | {"item_id": item.plaid_item_id})  # it could be handled now
    assert ask(Item)[0].state == "good"
    assert len(ask(WaitingWebhook)) == 2

    assert handle() == 2
    assert ask(Item)[0].state == "good"
    assert [pull.asked_by for pull in ask(Pull)] == ["webhook"]
    assert not ask(WaitingWebhook)


def test_a_repeated_delivery_is_put_off_once(app, deliver, sign, connected, syncing, handle, ask):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))
    with syncing(item):
        assert deliver(event, token=token) == 200
        assert deliver(event, token=token) == 200
    assert handle() == 1
    assert deliver(event, token=token) == 200
    with app.app_context():
        assert db.session.scalar(select(Item.sync_requested)) == 1


@pytest.mark.both_databases
def test_a_webhook_that_can_not_be_handled_stops_no_other(
    deliver, connected, handle, ask, monkeypatch, caplog
):
    alices, bobs = connected("alice"), connected("bob")
    with monkeypatch.context() as patched:
        known = deliveries.named_item
        patched.setattr(  # so that all wait
            deliveries, "named_item", lambda name: known(name)._replace(some_wait=True)
        )
        for event, item in ((BROKEN, alices), (SYNC, alices), (SYNC, bobs)):
            assert deliver(event | {"item_id": item.plaid_item_id}) == 200

    with monkeypatch.context() as patched:
        patched.setitem(handlers.HANDLERS, tuple(BROKEN.values()), lambda *_: 1 / 0)
        assert handle() == 2
    assert "can't be handled" in caplog.text
    assert sorted(pull.user_id for pull in ask(Pull)) == sorted((alices.user_id, bobs.user_id))
    assert [webhook.handled_at is None for webhook in ask(Webhook)] == [True, False, False]
    assert not ask(WaitingWebhook)
