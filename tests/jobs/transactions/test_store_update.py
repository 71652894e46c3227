"""An update is stored in batches, is counted, and refreshes the days that it changes.

These are the days that a row leaves as well as those that it moves to.
"""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.jobs.transactions import batches as batching
from plaidapp.jobs.transactions.spool import Page
from plaidapp.store import Account, Balance, Item, MonthlyTotal, Transaction
from plaidapp.store.base.dates import month_of, months_later
from plaidapp.store.base.types import now
from plaidapp.store.connections import balances, sync_progress
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import raw_pages
from plaidapp.store.transactions.ingest import Row

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
        sync_progress.request_sync(item.id)
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


@pytest.fixture
def reconnect(begin, run, look, slow_sandbox, custom):
    """Connect a bank that first has the last 30 days and later all rows.

    Each row is an amount and an age in days. Returns the pull's counts at its Item.
    """

    def connect(*rows):
        pull_id = begin(kinds.LINK, given=custom(*rows))
        for seconds in (0, 15, 60):
            slow_sandbox.turn(seconds)
            run(pull_id)
        assert look(pull_id).state == "done"
        return look(pull_id).items[0]

    return connect


def test_a_row_that_the_new_connection_misses(reconnect, today):
    reconnect(("1", 3), ("2", 50), ("3", 120))
    pull_item = reconnect(("1", 3), ("2", 120))
    (account_id,) = db.session.scalars(select(Account.id))
    assert drifted(pull_item.item) == []
    assert months_of(account_id) == {month_of(today - timedelta(days=age)) for age in (3, 120)}


def test_rows_of_an_earlier_connection_are_counted_as_kept(reconnect):
    first = reconnect(("1", 3), ("2", 50))
    again = reconnect(("1", 3), ("2", 50), ("3", 120))
    counts = [(each.added, each.kept, each.modified, each.removed) for each in (first, again)]
    assert counts == [(2, 0, 0, 0), (1, 2, 0, 0)]


# --- Batches


def row_named(name):
    return Row(
        "account", name, None, "2026-01-31", None, 1, "USD", None, name, None, None, None, None,
        None, False, 0,
    )  # fmt: skip


def page(*added, modified=(), removed=()):
    return Page(list(map(row_named, added)), list(map(row_named, modified)), list(removed), b"")


def batches(*pages):
    return [
        (
            [row.plaid_transaction_id for row in batch.added],
            [row.plaid_transaction_id for row in batch.modified],
            batch.removed,
        )
        for batch in batching.batches(pages)
    ]


def test_pages_with_different_transactions_share_a_batch():
    together = batches(page("a", "b"), page("c", modified=["d"]), page(removed=["e"]))
    assert together == [(["a", "b", "c"], ["d"], ["e"])]


def test_a_transaction_that_a_later_page_names_again_begins_a_batch():
    assert batches(page("a"), page(removed=["a"]), page("a")) == [
        (["a"], [], []),
        ([], [], ["a"]),
        (["a"], [], []),
    ]
    assert batches(page("a"), page(modified=["a"])) == [(["a"], [], []), ([], ["a"], [])]


def test_a_batch_has_at_most_so_many_rows_unless_one_page_has_more(monkeypatch):
    monkeypatch.setattr(batching, "BATCH_ROWS", 3)
    assert batches(page("a", "b"), page("c"), page("d"), page("e", "f", "g", "h")) == [
        (["a", "b", "c"], [], []),
        (["d"], [], []),
        (["e", "f", "g", "h"], [], []),
    ]


def test_an_empty_update_is_one_empty_batch():
    assert batches(page()) == [([], [], [])]
