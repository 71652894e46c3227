"""TOKEN_KEYS is lost: the person connects the bank again, and every row stays as it is."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select, update

from plaidapp.extensions import db
from plaidapp.sealing import Cipher
from plaidapp.store import Account, Item, LinkSession, Transaction
from plaidapp.store.connections import item_states, state_changes

AGAIN = "Log in to the bank again. Everything stored stays."
TOKEN = "link-sandbox-1"


@pytest.fixture
def lose_key(app, monkeypatch):
    def lose():
        cipher = Cipher([Fernet.generate_key().decode()])
        monkeypatch.setitem(app.extensions, "cipher", cipher)
        monkeypatch.setattr(app.extensions["bank"], "_cipher", cipher)

    return lose


@pytest.fixture
def stored(app):
    """What a person would miss: their rows with their notes, and their accounts' names."""

    def read():
        with app.app_context():
            row = Transaction.date, Transaction.amount, Transaction.name, Transaction.note
            rows = db.session.execute(select(*row).where(Transaction.removed_at.is_(None)))
            accounts = db.session.execute(select(Account.id, Account.nickname))
            return sorted(map(repr, rows)), sorted(map(repr, accounts))

    return read


@pytest.mark.parametrize("noticed", ["by a sync", "by a log-in again", "by a new connection"])
def test_the_bank_is_connected_again_and_keeps_its_rows(
    app, alice, connected, small_user, lose_key, stored, fake_link, work, work_due, noticed
):
    with app.app_context():
        db.session.execute(update(Transaction).where(Transaction.id == 1).values(note="mine"))
        db.session.execute(update(Account).where(Account.id == 1).values(nickname="Ours"))
        if noticed == "by a log-in again":
            login = item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED", "Log in."
            state_changes.set_state(1, *login)
        db.session.commit()
    before = stored()
    lose_key()
    if noticed == "by a sync":
        alice.client.post("/finance/items/1/sync")
        work()
        page = alice.client.get("/finance/items/1").text
        assert AGAIN in page
        assert 'action="/finance/items/1/reconnect"' in page

    path = "/finance/connections" if "new" in noticed else "/finance/items/1/reconnect"
    answer = alice.client.post(path)
    assert (answer.status_code, answer.location) == (303, "https://secure.plaid.com/hl/lp1")
    assert "access_token" not in fake_link.created[-1]
    given = {name: value for name, value in small_user.items() if name != "institution_id"}
    fake_link.add(TOKEN, fake_link.result(**given))
    with app.app_context():
        session = db.session.scalar(select(func.max(LinkSession.id)))
    alice.client.get(f"/finance/connections/{session}")
    work_due()

    assert stored() == before
    with app.app_context():
        states = list(db.session.scalars(select(Item.state).order_by(Item.id)))
        here = select(func.count()).where(Transaction.item_id == 2)
        assert (states, db.session.scalar(here)) == (["replaced", "good"], 3)
    verified = app.test_cli_runner().invoke(args=["verify", "2"])
    assert (verified.exit_code, "exact" in verified.output) == (0, True), verified.output


def test_a_link_that_was_open_is_over(alice, fake_link, lose_key):
    alice.client.post("/finance/connections")
    lose_key()

    answer = alice.client.post("/finance/connections/1/continue")

    assert (answer.status_code, "This link to Plaid has expired." in answer.text) == (422, True)
