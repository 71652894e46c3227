"""A sync updates totals and balances of the days that a row leaves and of those it arrives at."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Account, Balance, Item, MonthlyTotal, Transaction
from plaidapp.store.base.dates import month_of, months_later
from plaidapp.store.base.types import now
from plaidapp.store.connections import balances, sync_progress
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import raw_pages

TODAY = now().date()
SPENT = TODAY - timedelta(days=100)


@pytest.fixture
def item(link):
    """Two checking accounts, each with two purchases, one of them on the day SPENT."""
    rows = [
        {"date_transacted": str(day), "date_posted": str(day), "amount": 5, "description": "row"}
        for day in (SPENT, TODAY - timedelta(days=3))
    ]
    account = {"type": "depository", "subtype": "checking", "transactions": rows}
    accounts = [account | {"meta": {"name": name}} for name in ("First", "Second")]
    return link(username="user_custom", password=json.dumps({"override_accounts": accounts}))


@pytest.fixture
def row(item):
    """The purchase of the first account on the day SPENT."""
    first = select(db.func.min(Account.id)).scalar_subquery()
    query = select(Transaction).where(Transaction.account_id == first, Transaction.date == SPENT)
    return db.session.scalars(query).one()


@pytest.fixture
def sync(item, row, begin, run, rewrite):
    """A sync in which the bank sends nothing but this change."""

    def with_change(**change):
        sent = json.loads(raw_pages.json_of(row))

        def edit(page):
            return page | {"added": [], "modified": [sent | change], "removed": []}

        def remove(page):
            removed = [{"transaction_id": row.plaid_transaction_id}]
            return page | {"added": [], "modified": [], "removed": removed}

        rewrite("/transactions/sync", edit if change else remove)
        sync_progress.request_sync([item.id])
        run(begin(kinds.TRANSACTIONS, items=[item]))

    return with_change


def drifted(item):
    return [str(found) for found in bank_comparison.drifted(db.session.get(Item, item.id))]


def months_of(account_id):
    query = select(MonthlyTotal.month).where(MonthlyTotal.account_id == account_id)
    return set(db.session.scalars(query))


@pytest.mark.parametrize("months", [-3, -1, 1, 2])
def test_a_row_that_moves_to_another_month(item, row, sync, months):
    account_id, day = row.account_id, months_later(SPENT, months)
    sync(date=str(day))
    assert drifted(item) == []
    assert month_of(SPENT) not in months_of(account_id)
    assert month_of(day) in months_of(account_id)


def test_a_row_that_moves_to_another_account(item, row, sync):
    account_id = row.account_id
    other = db.session.scalars(select(Account).where(Account.id != account_id)).one()
    other_id, plaid_id = other.id, other.plaid_account_id
    sync(account_id=plaid_id)
    assert drifted(item) == []
    assert month_of(SPENT) not in months_of(account_id)
    assert month_of(SPENT) in months_of(other_id)


def test_a_row_that_is_removed(item, row, sync):
    account_id = row.account_id
    sync()
    assert drifted(item) == []
    assert month_of(SPENT) not in months_of(account_id)


def test_an_account_without_a_change_is_not_computed_again(item, row, sync):
    other_id = db.session.scalar(select(Account.id).where(Account.id != row.account_id))
    spoiled = update(Balance).where(
        Balance.account_id == other_id, Balance.source == balances.COMPUTED
    )
    db.session.execute(spoiled.values(current=0), execution_options={"synchronize_session": False})
    db.session.commit()
    sync(amount=6)
    assert len(drifted(item)) == 1
