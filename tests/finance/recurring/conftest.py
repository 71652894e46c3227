"""A bank of alice with one card, and recurring payments on it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Item, Stream, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from plaidapp.store.recurring.recurring_streams import Payment


def soon(days):
    return datetime.now(UTC).date() + timedelta(days=days)


@pytest.fixture
def bank(app, alice):
    """Store an Item of alice with one account. Return both ids."""
    with app.app_context():
        item = Item(user_id=alice.id, plaid_item_id="i", institution_name="Tartan Bank",
                    access_token=b"", update_status="HISTORICAL_UPDATE_COMPLETE")  # fmt: skip
        db.session.add(item)
        db.session.flush()
        account = Account(user_id=alice.id, item_id=item.id, plaid_account_id="a", name="Card",
                          mask="3333", type="credit", updated_at=now())  # fmt: skip
        db.session.add(account)
        db.session.commit()
        return item.id, account.id


@pytest.fixture
def add(app, alice, bank):
    """Store a stream of alice, by default monthly and due in five days. Return its id."""
    item_id, account_id = bank

    def stream(title="Netflix", amount="17.99", *, paid=0, **fields):
        amount = Decimal(amount)
        values = {
            "direction": "in" if amount < 0 else "out",
            "description": title,
            "category_primary": "ENTERTAINMENT",
            "frequency": "MONTHLY",
            "first_date": soon(-90),
            "last_date": soon(-25),
            "predicted_next_date": soon(5),
            "iso_currency_code": "USD",
            "status": "MATURE",
            "is_active": True,
        } | fields
        with app.app_context():
            count = db.session.query(Stream).count()
            row = Stream(
                user_id=alice.id, item_id=item_id, account_id=account_id, average_amount=amount,
                last_amount=amount, plaid_stream_id=f"s{count}", updated_at=now(), **values,
            )  # fmt: skip
            db.session.add(row)
            db.session.flush()
            for number in range(paid):
                plaid_id = f"{count}-{number}"
                db.session.add(Payment(stream_id=row.id, plaid_transaction_id=plaid_id))
            users.ledger_changed(alice.id)
            db.session.commit()
            return row.id

    return stream


@pytest.fixture
def pay(app, alice, bank):
    """Store a transaction and make it a payment of the stream. Return its id."""
    item_id, account_id = bank

    def payment(stream_id, day, amount, **fields):
        with app.app_context():
            count = db.session.query(Transaction).count()
            row = Transaction(
                user_id=alice.id, item_id=item_id, account_id=account_id, pending=False,
                plaid_transaction_id=f"paid{count}", date=day, amount=Decimal(amount),
                name="Payment", iso_currency_code="USD", **fields,
            )  # fmt: skip
            db.session.add(row)
            db.session.flush()
            db.session.add(
                Payment(stream_id=stream_id, plaid_transaction_id=row.plaid_transaction_id)
            )
            users.ledger_changed(alice.id)
            db.session.commit()
            return row.id

    return payment
