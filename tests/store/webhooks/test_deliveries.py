"""Each delivery is stored once, as it came."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Webhook
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.webhooks import deliveries

pytestmark = pytest.mark.usefixtures("context")

OF_NO_ITEM = {
    "type": "ITEM",
    "code": "ERROR",
    "plaid_item_id": "x",
    "item_id": None,
    "session_id": None,
    "handled": True,
}


def stored():
    return db.session.scalars(select(Webhook).order_by(Webhook.id)).all()


def test_a_delivery_is_stored_as_it_came():
    assert deliveries.save("token", '{\n  "é": "☃"\n}', **OF_NO_ITEM)

    (row,) = stored()
    assert (row.type, row.code, row.plaid_item_id, row.item_id) == ("ITEM", "ERROR", "x", None)
    assert row.body == '{\n  "é": "☃"\n}'
    assert row.received_at == row.handled_at


def test_the_same_delivery_is_stored_once():
    assert deliveries.save("token", "first", **OF_NO_ITEM)
    assert not deliveries.save("token", "second", **OF_NO_ITEM)
    assert [row.body for row in stored()] == ["first"]


def test_an_equal_body_is_another_delivery():
    assert deliveries.save("one", "body", **OF_NO_ITEM)
    assert deliveries.save("other", "body", **OF_NO_ITEM)
    assert len(stored()) == 2


def test_an_unknown_type_is_not_handled():
    assert deliveries.save(
        "t",
        "",
        type=None,
        code=None,
        plaid_item_id=None,
        item_id=None,
        session_id=None,
        handled=False,
    )
    (row,) = stored()
    assert (row.type, row.code, row.plaid_item_id, row.handled_at) == (None, None, None, None)


def test_nothing_here_commits():
    deliveries.save("token", "body", **OF_NO_ITEM)
    db.session.rollback()
    assert stored() == []
    assert deliveries.save("token", "body", **OF_NO_ITEM)


def test_of_equal_deliveries_at_once_one_is_stored(app):
    together = threading.Barrier(6)

    def keep(_):
        with app.app_context():
            together.wait()
            new = deliveries.save("token", "body", **OF_NO_ITEM)
            db.session.commit()
            return new

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(keep, range(6))) == [False] * 5 + [True]
    assert len(stored()) == 1


def test_webhooks_are_deleted_with_their_item():
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.flush()
    item = items.add(user_id=user.id, plaid_item_id="x", access_token=b"")
    deliveries.save("one", "", **OF_NO_ITEM | {"item_id": item.id})
    deliveries.save("other", "", **OF_NO_ITEM)
    db.session.delete(item)
    db.session.commit()
    assert [row.item_id for row in stored()] == [None]
