"""A check finds every difference from the bank and no false one, and a repair ends it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from plaidapp import policy
from plaidapp.bank import client
from plaidapp.extensions import db
from plaidapp.store import (
    Account,
    AccountCheck,
    Balance,
    CheckDifference,
    Item,
    Pull,
    Transaction,
)
from plaidapp.store.base.types import now
from plaidapp.store.connections import checks
from plaidapp.store.pulls import kinds, pulls
from tests.sandbox_control import Control
from tests.stored import copy_of

pytestmark = pytest.mark.usefixtures("context")

BROKEN = {"status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR"}
EDITS = {"own_category": "MEDICAL", "note": "mine", "hidden": True, "edited_at": now()}


@pytest.fixture
def small(link, today):
    """Two accounts with a row each."""
    accounts = [
        {
            "type": "depository",
            "subtype": subtype,
            "transactions": [
                {
                    "date_transacted": str(today - timedelta(days=age)),
                    "date_posted": str(today - timedelta(days=age)),
                    "amount": 12.5,
                    "description": f"row {age}",
                }
            ],
        }
        for age, subtype in ((40, "checking"), (3, "savings"))
    ]
    return link(username="user_custom", password=json.dumps({"override_accounts": accounts}))


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
    """The oldest one: the bank's activity changes the newest."""
    shown = Transaction.pending.is_(False), Transaction.removed_at.is_(None)
    query = select(Transaction).where(*shown).order_by(Transaction.date, Transaction.id)
    return read(query.limit(1))[0]


def of_row(row, **values):
    return update(Transaction).where(Transaction.id == row.id).values(**values)


def other_account(row):
    return read(select(Account.id).where(Account.id != row.account_id).order_by(Account.id))[0]


BY_HAND = {
    "amount": (lambda row: of_row(row, amount=row.amount + Decimal("0.00000001")), ["different"]),
    "date": (lambda row: of_row(row, date=row.date - timedelta(days=1)), ["different"]),
    "far date": (lambda row: of_row(row, date=row.date - timedelta(days=2000)), ["different"]),
    "marked as removed": (lambda row: of_row(row, removed_at=now()), ["only_at_bank"]),
    "duplicated": (lambda row: copy_of(row.id, plaid_transaction_id="made up"), ["only_here"]),
    "moved": (
        lambda row: of_row(row, account_id=other_account(row)),
        ["only_at_bank", "only_here"],
    ),
    "deleted": (
        lambda row: delete(Transaction).where(Transaction.id == row.id),
        ["only_at_bank"],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_row_that_was_changed_by_hand_is_found_and_repaired(small, do, check, name):
    by_hand, kinds_found = BY_HAND[name]
    change(of_row(a_posted_row(), **EDITS))
    row = a_posted_row()
    change(by_hand(row))

    assert check(small).differences == len(kinds_found)
    assert sorted(each.kind for each in found()) == kinds_found
    assert {each.plaid_id for each in found()} <= {row.plaid_transaction_id, "made up"}
    of_account = AccountCheck.account_id == row.account_id
    assert read(select(AccountCheck.differences).where(of_account)) == [1]

    assert do(kinds.REPAIR, small).differences == 0
    assert found() == []
    again = a_posted_row()
    assert (again.amount, again.date, again.account_id) == (row.amount, row.date, row.account_id)
    assert again.plaid_transaction_id == row.plaid_transaction_id
    if name != "deleted":
        assert again.id == row.id
        assert {name: getattr(again, name) for name in EDITS} == EDITS


def test_a_pending_row_that_is_stored_as_posted_is_a_difference(dynamic, do, check):
    row = read(select(Transaction).where(Transaction.pending.is_(True)))[0]
    change(of_row(row, pending=False))

    assert check(dynamic).differences == 1
    assert [(each.kind, each.transaction_id) for each in found()] == [("different", row.id)]
    assert do(kinds.REPAIR, dynamic).differences == 0


def test_a_silent_change_of_the_bank_is_found_and_repaired(dynamic, do, check, bank_server):
    Control(bank_server.url).change(dynamic.plaid_item_id, silent_change=True)
    assert do(kinds.TRANSACTIONS, dynamic).modified == 0

    assert check(dynamic).differences == 1
    (difference,) = found()
    assert difference.kind == checks.DIFFERENT
    assert difference.theirs.amount == difference.ours.amount + 1

    do(kinds.REPAIR, dynamic)
    assert check(dynamic).differences == 0


def test_exactness_is_shown_with_its_sum(dynamic, check):
    assert check(dynamic).differences == 0

    results = read(select(AccountCheck).order_by(AccountCheck.account_id))
    posted = read(select(Transaction).where(Transaction.pending.is_(False)))
    pending = read(select(Transaction).where(Transaction.pending.is_(True)))
    assert sum(each.rows for each in results) == len(posted)
    assert sum(each.pending for each in results) == len(pending) > 0
    assert {each.differences for each in results} == {0}
    depository = read(select(Account.id).where(Account.type.in_(("depository", "credit"))))
    for each in results:
        assert each.gap == (0 if each.account_id in depository else None)
        account = read(select(Account).where(Account.id == each.account_id))[0]
        impossible = checks.INVESTMENTS if account.type == "investment" else None
        assert (each.impossible, each.rows > 0) in ((impossible, False), (None, each.rows > 0))


def test_what_the_bank_changed_since_the_last_sync_is_no_difference(
    dynamic, check, bank_server, token_of
):
    bank_server.change(token_of(dynamic))  # posts, changes and adds rows
    row = a_posted_row()
    change(of_row(row, name="by hand"))

    assert check(dynamic).differences == 1  # and neither the new rows nor the changed ones

    assert [each.plaid_id for each in found()] == [row.plaid_transaction_id]
    assert kinds.TRANSACTIONS in read(select(Pull.kind).where(Pull.state == pulls.QUEUED))


def test_a_change_between_two_pages_is_no_difference(
    link, custom, check, bank_server, token_of, monkeypatch
):
    """A row that the bank adds moves all others down a page."""
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    item = link(**custom(*(("1.5", age) for age in range(2, 9))))
    token, pages = token_of(item), client.Bank.transactions_page

    def changing(bank, sealed, start, end, offset):
        page = pages(bank, sealed, start, end, offset)
        if offset == 2:
            bank_server.change(token)
        return page

    monkeypatch.setattr(client.Bank, "transactions_page", changing)
    assert check(item).differences == 0
    assert found() == []


@pytest.mark.parametrize("path", ["/accounts/get", "/transactions/get"])
def test_a_bank_that_fails_leaves_the_last_check(path, small, check, begin, run, look, bank_server):
    change(of_row(a_posted_row(), name="by hand"))
    check(small)
    before = read(select(AccountCheck))[0].checked_at
    bank_server.misbehave(path=path, kind="error", **BROKEN)

    pull_id = begin(kinds.CHECK, [small])
    run(pull_id)

    pull = look(pull_id)
    assert (pull.state, pull.failures) == (pulls.QUEUED, 1)
    assert len(found()) == 1
    assert read(select(AccountCheck))[0].checked_at == before
    (item,) = read(select(Item))
    assert item.check_message == pull.items[0].error_message
    assert (item.state, item.failing_since) == ("good", None)
    bank_server.faults.rulebook.clear()
    run(pull_id)
    assert look(pull_id).state == pulls.DONE
    assert read(select(Item))[0].check_message is None


def test_a_balance_that_is_not_the_banks_is_one_difference(small, do, check):
    account = read(select(Account).where(Account.type == "depository"))[0]
    change(update(Account).where(Account.id == account.id).values(current=Decimal("1.23")))

    assert check(small).differences == 1
    (difference,) = found()
    assert (difference.kind, difference.account_id) == (checks.BALANCE, account.id)
    assert (difference.ours.amount, difference.theirs.amount) == (Decimal("1.23"), account.current)
    assert read(select(Account.current).where(Account.id == account.id)) == [Decimal("1.23")]

    assert do(kinds.REPAIR, small).differences == 0
    assert read(select(Account.current).where(Account.id == account.id)) == [account.current]


def test_an_old_balance_is_only_old(small, check):
    account = read(select(Account).where(Account.type == "depository"))[0]
    old = {"current": Decimal("1.23"), "updated_at": now() - policy.BALANCE_HOLDS}
    change(update(Account).where(Account.id == account.id).values(old))
    change(
        update(Balance)
        .where(Balance.account_id == account.id, Balance.source == "bank")
        .values(current=Decimal("1.23"))
    )

    assert check(small).differences == 0
    assert kinds.TRANSACTIONS in read(select(Pull.kind).where(Pull.state == pulls.QUEUED))


def test_what_cant_be_compared_is_no_difference(dynamic, check):
    account = read(select(Account).where(Account.type == "depository"))[0]
    row = a_posted_row()
    change(copy_of(row.id, plaid_transaction_id="old", date=now().date() - timedelta(days=900)))
    change(copy_of(row.id, plaid_transaction_id="unposted", pending=True))
    change(
        update(Account)
        .where(Account.id == account.id)
        .values(type="investment", current=Decimal("1.23"))
    )
    closed = read(select(Account.id).where(Account.id.not_in((account.id, row.account_id))))[0]
    change(update(Account).where(Account.id == closed).values(closed_at=now(), current=None))

    assert check(dynamic).differences == 0
    results = {each.account_id: each for each in read(select(AccountCheck))}
    assert results[account.id].impossible == checks.INVESTMENTS
    assert results[closed].impossible == checks.CLOSED
    if row.account_id != account.id:
        assert results[row.account_id].older == 1


def test_the_clocks_checks_compare_the_last_days_and_everything_once_a_week(small, check):
    old = read(select(Transaction).order_by(Transaction.date))[0]
    long_ago = now().date() - timedelta(days=policy.CHECKED_DAYS + 1)
    change(copy_of(old.id, plaid_transaction_id="old", date=long_ago))
    unseen = {"asked_by": pulls.CLOCK}

    assert check(small, **unseen).differences == 1  # the first one compares everything
    assert check(small, **unseen).differences == 1  # and so does each while something differs
    change(delete(Transaction).where(Transaction.plaid_transaction_id == "old"))
    assert check(small, **unseen).differences == 0
    change(copy_of(old.id, plaid_transaction_id="old", date=long_ago))
    assert check(small, **unseen).differences == 0
    assert check(small).differences == 1  # a person's compares everything
    change(delete(CheckDifference))
    change(update(AccountCheck).values(differences=0))
    week_ago = now() - policy.FULL_CHECK_AFTER
    change(update(Item).values(fully_checked_at=week_ago))
    assert check(small, **unseen).differences == 1


def test_many_differences_are_counted_and_some_are_stored(small, check, monkeypatch):
    monkeypatch.setattr(policy, "DIFFERENCES_KEPT", 3)
    row = a_posted_row()
    for number in range(5):
        change(copy_of(row.id, plaid_transaction_id=f"made up {number}"))

    assert check(small).differences == 5
    assert len(found()) == 3
    assert read(
        select(AccountCheck.differences).where(AccountCheck.account_id == row.account_id)
    ) == [5]
