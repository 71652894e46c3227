"""A check finds every difference from the bank and no false one, and a repair ends it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from plaidapp.extensions import db
from plaidapp.store import Account, AccountCheck, CheckDifference, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import checks
from plaidapp.store.pulls import kinds
from tests.sandbox_control import Control
from tests.stored import copy_of

pytestmark = pytest.mark.usefixtures("context")

EDITS = {"own_category": "MEDICAL", "note": "mine", "hidden": True, "edited_at": now()}


@pytest.fixture
def do(begin, run, look):
    """Do a pull of this kind at the Item, and return what it did there."""

    def pull(kind, item, **fields):
        pull_id = begin(kind, [item], **fields)
        run(pull_id)
        done = look(pull_id)
        assert done.state == "done", (done.error_code, done.items[0].error_message)
        return done.items[0]

    return pull


@pytest.fixture
def check(do):
    return lambda item, **fields: do(kinds.CHECK, item, **fields)


def read(query):
    db.session.remove()
    rows = db.session.scalars(query).all()
    db.session.remove()
    return rows


def found():
    return read(select(CheckDifference).order_by(CheckDifference.id))


def change(statement):
    db.session.execute(statement)
    db.session.commit()
    db.session.remove()


def a_posted_row():
    """The newest row but one, so that its neighbors are in range."""
    query = select(Transaction).where(Transaction.pending.is_(False)).order_by(Transaction.id)
    return read(query.limit(1))[0]


def of_row(row, **values):
    return update(Transaction).where(Transaction.id == row.id).values(**values)


def other_account(row):
    return read(select(Account.id).where(Account.id != row.account_id).order_by(Account.id))[0]


BY_HAND = {
    "amount": (lambda row: of_row(row, amount=row.amount + Decimal("0.00000001")), ["different"]),
    "date": (lambda row: of_row(row, date=row.date - timedelta(days=1)), ["different"]),
    "far date": (lambda row: of_row(row, date=row.date - timedelta(days=2000)), ["different"]),
    "deleted": (
        lambda row: delete(Transaction).where(Transaction.id == row.id),
        ["only_at_bank"],
    ),
    "marked as removed": (lambda row: of_row(row, removed_at=now()), ["only_at_bank"]),
    "duplicated": (lambda row: copy_of(row.id, plaid_transaction_id="made up"), ["only_here"]),
    "moved": (
        lambda row: of_row(row, account_id=other_account(row)),
        ["only_at_bank", "only_here"],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_row_that_was_changed_by_hand_is_found_and_repaired(name, dynamic, do, check):
    by_hand, kinds_found = BY_HAND[name]
    row = a_posted_row()
    change(of_row(row, **EDITS))
    change(by_hand(row))

    assert check(dynamic).differences == len(kinds_found)
    assert sorted(each.kind for each in found()) == kinds_found
    assert {each.plaid_id for each in found()} <= {row.plaid_transaction_id, "made up"}
    (account_check,) = read(select(AccountCheck).where(AccountCheck.account_id == row.account_id))
    assert account_check.differences == 1

    assert do(kinds.REPAIR, dynamic).differences == 0
    assert found() == []
    assert check(dynamic).differences == 0
    again = read(
        select(Transaction).where(
            Transaction.plaid_transaction_id == row.plaid_transaction_id,
            Transaction.removed_at.is_(None),
        )
    )
    assert [(each.amount, each.date, each.account_id) for each in again] == [
        (row.amount, row.date, row.account_id)
    ]
    if name != "deleted":
        assert [each.id for each in again] == [row.id]
        assert {name: getattr(again[0], name) for name in EDITS} == EDITS


def test_a_silent_change_of_the_bank_is_found_and_repaired(dynamic, do, check, bank_server):
    Control(bank_server.url).change(dynamic.plaid_item_id, silent_change=True)
    assert do(kinds.TRANSACTIONS, dynamic).modified == 0

    assert check(dynamic).differences == 1
    (difference,) = found()
    assert difference.kind == checks.DIFFERENT
    assert difference.theirs.amount == difference.ours.amount + 1

    do(kinds.REPAIR, dynamic)
    assert check(dynamic).differences == 0
