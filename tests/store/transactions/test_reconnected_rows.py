"""Rows of an earlier Item go over to the one that names them; against a model, with luck's help."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.store import FormerAccount, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, former_accounts, item_states
from plaidapp.store.transactions import item_rows, reconnected_rows
from tests import stored

DAY = date(2026, 3, 1)


@pytest.fixture
def old(item, another_item):
    """The Item whose only account "a" has moved to `another_item`, where it is "a" too."""
    (row,) = accounts.of_item(another_item.id)
    db.session.delete(row)
    db.session.flush()
    (row,) = accounts.of_item(item.id)
    row.item_id = another_item.id
    db.session.flush()
    db.session.add(FormerAccount(item_id=item.id, plaid_account_id="a", account_id=row.id))
    db.session.commit()
    return item


@pytest.fixture
def new(old, another_item):
    return another_item


@pytest.fixture
def save_old(owner, new):
    """Store rows of the old Item from when the account was still its own."""

    def store(item, *rows):
        stored.save(owner, item.id, accounts.ids_of_item(new.id), rows)
        db.session.commit()

    return store


@pytest.fixture
def receive(owner, new):
    """Store an update of the new Item as a sync does. Returns rows reconnected and removed."""

    def store(*rows, status=item_states.COMPLETE):
        former = former_accounts.former_items(new.id)
        ids = accounts.ids_of_item(new.id)
        count, new_ids = reconnected_rows.reconnect(new.id, former, ids, stored.rows_of(rows))
        stored.save(owner, new.id, ids, rows)
        removed = reconnected_rows.remove_missing(new.id, former, status, new_ids)
        db.session.commit()
        return count, len(removed)

    return store


def shown():
    db.session.expire_all()
    query = select(Transaction).where(Transaction.removed_at.is_(None)).order_by(Transaction.id)
    return list(db.session.scalars(query))


def edit(row, note="mine"):
    values = {"note": note, "hidden": True, "own_category": "TRAVEL", "edited_at": now()}
    db.session.execute(update(Transaction).where(Transaction.id == row.id).values(**values))
    db.session.commit()


def key(row):
    return row.date, row.amount, row.name, row.pending


@pytest.mark.parametrize("seed", range(12))
def test_two_random_ledgers_agree_with_the_model(old, new, save_old, receive, transaction, seed):
    dice = random.Random(seed)

    def some(prefix, count, since):
        """Return rows with few different values, so that many are equal."""
        return [
            transaction(
                f"{prefix}{number}",
                DAY - timedelta(days=dice.randint(0, since)),
                dice.choice(["1", "2.5", "23631.98051234"]),
                name=dice.choice(["Coffee", "Bread"]),
                pending=dice.random() < 0.2,
            )
            for number in range(count)
        ]

    save_old(old, *some("old", dice.randint(0, 60), 12))
    before = shown()
    for row in before:
        if dice.random() < 0.5:
            edit(row, f"row {row.id}")
    listed = some("new", dice.randint(0, 60), 8)
    cut = dice.randint(0, len(listed))
    first, rest = listed[:cut], listed[cut:]
    results = [receive(*first, status="NOT_READY"), receive(*rest), receive(*listed)]

    stored = Counter(map(key, before))
    named = Counter((sent.date, sent.amount, sent.name, sent.pending) for sent in listed)
    assert sum(count for count, _ in results) == (stored & named).total()

    posted = [sent.date for sent in listed]
    oldest = min(posted, default=date.max)
    after = shown()
    history = Counter(
        {
            movement: count
            for movement, count in (stored - named).items()
            if not movement[3] and movement[0] < oldest
        }
    )
    assert Counter(map(key, after)) == named + history
    assert {row.plaid_transaction_id for row in after if row.item_id == new.id} == {
        sent.transaction_id for sent in listed
    }
    # Equal rows are reconnected in their order, each with its edits.
    ids = [row.id for row in after]
    for movement, count in (stored & named).items():
        of_this = [row.id for row in before if key(row) == movement]
        assert [row_id for row_id in of_this if row_id in ids][:count] == of_this[:count]
    written = {row.id: row.note for row in after if row.note and row.note.startswith("row")}
    assert all(
        note == f"row {row_id}" or row_id not in {row.id for row in before}
        for row_id, note in written.items()
    )


def test_a_row_keeps_its_id_and_its_edits(old, new, save_old, receive, transaction):
    save_old(old, transaction("x"))
    (before,) = shown()
    edit(before)
    assert receive(transaction("y", merchant_name="Now known")) == (1, 0)
    (after,) = shown()
    assert (after.id, after.note, after.hidden, after.own_category) == (
        before.id, "mine", True, "TRAVEL",
    )  # fmt: skip
    assert (after.item_id, after.plaid_transaction_id, after.merchant_name) == (
        new.id, "y", "Now known",
    )  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "1.00000001"},
        {"day": DAY + timedelta(days=1)},
        {"name": "coffee"},
        {"pending": True},
        {"iso_currency_code": "EUR"},
        {"unofficial_currency_code": "BTC"},
    ],
)
def test_rows_that_differ_are_not_the_same(old, save_old, receive, transaction, other):
    save_old(old, transaction("x", DAY))
    assert receive(transaction("y", **{"day": DAY} | other), status="NOT_READY") == (0, 0)
    assert len(shown()) == 2


def test_old_posted_rows_stay_until_the_history_is_complete(old, save_old, receive, transaction):
    save_old(old, transaction("x", DAY), transaction("w", DAY - timedelta(days=40)))
    assert receive(transaction("y", DAY - timedelta(days=1)), status=item_states.RECENT) == (0, 0)
    assert len(shown()) == 3
    assert receive() == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["w", "y"]


def test_old_pending_rows_are_removed_with_the_first_rows(old, save_old, receive, transaction):
    save_old(old, transaction("x", DAY, pending=True))
    assert receive(transaction("y", DAY, "9"), status=item_states.RECENT) == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["y"]


def test_an_account_without_new_rows_keeps_its_history(old, save_old, receive, transaction):
    save_old(old, transaction("x", DAY))
    assert receive() == (0, 0)
    assert len(shown()) == 1


def test_a_removed_row_that_is_sent_after_all_is_shown_again(old, save_old, receive, transaction):
    save_old(old, transaction("x", DAY))
    (before,) = shown()
    edit(before)
    receive(transaction("y", DAY - timedelta(days=1)))
    assert [row.plaid_transaction_id for row in shown()] == ["y"]
    assert receive(transaction("z", DAY)) == (1, 0)
    assert [(row.id, row.note) for row in shown() if row.plaid_transaction_id == "z"] == [
        (before.id, "mine")
    ]


@pytest.mark.parametrize(
    ("days", "fields", "carried"),
    [
        (0, {}, True),
        (2, {}, True),
        (7, {}, True),
        (8, {}, False),
        (-1, {}, False),
        (2, {"name": "COFFEE"}, True),
        (2, {"name": "Coffee #12, Main St"}, True),
        (2, {"name": "Tea"}, False),
        (2, {"name": "SQ *ROASTERS", "merchant_name": "Roasters"}, True),
        (2, {"amount": "1.01"}, False),
        (2, {"iso_currency_code": "EUR"}, False),
    ],
)
def test_edits_of_a_pending_row_are_copied_to_the_posted_one(
    old, save_old, receive, transaction, days, fields, carried
):
    save_old(old, transaction("x", DAY, pending=True, merchant_name="Roasters"))
    edit(*shown())
    receive(transaction("y", DAY + timedelta(days=days), **fields))
    (after,) = shown()
    assert after.plaid_transaction_id == "y"
    assert (after.note, after.hidden) == (("mine", True) if carried else (None, False))


def test_edits_are_not_copied_if_two_rows_could_be_meant(old, save_old, receive, transaction):
    save_old(old, transaction("p", DAY, pending=True), transaction("q", DAY, pending=True))
    edit(shown()[0])
    receive(transaction("y", DAY + timedelta(days=1)))
    assert [(row.plaid_transaction_id, row.note) for row in shown()] == [("y", None)]


def test_an_equal_row_of_another_account_does_not_keep_edits_from_being_copied(
    owner, old, new, save_old, receive, account, transaction
):
    accounts.save(owner, new.id, [account("a"), account("b")])
    save_old(old, transaction("p", DAY, pending=True))
    edit(*shown())
    receive(transaction("y", DAY), transaction("z", DAY, account_id="b"))
    assert {row.plaid_transaction_id: row.note for row in shown()} == {"y": "mine", "z": None}


def test_a_row_that_was_there_with_the_pending_one_is_not_its_posted_row(
    old, save_old, receive, transaction
):
    save_old(old, transaction("p", DAY, pending=True), transaction("b", DAY + timedelta(days=1)))
    edit(shown()[0])
    receive(transaction("y", DAY + timedelta(days=1)), transaction("z", DAY + timedelta(days=2)))
    notes = {row.plaid_transaction_id: row.note for row in shown()}
    assert notes == {"y": None, "z": "mine"}


def test_another_account_of_the_old_item_does_not_change(
    owner, old, new, save_old, receive, account, transaction
):
    accounts.save(owner, old.id, [account("b")])
    db.session.commit()
    stored.save(
        owner, old.id, accounts.ids_of_item(old.id), [transaction("x", DAY, account_id="b")]
    )
    save_old(old, transaction("w", DAY - timedelta(days=9)))
    assert receive(transaction("y", DAY), transaction("z", DAY - timedelta(days=10))) == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["x", "y", "z"]


def test_the_old_item_cannot_remove_rows_of_a_moved_account(old, save_old, transaction):
    save_old(old, transaction("x"))
    item_rows.mark_removed(old.id, ["x"])
    assert item_rows.shown_ids(old.id, date.min) == set()
    assert len(shown()) == 1
