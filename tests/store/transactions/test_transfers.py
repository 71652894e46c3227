"""Matches of transfers are stored, and always what the rule says about the rows."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import MonthlyTotal, Transaction, User
from plaidapp.store.base.types import units
from plaidapp.store.connections import accounts
from plaidapp.store.reports import derived
from plaidapp.store.transactions import (
    carried_edits,
    edits,
    item_rows,
    monthly_refresh,
    monthly_totals,
    transfer_rule,
    transfers,
)
from tests import stored

DAY = date(2026, 10, 31)


@pytest.fixture
def account_ids(item, another_item):
    """The ids of the only account of each of two Items."""
    return [row.id for each in (item, another_item) for row in accounts.of_item(each.id)]


@pytest.fixture
def sync(owner, account_ids):
    """Store rows and the ids of removed rows of an Item, and derive data, as a sync does."""

    def store(item, *rows, removed=()):
        ids = accounts.ids_of_item(item.id)
        named = [row.transaction_id for row in rows]
        places = list(item_rows.places_of(item.id, [*named, *removed]))
        stored.save(owner, item.id, ids, rows)
        item_rows.mark_removed(item.id, removed)
        days = {(account_id, day) for account_id, day, _ in places}
        sizes = {size for *_, size in places} | {units(abs(row.amount)) for row in rows}
        derived.refresh(days | {(ids[row.account_id], row.date) for row in rows}, (), sizes)
        db.session.commit()

    return store


def moved(transaction_id, amount, day=DAY, **changes):
    """Return a row that hints at a transfer."""
    return row(transaction_id, amount, day, name="Transfer", **changes)


def row(transaction_id, amount, day=DAY, **changes):
    fields = {
        "transaction_id": transaction_id,
        "account_id": "a",
        "amount": Decimal(amount),
        "date": day,
        "pending": False,
        "iso_currency_code": "USD",
        "name": "Row",
    }
    return payloads.PlaidTransaction(**fields | changes)


def matches():
    """Return Plaid's ids of the rows that are matched, the money's way."""
    db.session.rollback()
    rows = {each.id: each for each in db.session.scalars(select(Transaction))}
    found = set()
    for each in rows.values():
        if each.other_side_id is not None:
            other = rows[each.other_side_id]
            assert other.other_side_id == each.id
            assert each.removed_at is None
            out, into = sorted((each, other), key=lambda side: side.amount, reverse=True)
            found.add((out.plaid_transaction_id, into.plaid_transaction_id))
    db.session.rollback()
    return found


def totals():
    """Return money in and out by month and category."""
    query = select(
        MonthlyTotal.month, MonthlyTotal.category, MonthlyTotal.money_in, MonthlyTotal.money_out
    )
    found = {tuple(each) for each in db.session.execute(query)}
    db.session.rollback()
    return found


def id_of(name):
    query = select(Transaction.id).where(Transaction.plaid_transaction_id == name)
    found = db.session.scalars(query).one()
    db.session.rollback()
    return found


def test_both_sides_count_as_a_transfer_in_the_months_of_both_items(
    owner, item, another_item, sync, account_ids
):
    sync(item, row("out", "500"))
    assert {category for _, category, *_ in totals()} == {"OTHER"}
    sync(another_item, moved("in", "-500", DAY + timedelta(days=1)))
    assert matches() == {("out", "in")}
    assert totals() == {
        (date(2026, 10, 1), "TRANSFER_OUT", 0, 500),
        (date(2026, 11, 1), "TRANSFER_IN", 500, 0),
    }
    assert monthly_refresh.wrong(account_ids) == set()
    assert monthly_totals.flow(owner, date(2026, 1, 1)) == []


def test_a_match_ends_when_one_side_is_removed_or_changed(item, another_item, sync, account_ids):
    sync(item, row("out", "500"))
    changes = [
        {"removed": ["in"]},
        {"rows": [moved("in", "-500.01")]},
        {"rows": [moved("in", "-500", DAY + timedelta(days=6))]},
        {"rows": [moved("in", "-500", iso_currency_code="CAD")]},
        {"rows": [row("in", "-500", merchant_name="Shop")]},
    ]
    before = totals()
    for change in changes:
        sync(another_item, moved("in", "-500"))
        assert matches() == {("out", "in")}
        sync(another_item, *change.get("rows", ()), removed=change.get("removed", ()))
        assert matches() == set()
        assert monthly_refresh.wrong(account_ids) == set()
        sync(another_item, removed=["in"])
        assert totals() == before


def test_the_persons_own_category_wins(owner, item, another_item, sync, account_ids):
    sync(item, row("out", "500"))
    sync(another_item, moved("in", "-500"))
    edits.apply(owner, edits.of_ids(owner, [id_of("out")]), {"own_category": "TRAVEL"})
    db.session.commit()
    assert matches() == {("out", "in")}
    assert {(category, out) for _, category, _, out in totals()} == {
        ("TRAVEL", 500),
        ("TRANSFER_IN", 0),
    }


@pytest.fixture
def pair(owner, item, another_item, sync):
    """The ids of two rows that are matched."""
    sync(item, row("out", "500"))
    sync(another_item, moved("in", "-500"))
    return [id_of("out"), id_of("in")]


@pytest.fixture
def separate(owner):
    def edit(ids, not_transfer=True):
        applied = edits.apply(owner, edits.of_ids(owner, ids), {"not_transfer": not_transfer})
        db.session.commit()
        return applied.edit

    return edit


def test_not_a_transfer_is_remembered_and_can_be_undone(
    item, another_item, sync, pair, separate, account_ids
):
    before = totals()
    edit = separate(pair)
    assert matches() == set()
    assert {category for _, category, *_ in totals()} == {"OTHER"}
    sync(item, row("out", "500", name="Row again"))
    sync(another_item, moved("in", "-500", DAY + timedelta(days=1)), moved("else", "1"))
    assert matches() == set()
    sync(another_item, moved("in", "-500"), removed=["else"])

    edits.undo(edit)
    db.session.commit()
    assert matches() == {("out", "in")}
    assert totals() == before
    assert monthly_refresh.wrong(account_ids) == set()


def test_one_of_two_separated_rows_is_enough_to_match_them_again(pair, separate):
    separate(pair)
    edit = separate(pair[:1], not_transfer=False)
    assert matches() == {("out", "in")}
    edits.undo(edit)
    db.session.commit()
    assert matches() == set()


def test_a_separated_row_stays_separated_when_it_posts(owner, item, another_item, sync, separate):
    sync(item, row("pending", "500", pending=True))
    sync(another_item, moved("in", "-500"))
    separate([id_of("pending"), id_of("in")])
    posted = row("posted", "500", DAY + timedelta(days=2), pending_transaction_id="pending")
    stored.save(owner, item.id, accounts.ids_of_item(item.id), [posted])
    carried_edits.carry(item.id, stored.rows_of([posted]))
    sync(item, posted, removed=["pending"])
    assert matches() == set()


def test_a_match_follows_a_pending_row_that_posts(item, another_item, sync):
    sync(item, row("pending", "500", pending=True))
    sync(another_item, moved("in", "-500"))
    assert matches() == {("pending", "in")}
    posted = row("posted", "500", DAY + timedelta(days=2), pending_transaction_id="pending")
    sync(item, posted, removed=["pending"])
    assert matches() == {("posted", "in")}


def test_rows_from_before_transfers_were_matched_are_matched_with_the_next_change(
    owner, item, another_item, sync, account_ids
):
    long_ago = DAY - timedelta(days=700)
    stored.save(owner, item.id, accounts.ids_of_item(item.id), [row("out", "500", long_ago)])
    in_row = moved("in", "-500", long_ago)
    stored.save(owner, another_item.id, accounts.ids_of_item(another_item.id), [in_row])
    monthly_refresh.rebuild(account_ids)
    db.session.execute(update(User).values(transfers_matched=False))
    db.session.commit()
    sync(item, row("coffee", "5"))
    assert matches() == {("out", "in")}
    assert monthly_refresh.wrong(account_ids) == set()
    assert db.session.get(User, owner, populate_existing=True).transfers_matched


def test_another_persons_rows_are_never_matched(owner, item, another_item, sync):
    other = User(username="o", username_key="o", email="o@o", email_key="o@o", password_hash="none")
    db.session.add(other)
    db.session.flush()
    sync(item, moved("out", "500"))
    sync(another_item, moved("in", "-500"))
    db.session.execute(
        update(Transaction).where(Transaction.plaid_transaction_id == "in").values(user_id=other.id)
    )
    db.session.commit()
    derived.rebuild([each.id for each in accounts.of_user(owner)])
    assert transfers.wrong(owner) == set()
    db.session.commit()


@pytest.mark.parametrize("seed", range(2))
def test_after_any_change_all_matches_are_those_of_the_rule(
    owner, item, another_item, sync, separate, account_ids, seed
):
    dice = random.Random(seed)
    known = {item: {}, another_item: {}}

    def some(name):
        day = DAY - timedelta(days=dice.randrange(400))
        return row(
            name,
            dice.choice(["100", "-100", "100", "-100", "7.5", "-7.5"]),
            day,
            name=dice.choice(["Transfer", "Payment", "Row"]),
            merchant_name=dice.choice([None, None, None, "Shop"]),
        )

    for step in range(18):
        where = dice.choice(list(known))
        new = [some(f"{step}-{number}") for number in range(dice.choice([1, 2, 40]))]
        changed = [
            some(name) for name in dice.sample(sorted(known[where]), k=len(known[where]) // 9)
        ]
        known[where] |= {each.transaction_id: each for each in (*new, *changed)}
        removed = dice.sample(sorted(known[where]), k=len(known[where]) // 12)
        sync(where, *new, *changed)
        sync(where, removed=removed)
        for name in removed:
            del known[where][name]
        if found := sorted(matches()):
            separate([id_of(name) for name in dice.choice(found)])
        assert transfers.wrong(owner) == set()
        assert monthly_refresh.wrong(account_ids) == set()
        db.session.rollback()
    assert matches()


def test_the_banks_order_makes_no_difference(owner, item, another_item, sync):
    dice = random.Random(5)
    rows = [
        [
            moved(
                f"{name}{number}",
                f"{sign}{dice.choice([5, 6])}",
                DAY - timedelta(days=dice.randrange(60)),
            )
            for number in range(25)
        ]
        for name, sign in (("out", ""), ("in", "-"))
    ]
    both = item, another_item
    for where, sent in zip(both, rows, strict=True):
        sync(where, *sent)
    found = matches()
    assert found
    for where, sent in zip(both, rows, strict=True):
        sync(where, removed=[each.transaction_id for each in sent])
    assert matches() == set()
    for where, sent in reversed(list(zip(both, rows, strict=True))):
        for each in dice.sample(sent, k=len(sent)):
            sync(where, each)
    assert matches() == found


def test_rows_beyond_the_rules_reach_are_not_looked_at(item, another_item, sync):
    def spoil(*names):
        found = Transaction.plaid_transaction_id.in_(names)
        db.session.execute(update(Transaction).where(found).values(other_side_id=7))
        db.session.commit()

    far = DAY - timedelta(days=transfer_rule.REACH + 1)
    sync(item, moved("far", "500", far), moved("near", "500", DAY - timedelta(days=9)))
    spoil("far", "near")
    sync(another_item, moved("in", "-500"))
    query = select(Transaction.other_side_id).order_by(Transaction.plaid_transaction_id)
    assert list(db.session.scalars(query)) == [7, None, None]
