"""After every pull, daily balances and monthly totals fit the rows."""

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Account, Balance, Item, MonthlyTotal, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import balances, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import monthly_refresh, monthly_totals
from sandbox import bank_activity


@pytest.fixture
def sync(begin, run):
    def go(item):
        sync_progress.request_sync(item.id)
        run(begin(kinds.TRANSACTIONS, items=[item]))

    return go


def kept():
    """Return all rows of both tables."""
    db.session.rollback()
    found = [
        db.session.execute(model.__table__.select()).all() for model in (Balance, MonthlyTotal)
    ]
    db.session.rollback()
    return [sorted(map(tuple, rows)) for rows in found]


def drifted(item):
    return [str(found) for found in bank_comparison.drifted(db.session.get(Item, item.id))]


def test_a_first_sync_derives_two_years_of_balances(link, stored):
    item = link(username="user_good", password="pass_good")
    assert drifted(item) == []
    names = select(Account.name).join(Balance, Balance.account_id == Account.id)
    computed = set(db.session.scalars(names.where(Balance.source == balances.COMPUTED)))
    assert computed == {
        *("Plaid Checking", "Plaid Saving", "Plaid Credit Card", "Plaid Money Market"),
    }
    oldest = db.session.scalar(select(db.func.min(Balance.date)))
    assert (now().date() - oldest).days > 700
    assert monthly_totals.count(item.user_id).shown == len(stored())


def test_later_changes_of_the_bank_update_totals_and_balances(dynamic, sync, bank_server, token_of):
    before = kept()
    for _ in range(3):
        bank_activity.refresh(bank_server.app.extensions["sandbox"], token_of(dynamic))
        sync(dynamic)
        assert drifted(dynamic) == []
    assert kept() != before


def test_a_sync_without_changes_writes_nothing(dynamic, sync):
    before = kept()
    sync(dynamic)
    assert kept() == before


def test_a_new_balance_changes_the_derived_days_before_it(dynamic, begin, run, rewrite):
    def richer(page):
        for account in page["accounts"]:
            account["balances"]["current"] += 5
        return page

    before = {row[:2]: row[2:] for row in kept()[0]}
    rewrite("/accounts/balance/get", richer)
    run(begin(kinds.ACCOUNTS, items=[dynamic]))

    after = {row[:2]: row[2:] for row in kept()[0]}
    assert drifted(dynamic) == []
    assert after.keys() == before.keys()
    assert {after[key][0] - before[key][0] for key in after} == {Decimal(5)}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (update(MonthlyTotal).values(count=MonthlyTotal.count + 1), "its totals of"),
        (
            update(Balance)
            .where(Balance.source == balances.COMPUTED)
            .values(current=Decimal("0.00000001")),
            "its daily balances",
        ),
    ],
    ids=["totals", "balances"],
)
def test_wrong_totals_and_balances_are_found_and_repaired(
    dynamic, context, begin, run, spoil, words
):
    before = kept()
    db.session.execute(spoil.execution_options(synchronize_session=False))
    db.session.commit()
    found = bank_comparison.find(db.session.get(Item, dynamic.id))
    assert found
    assert all(words in str(each) for each in found)
    run(begin(kinds.REPAIR, items=[dynamic]))
    assert drifted(dynamic) == []
    assert kept() == before


def test_hiding_a_row_moves_it_to_the_hidden_total(dynamic, stored):
    ids = db.session.scalars(select(Transaction.id).limit(3)).all()
    users.lock_ledger(dynamic.user_id)
    db.session.execute(update(Transaction).where(Transaction.id.in_(ids)).values(hidden=True))
    monthly_refresh.refresh_for(ids)
    db.session.commit()
    assert monthly_totals.count(dynamic.user_id) == (47, 3)
    assert monthly_totals.count(dynamic.user_id, dynamic.id + 1) == (0, 0)
    assert drifted(dynamic) == []
