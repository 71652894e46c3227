"""Every difference from the bank is found, to the last digit, and reported."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from sqlalchemy import delete, func, select, update

from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, pulls
from tests.stored import copy_of

pytestmark = pytest.mark.usefixtures("context")

SMALLEST = Decimal("0.00000001")


def days_ago(days):
    return (now().date() - timedelta(days=days)).isoformat()


def custom_user():
    """One account with 600 rows: more than a page of /transactions/get."""
    rows = [
        {
            "date_transacted": days_ago(number % 200),
            "date_posted": days_ago(number % 200),
            "amount": number / 4 - 50,
            "description": f"row {number}",
        }
        for number in range(600)
    ]
    account = {"type": "depository", "subtype": "checking", "transactions": rows}
    return json.dumps({"override_accounts": [account]})


@pytest.fixture
def item(app, alice, connect):
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    (found,) = items.everyone()
    db.session.commit()
    return found


def compare(item):
    found = bank_comparison.compare(db.session.get(Item, item.id))
    db.session.rollback()
    db.session.expire_all()
    return found


def first_of(table):
    query = select(table).order_by(table.id).limit(1)
    return db.session.scalars(query).one()


def change(table, **values):
    """Change the first row in the database alone; return it as it was."""
    row = first_of(table)
    db.session.expunge(row)
    db.session.execute(update(table).where(table.id == row.id).values(**values))
    db.session.commit()
    return row


def test_nothing_differs_right_after_a_sync(item):
    assert compare(item) == []


def test_all_pages_of_the_bank_are_compared(alice, connect):
    connect(alice, override_username="user_custom", override_password=custom_user())
    (item,) = items.everyone()
    assert db.session.scalar(select(func.count(Transaction.id))) == 600
    assert compare(item) == []
    removed = change(Transaction, removed_at=now())
    assert [found.plaid_id for found in compare(item)] == [removed.plaid_transaction_id]


def test_a_difference_of_the_smallest_unit_is_found(item, subtests):
    amount = first_of(Transaction).amount
    for stored in (amount + SMALLEST, amount - SMALLEST, amount + 1):
        with subtests.test(str(stored)):
            row = change(Transaction, amount=stored)

            (found,) = compare(item)
            assert (found.kind, found.plaid_id) == ("transaction", row.plaid_transaction_id)
            assert (found.stored["amount"], found.bank["amount"]) == (stored, amount)
            assert str(found).startswith(f"transaction {found.plaid_id}: amount is {stored}")
            assert str(found).count(";") == 0


FIELDS = {
    "pending": lambda row: not row.pending,
    "name": lambda row: row.name + " ",
    "date": lambda row: row.date - timedelta(days=1),
    "iso_currency_code": lambda row: "EUR",
    "pending_transaction_id": lambda row: "another",
}


def test_every_compared_field_is_reported(item):
    values = {name: made(first_of(Transaction)) for name, made in FIELDS.items()}
    change(Transaction, **values)

    (found,) = compare(item)
    for name in ("pending", "name", "date", "currency", "pending_transaction_id"):
        assert f"{name} is {found.stored[name]}, at the bank {found.bank[name]}" in str(found)
    assert "amount" not in str(found)


def test_edits_are_no_difference(item):
    change(Transaction, own_category="Ours", note="note", hidden=True, edited_at=now())
    assert compare(item) == []


def test_a_row_that_is_not_stored_is_reported(item):
    row = first_of(Transaction)
    db.session.execute(delete(Transaction).where(Transaction.id == row.id))
    db.session.commit()

    assert [str(found) for found in compare(item)] == [
        f"transaction {row.plaid_transaction_id}: not stored"
    ]


def test_a_row_that_is_marked_as_removed_is_reported(item):
    row = change(Transaction, removed_at=now())
    assert [str(found) for found in compare(item)] == [
        f"transaction {row.plaid_transaction_id}: not stored"
    ]


def test_a_row_that_the_bank_does_not_have_is_reported(item):
    row = first_of(Transaction)
    db.session.execute(copy_of(row.id, plaid_transaction_id="made up"))
    db.session.commit()

    assert [str(found) for found in compare(item)] == ["transaction made up: not at the bank"]


def test_an_account_that_differs_is_reported(item, subtests):
    for name, value, words in (
        ("current", Decimal("110.00000001"), "current is 110.00000001, at the bank 110"),
        ("current", None, "current is None, at the bank 110"),
        ("name", "X", "name is X, at the bank Plaid Checking"),
        ("mask", "1", "mask is 1, at the bank 0000"),
    ):
        with subtests.test(words):
            row = change(Account, **{name: value})
            found = [str(each) for each in compare(item)]
            assert found == [f"account {row.plaid_account_id}: {words}"]
            change(Account, **{name: getattr(row, name)})


def test_an_account_that_is_closed_only_here_is_reported(item):
    row = change(Account, closed_at=now())
    assert [str(found) for found in compare(item)] == [
        f"account {row.plaid_account_id}: not stored"
    ]


def test_accounts_are_reported_before_transactions(item):
    change(Transaction, removed_at=now())
    change(Account, current=None)
    assert [found.kind for found in compare(item)] == ["account", "transaction"]


def test_another_items_rows_are_not_compared(item, alice, connect):
    user = {"override_username": "user_transactions_dynamic", "override_password": "any"}
    connect(alice, institution_id="ins_3", **user)
    change(Transaction, removed_at=now())
    (_, other) = items.everyone()
    assert len(compare(item)) == 1
    assert compare(other) == []


def test_comparing_changes_nothing(app, item):
    def everything():
        with db.engine.connect() as connection:
            return [connection.execute(table.select()).all() for table in db.metadata.sorted_tables]

    db.session.commit()
    before = everything()
    compare(item)
    assert everything() == before


def test_an_unreachable_bank_is_an_error_and_no_difference(item, bank_server, subtests):
    kinds_of_fault = "reset", "garbage", "wrong_types"
    for path, kind in product(("/accounts/get", "/transactions/get"), kinds_of_fault):
        with subtests.test(f"{kind} at {path}"):
            bank_server.misbehave(path=path, kind=kind)
            with pytest.raises(BankError):
                compare(item)


@pytest.fixture
def not_ready(bank_server):
    """The bank prepares the Item's history again: it answers NOT_READY."""

    def begin(item):
        with bank_server.app.extensions["sandbox"].store.write() as bank:
            later = now().timestamp() + 3600
            bank.execute(
                "UPDATE item SET started = ? WHERE item_id = ?", (later, item.plaid_item_id)
            )

    return begin


def repair(app, item):
    pull = pulls.add(item.user_id, kinds.REPAIR, items=[item], asked_by=pulls.OPERATOR)
    db.session.commit()
    with app.app_context():
        jobs.run(pull.id)
    db.session.expire_all()
    return pulls.by_id(pull.id)


def test_a_repair_while_the_bank_is_not_ready_removes_nothing(app, item, not_ready):
    before = db.session.scalar(select(func.count(Transaction.id)))
    db.session.commit()
    not_ready(item)

    pull = repair(app, item)

    query = select(func.count(Transaction.id)).where(Transaction.removed_at.is_(None))
    assert db.session.scalar(query) == before
    assert pull.state == "queued"  # until the bank is ready
    assert pull.items[0].removed == 0


def test_a_repair_that_began_while_the_bank_was_not_ready_ends_without_differences(
    app, item, not_ready, bank_server, work
):
    change(Transaction, removed_at=now())
    not_ready(item)
    repair(app, item)
    with bank_server.app.extensions["sandbox"].store.write() as bank:
        bank.execute("UPDATE item SET started = 0 WHERE item_id = ?", (item.plaid_item_id,))
    db.session.commit()
    work()
    assert compare(item) == []


def test_a_repair_that_fails_leaves_everything_as_it_was(app, item, bank_server):
    change(Transaction, note="mine", edited_at=now(), removed_at=now())
    before = db.session.execute(select(Transaction.__table__).order_by("id")).all()
    cursor = db.session.scalar(select(Item.cursor))
    db.session.commit()
    bank_server.misbehave(path="/transactions/sync", kind="truncate")

    assert repair(app, item).state == "queued"  # for another attempt

    assert db.session.execute(select(Transaction.__table__).order_by("id")).all() == before
    assert db.session.scalar(select(Item.cursor)) == cursor
