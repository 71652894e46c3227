"""Syncs of several banks match the transfers between them, in whichever order they run."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Item, Transaction
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds
from tests.scripted_bank import scripted_bank  # noqa: F401 a fixture

NAMES = ("checking", "savings")


@pytest.fixture
def logins(scripted_bank):  # noqa: F811
    """Two log-ins, each with an account."""
    found = [scripted_bank.login(name) for name in NAMES]
    return {
        name: (login, login.account(mask=str(number), name=name, subtype=name))
        for number, (name, login) in enumerate(zip(NAMES, found, strict=True))
    }


@pytest.fixture
def connect(link):
    return lambda name: link(institution_id=f"ins_{name}", username=name, password="any")


def matched():
    """Return the names of the two sides of each match, once, and how many there are of each."""
    db.session.remove()
    into = aliased(Transaction)
    query = select(Transaction.name, into.name).where(
        into.id == Transaction.other_side_id,
        into.other_side_id == Transaction.id,
        Transaction.amount > 0,
        Transaction.removed_at.is_(None),
    )
    found = Counter(tuple(each) for each in db.session.execute(query))
    db.session.remove()
    return found


def check(*items):
    for item in items:
        assert bank_comparison.drifted(db.session.get(Item, item.id)) == []


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]])
def test_either_bank_may_be_synced_first(logins, connect, begin, run, today, order):
    (checking, out), (savings, into) = logins["checking"], logins["savings"]
    checking.row(out, today - timedelta(days=40), "500", "To savings")
    savings.row(into, today - timedelta(days=38), "-500", "Deposit")
    items = [connect(name) for name in order]
    assert matched() == {("To savings", "Deposit"): 1}
    check(*items)

    checking.row(out, today, "70", "Transfer")
    later = savings.row(into, today, "-70", "From afar")
    for item in items:
        sync_progress.request_sync(item.id)
        run(begin(kinds.TRANSACTIONS, items=[item]))
    assert matched() == {("To savings", "Deposit"): 1, ("Transfer", "From afar"): 1}

    savings.remove(later)
    for item in items:
        sync_progress.request_sync(item.id)
        run(begin(kinds.TRANSACTIONS, items=[item]))
    assert matched() == {("To savings", "Deposit"): 1}
    check(*items)


def test_a_match_survives_a_reconnect(logins, connect, today):
    (checking, out), (savings, into) = logins["checking"], logins["savings"]
    checking.row(out, today, "500", "Transfer")
    savings.row(into, today, "-500", "Deposit")
    items = [connect("checking"), connect("savings"), connect("checking")]
    assert matched() == {("Transfer", "Deposit"): 1}
    check(*items[1:])


def test_two_syncs_at_once_match_what_both_store(context, logins, connect, begin, run, today):
    def run_in_thread(pull_id):
        with context.app_context():
            run(pull_id)

    items = [connect(name) for name in NAMES]
    for age in range(0, 300, 7):
        for (login, account), sign in zip(logins.values(), ("", "-"), strict=True):
            login.row(account, today - timedelta(days=age), f"{sign}{100 + age}", "Transfer")
    pulls = [begin(kinds.TRANSACTIONS, items=[item]) for item in items]
    threads = [threading.Thread(target=run_in_thread, args=[pull]) for pull in pulls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert matched() == {("Transfer", "Transfer"): 43}
    check(*items)


def test_every_payment_between_the_test_users_accounts_is_matched(link):
    item = link(username="user_good", password="pass_good")
    names = {
        "CREDIT CARD 3333 PAYMENT": "AUTOMATIC PAYMENT - THANK YOU",
        "ONLINE TRANSFER TO MONEY MARKET ...4444": "ONLINE TRANSFER FROM CHECKING ...0000",
        "STUDENT LOAN SERVICING PAYMENT": "PAYMENT RECEIVED",
    }
    found = matched()
    assert found.keys() == set(names.items())
    rows = Counter(db.session.scalars(select(Transaction.name)))
    db.session.remove()
    for (out, into), count in found.items():
        assert rows[out] == rows[into] == count
    check(item)
