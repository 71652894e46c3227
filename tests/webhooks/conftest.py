"""Deliver webhooks as Plaid does, about Items without a bank."""

import json

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.people import users

PATH = "/webhooks/plaid"
SYNC = {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE"}


def as_sent(event) -> bytes:
    return json.dumps(event, indent=2).encode()


@pytest.fixture
def sign(bank_server):
    """Sign as Plaid does, with a new signature each time."""
    return bank_server.app.extensions["sandbox"].webhook_queue.key.sign


@pytest.fixture
def deliver(app, sign):
    def post(event=SYNC, *, token=None, to=app):
        body = event if isinstance(event, bytes) else as_sent(event)
        headers = {"Plaid-Verification": sign(body) if token is None else token}
        return to.test_client().post(PATH, data=body, headers=headers).status_code

    return post


@pytest.fixture
def connected(app):
    """Add a person's Item without a bank."""

    def connect(name):
        with app.app_context():
            user = users.add(name, f"{name}@example.com", "no hash")
            db.session.flush()
            item = items.add(user_id=user.id, plaid_item_id=f"of-{name}", access_token=b"")
            db.session.add(
                Account(
                    user_id=user.id,
                    item_id=item.id,
                    plaid_account_id="checking",
                    name="Checking",
                    type="depository",
                    updated_at=now(),
                )
            )
            db.session.commit()
            return item

    return connect
