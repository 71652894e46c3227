"""Connecting a bank, from the click to the stored rows."""

from plaidapp.extensions import db
from plaidapp.store import Account, Item, Pull, Transaction


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
