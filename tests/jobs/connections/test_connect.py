"""Connecting a bank, from the click to the stored rows."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.sealing import Cipher
from plaidapp.store import Account, Item, Pull, Transaction
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, transitions
from tests.sandbox_control import Control

ACCOUNTS, SYNC = "/accounts/get", "/transactions/sync"
EXCHANGE = "/item/public_token/exchange"
SANDBOX_DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}


def test_a_test_bank_arrives_with_its_accounts_and_transactions(app, alice, connect):
    connect(alice)

    with app.app_context():
        asked = db.session.execute(db.select(Pull.kind, Pull.state).order_by(Pull.id)).all()
        assert asked == [("link", "done"), ("recurring", "done")]
        item = db.session.scalars(db.select(Item)).one()
        assert item.institution_name == "First Platypus Bank"
        assert item.sync_applied == item.sync_requested == 1
        assert db.session.query(Account).count() == 9
        assert db.session.query(Transaction).count() > 1000


@pytest.mark.parametrize(
    ("given", "institution", "code"),
    [
        ({"username": "user_bad", "password": "x"}, "ins_109508", "INVALID_CREDENTIALS"),
        ({"username": "user_custom", "password": "not JSON"}, "ins_109508", "INVALID_FIELD"),
        ({}, "ins_none", "INVALID_INSTITUTION"),
    ],
)
def test_a_refused_connection_stores_no_item(begin, run, look, given, institution, code):
    pull_id = begin(kinds.LINK, given=given, institution_id=institution)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.error_code, pull.items) == ("failed", code, [])
    assert pull.error_message.endswith(".") or code == "INVALID_FIELD"
    assert db.session.query(Item).count() == 0


def test_retrying_a_refused_connection_uses_the_same_input(begin, run, look):
    pull_id = begin(kinds.LINK, given={"username": "user_bad", "password": "x"})
    run(pull_id)
    transitions.queue_again(pull_id)
    db.session.commit()
    run(pull_id)
    assert look(pull_id).error_code == "INVALID_CREDENTIALS"
    assert db.session.query(Item).count() == 0


def test_a_finished_connection_deletes_what_was_typed(begin, run, look, custom):
    pull_id = begin(kinds.LINK, given=custom(("1", 3)))
    assert look(pull_id).sealed
    run(pull_id)
    assert look(pull_id).sealed is None


@pytest.mark.parametrize("path", [ACCOUNTS, SYNC])
def test_a_retry_after_the_token_exchange_continues_from_there(begin, run, look, bank_server, path):
    pull_id = begin(kinds.LINK)
    bank_server.misbehave(path=path, times=1, **SANDBOX_DOWN)
    run(pull_id)
    assert look(pull_id).items[0].error_code == "DOWN"
    run(pull_id)
    assert look(pull_id).state == "done"
    assert db.session.query(Item).count() == 1
    assert bank_server.faults.rulebook.report()["calls"][EXCHANGE] == 1


def test_a_worker_that_dies_after_the_token_exchange_leaves_no_item_behind(
    begin, run, look, bank_server, monkeypatch
):
    """Plaid answers a repeated exchange with the same Item."""

    def die(**_):
        raise KeyboardInterrupt

    before = len(Control(bank_server.url).items())
    pull_id = begin(kinds.LINK)
    with monkeypatch.context() as patch:
        patch.setattr(items, "add", die)
        with pytest.raises(KeyboardInterrupt):
            run(pull_id)
    db.session.rollback()
    assert bank_server.faults.rulebook.report()["calls"][EXCHANGE] == 1
    db.session.execute(update(Pull).values(state="queued"))
    db.session.commit()
    run(pull_id)
    assert look(pull_id).state == "done"
    (known,) = db.session.scalars(select(Item.plaid_item_id)).all()
    assert [each["item_id"] for each in Control(bank_server.url).items()[before:]] == [known]


def test_a_public_token_that_expires_between_two_tries_is_replaced(begin, run, look):
    expired = {"public_token": "public-sandbox-of-yesterday"}
    pull_id = begin(kinds.LINK, given=expired)
    run(pull_id)
    assert look(pull_id).state == "done"


def test_input_that_was_encrypted_with_a_lost_key_is_an_error(
    context, begin, run, look, monkeypatch, custom
):
    pull_id = begin(kinds.LINK, given=custom(("1", 3)))
    other = Cipher([Fernet.generate_key().decode()])
    monkeypatch.setitem(context.extensions, "cipher", other)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.error_code) == ("failed", "TOKEN_UNREADABLE")
