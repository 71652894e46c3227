"""Rows of an earlier Item go over to the one that names them; against a model, with luck's help."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.store import FormerAccount, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, items, reconnected_accounts
from plaidapp.store.transactions import monthly_refresh, reconnected_rows, transactions
from tests import stored

DAY = date(2026, 3, 1)


@pytest.fixture
def old(item, another_item):
    """The Item whose only account "a" has gone over to `another_item`, where it is "a" too."""
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
def heir(old, another_item):
    return another_item


@pytest.fixture
def keep(owner, heir):
    """Rows that the old Item had stored while the account was its own."""

    def store(item, *rows):
        stored.save(owner, item.id, accounts.ids_of_item(heir.id), rows)
        db.session.commit()

    return store


@pytest.fixture
def hear(owner, heir):
    """What the new Item's update says, stored as the sync would; (adopted, removed)."""

    def store(*rows, status=items.COMPLETE):
        former = reconnected_accounts.former_items(heir.id)
        ids = accounts.ids_of_item(heir.id)
        kept, fresh = reconnected_rows.reconnect(heir.id, former, ids, stored.rows_of(owner, rows))
        stored.save(owner, heir.id, ids, rows)
        removed = reconnected_rows.remove_missing(heir.id, former, status, fresh)
        db.session.commit()
        return kept, len(removed)

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
def test_any_two_ledgers_become_what_the_model_says(old, heir, keep, hear, transaction, seed):
    dice = random.Random(seed)

    def some(prefix, count, since):
        """Few different movements, so that many are equal."""
        return [
            transaction(
                f"{prefix}{number}",
                DAY - timedelta(days=dice.randint(0, since)),
                dice.choice(["1", "2.5", "23631.98051234567"]),
                name=dice.choice(["Coffee", "Bread"]),
                pending=dice.random() < 0.2,
            )
            for number in range(count)
        ]

    keep(old, *some("old", dice.randint(0, 60), 12))
    before = shown()
    for row in before:
        if dice.random() < 0.5:
            edit(row, f"row {row.id}")
    listed = some("new", dice.randint(0, 60), 8)
    cut = dice.randint(0, len(listed))
    first, rest = listed[:cut], listed[cut:]
    kept = [hear(*first, status="NOT_READY"), hear(*rest), hear(*listed)]

    stored = Counter(map(key, before))
    named = Counter((sent.date, units(sent.amount), sent.name, sent.pending) for sent in listed)
    assert sum(adopted for adopted, _ in kept) == (stored & named).total()

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
    assert {row.plaid_transaction_id for row in after if row.item_id == heir.id} == {
        sent.transaction_id for sent in listed
    }
    # A movement's rows go over in their order, and each with what was written on it.
    ids = [row.id for row in after]
    for movement, count in (stored & named).items():
        of_this = [row.id for row in before if key(row) == movement]
        assert [row_id for row_id in of_this if row_id in ids][:count] == of_this[:count]
    written = {row.id: row.note for row in after if row.note and row.note.startswith("row")}
    assert all(
        note == f"row {row_id}" or row_id not in {row.id for row in before}
        for row_id, note in written.items()
    )


def units(amount):
    return amount.quantize(Decimal("0.00000001"))


def test_a_row_keeps_its_id_and_its_edits(old, heir, keep, hear, transaction):
    keep(old, transaction("x"))
    (before,) = shown()
    edit(before)
    assert hear(transaction("y", merchant_name="Now known")) == (1, 0)
    (after,) = shown()
    assert (after.id, after.note, after.hidden, after.own_category) == (
        before.id, "mine", True, "TRAVEL",
    )  # fmt: skip
    assert (after.item_id, after.plaid_transaction_id, after.merchant_name) == (
        heir.id, "y", "Now known",
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
def test_whatever_differs_is_another_movement(old, keep, hear, transaction, other):
    keep(old, transaction("x", DAY))
    assert hear(transaction("y", **{"day": DAY} | other), status="NOT_READY") == (0, 0)
    assert len(shown()) == 2


def test_old_rows_stay_until_the_bank_is_ready(old, keep, hear, transaction):
    keep(old, transaction("x", DAY), transaction("w", DAY - timedelta(days=40)))
    assert hear(transaction("y", DAY - timedelta(days=1)), status=items.RECENT) == (0, 0)
    assert len(shown()) == 3
    assert hear() == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["w", "y"]


def test_what_is_pending_goes_with_the_first_rows(old, keep, hear, transaction):
    keep(old, transaction("x", DAY, pending=True))
    assert hear(transaction("y", DAY, "9"), status=items.RECENT) == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["y"]


def test_an_account_that_the_bank_says_nothing_of_keeps_its_history(old, keep, hear, transaction):
    keep(old, transaction("x", DAY))
    assert hear() == (0, 0)
    assert len(shown()) == 1


def test_a_row_that_was_taken_back_and_is_there_after_all_comes_back(old, keep, hear, transaction):
    keep(old, transaction("x", DAY))
    (before,) = shown()
    edit(before)
    hear(transaction("y", DAY - timedelta(days=1)))
    assert [row.plaid_transaction_id for row in shown()] == ["y"]
    assert hear(transaction("z", DAY)) == (1, 0)
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
def test_edits_of_a_pending_row_go_to_what_posts_it(
    old, keep, hear, transaction, days, fields, carried
):
    keep(old, transaction("x", DAY, pending=True, merchant_name="Roasters"))
    edit(*shown())
    hear(transaction("y", DAY + timedelta(days=days), **fields))
    (after,) = shown()
    assert after.plaid_transaction_id == "y"
    assert (after.note, after.hidden) == (("mine", True) if carried else (None, False))


def test_edits_go_nowhere_when_two_could_be_meant(old, keep, hear, transaction):
    keep(old, transaction("p", DAY, pending=True), transaction("q", DAY, pending=True))
    edit(shown()[0])
    hear(transaction("y", DAY + timedelta(days=1)))
    assert [(row.plaid_transaction_id, row.note) for row in shown()] == [("y", None)]


def test_a_row_that_stood_beside_the_pending_one_does_not_post_it(old, keep, hear, transaction):
    keep(old, transaction("p", DAY, pending=True), transaction("b", DAY + timedelta(days=1)))
    edit(shown()[0])
    hear(transaction("y", DAY + timedelta(days=1)), transaction("z", DAY + timedelta(days=2)))
    notes = {row.plaid_transaction_id: row.note for row in shown()}
    assert notes == {"y": None, "z": "mine"}


def test_another_account_of_the_old_item_is_left_alone(
    owner, old, heir, keep, hear, account, transaction
):
    accounts.save(owner, old.id, [account("b")])
    db.session.commit()
    stored.save(
        owner, old.id, accounts.ids_of_item(old.id), [transaction("x", DAY, account_id="b")]
    )
    keep(old, transaction("w", DAY - timedelta(days=9)))
    assert hear(transaction("y", DAY), transaction("z", DAY - timedelta(days=10))) == (0, 1)
    assert [row.plaid_transaction_id for row in shown()] == ["x", "y", "z"]


def test_the_old_item_cannot_remove_what_is_not_its_own_any_more(old, keep, transaction):
    keep(old, transaction("x"))
    transactions.mark_removed(old.id, ["x"])
    assert transactions.shown_ids(old.id, date.min) == set()
    assert len(shown()) == 1


def test_an_edit_of_history_waits_for_the_item_that_has_the_account(
    old, heir, keep, transaction, monkeypatch
):
    keep(old, transaction("x"))
    (row,) = shown()
    locked = []
    monkeypatch.setattr(accounts, "lock", locked.append)
    monthly_refresh.lock_for([row.id])
    assert (row.item_id, locked) == (old.id, [heir.id])
