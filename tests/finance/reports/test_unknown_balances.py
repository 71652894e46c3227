"""What pages say about balances that the bank does not report."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account
from plaidapp.store.base.types import now
from plaidapp.store.connections import balances
from plaidapp.store.people import users
from tests.pages import Page

pytestmark = pytest.mark.both_databases


@pytest.fixture
def report(app, connected):
    """Change what the bank reports of the savings account; its other account has $1."""

    def change(keep_history=False, **columns):
        with app.app_context():
            first, savings = db.session.scalars(db.select(Account).order_by(Account.id))
            first.current = 1
            savings.name = "Sav"
            for name, value in {"current": None, **columns}.items():
                setattr(savings, name, value)
            if not keep_history:
                db.session.execute(balances.TABLE.delete())
            users.ledger_changed(connected.id)
            db.session.commit()
        page = Page(connected.client.get("/finance/").text)
        return page.find(id="net-worth")[1], page.find(id="accounts")[1]

    return change


def test_an_unknown_balance_is_named_next_to_each_sum(report):
    worth, listed = report(available=None)
    assert worth.startswith("Net worth")
    assert "$1.00" in worth
    assert "Sav is not included: its balance is unknown." in worth
    assert "Cash $1.00 1 unknown" in listed
    assert listed.endswith("unknown")


def test_many_unknown_balances_are_only_counted(app, connected):
    with app.app_context():
        db.session.execute(balances.TABLE.delete())
        db.session.execute(db.update(Account).values(current=None, available=None))
        first, *_ = db.session.scalars(db.select(Account).order_by(Account.id))
        first.current = 1
        same = {"user_id": connected.id, "item_id": first.item_id, "iso_currency_code": "USD"}
        db.session.add_all(
            Account(plaid_account_id=name, name=name, type="loan", updated_at=now(), **same)
            for name in ("More 1", "More 2", "More 3", "More 4", "More 5")
        )
        users.ledger_changed(connected.id)
        db.session.commit()
    worth = Page(connected.client.get("/finance/").text).find(id="net-worth")[1]
    assert "6 accounts are not included: their balances are unknown." in worth
    assert "More" not in worth


def test_what_is_available_stands_in_and_is_called_so(report, connected):
    worth, listed = report(available=500)
    assert "$501.00" in worth
    assert "not included" not in worth
    assert "Cash $501.00" in listed
    assert "available 500.00" in listed
    assert "available $500.00" in Page(connected.client.get("/finance/items").text).text


def test_the_limit_less_what_is_available_is_owed_and_is_called_so(report):
    worth, listed = report(type="credit", available=590, limit=1000)
    assert "−$409.00" in worth
    assert "limit less available −410.00" in listed


def test_the_last_known_balance_stays_and_is_called_so(report):
    worth, listed = report(keep_history=True, available=None)
    assert "not included" not in worth
    assert "last known 320.76" in listed
