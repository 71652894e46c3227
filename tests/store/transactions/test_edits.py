"""What a person writes on their rows, one or many, and taking it back."""

from decimal import Decimal

import pytest

from plaidapp.extensions import db
from plaidapp.store import Edit, EditRow, Transaction, User
from plaidapp.store.connections import accounts
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from plaidapp.store.transactions import (
    edits,
    filter_totals,
    monthly_refresh,
    monthly_totals,
    reader,
    transactions,
)
from plaidapp.store.transactions.filters import Filter
from tests import stored


@pytest.fixture
def rows(owner, item, another_item, save, transaction):
    """t0 to t4 of one Item, and one of another."""
    save(item, *(transaction(f"t{number}", name=f"Coffee {number}") for number in range(5)))
    save(another_item, transaction("elsewhere"))
    derived.rebuild([row.id for row in accounts.of_user(owner)])
    db.session.commit()
    return ids_of("t0", "t1", "t2", "t3", "t4")


def ids_of(*names):
    query = db.session.query(Transaction.plaid_transaction_id, Transaction.id)
    found = dict(query.all())
    return [found[name] for name in names]


def state():
    """Of every row: category, note, hidden, and whether it counts as edited."""
    db.session.expire_all()
    return {
        row.plaid_transaction_id: (row.own_category, row.note, row.hidden, row.edited_at)
        for row in db.session.query(Transaction)
    }


def told(name):
    return state()[name][:3]


@pytest.fixture
def write(owner, rows):
    def apply(names, **change):
        applied = edits.apply(owner, edits.of_ids(owner, ids_of(*names)), change)
        db.session.commit()
        return applied

    return apply


def take_back(applied):
    undone = edits.undo(applied.edit)
    db.session.commit()
    return undone


def test_an_edit_changes_what_it_names_on_the_rows_it_names(write):
    assert write(["t0", "t1"], own_category="TRAVEL", hidden=True).rows == 2
    assert told("t0") == told("t1") == ("TRAVEL", None, True)
    assert told("t2") == told("elsewhere") == (None, None, False)
    assert write(["t1", "t2"], note="with Zoë").rows == 2
    assert told("t1") == ("TRAVEL", "with Zoë", True)


def test_undo_restores_exactly_what_was_before(write):
    before = state()
    first = write(["t0", "t1"], own_category="TRAVEL", note="one")
    between = state()
    second = write(["t1", "t2"], own_category=None, note="two", hidden=True)

    assert take_back(second) == (2, 0)
    assert state() == between
    assert take_back(first) == (2, 0)
    assert state() == before
    assert db.session.query(EditRow).count() == 0


def test_rows_that_were_edited_again_are_left_alone(write):
    first = write(["t0", "t1", "t2"], note="one")
    second = write(["t1"], note="two")

    assert take_back(first) == (2, 1)
    assert [told(name)[1] for name in ("t0", "t1", "t2")] == [None, "two", None]
    assert take_back(second) == (1, 0)
    assert told("t1")[1] == "one"
    assert take_back(first) == (1, 0)
    assert told("t1")[1] is None
    assert take_back(first) == (0, 0)


def test_what_is_so_already_is_no_edit(owner, write):
    write(["t0"], hidden=True)
    revision = db.session.get(User, owner, populate_existing=True).ledger_revision
    assert write(["t0"], hidden=True) == (None, 0)
    assert write(["t0", "t1"], hidden=True).rows == 1
    assert db.session.query(Edit).count() == 2
    assert db.session.get(User, owner, populate_existing=True).ledger_revision == revision + 1


def test_the_search_finds_notes_as_they_are(owner, write):
    def found(search):
        return reader.count(Filter(owner, search=search))

    edit = write(["t0", "t1"], note="Zoë's birthday")
    assert found("zoes birth") == 2
    take_back(edit)
    assert found("zoes") == 0


def test_the_totals_follow_an_edit_and_its_undo(owner, item, another_item, write):
    account_ids = [row.account_id for row in reader.page(Filter(owner), 9)]
    edit = write(["t0", "t1"], own_category="TRAVEL")
    hidden = write(["t2"], hidden=True)
    assert monthly_refresh.wrong(account_ids) == set()
    assert filter_totals.tally(Filter(owner), 0).sums[0].money_out == Decimal(5)
    assert filter_totals.tally(Filter(owner, categories=("TRAVEL",)), 0).rows == 2
    take_back(edit)
    take_back(hidden)
    assert monthly_refresh.wrong(account_ids) == set()
    assert monthly_totals.count(owner) == (6, 0)


def test_a_strangers_rows_stay_as_they_are(owner, rows):
    stranger = users.add("charlie", "charlie@example.com", "no hash")
    db.session.flush()
    applied = edits.apply(stranger.id, edits.of_ids(stranger.id, rows), {"hidden": True})
    assert applied == (None, 0)
    assert transactions.owned(rows[0], stranger.id) is None


def test_a_filter_says_which_rows(owner, write):
    applied = edits.apply(owner, Filter(owner, search="coffee 3").conditions(), {"note": "x"})
    assert applied.rows == 1
    assert told("t3")[1] == "x"
    assert edits.owned(applied.edit.id, owner + 1) is None


def test_too_many_rows_are_refused(owner, rows, monkeypatch):
    monkeypatch.setattr(edits, "MOST_ROWS", 4)
    before = state()
    with pytest.raises(edits.TooManyRowsError):
        edits.apply(owner, Filter(owner).conditions(), {"hidden": True})
    db.session.rollback()
    assert state() == before


def test_an_undo_reaches_the_row_that_was_posted_in_between(owner, item, save, write, transaction):
    save(item, transaction("pending", pending=True))
    before = state()["pending"]
    first = write(["pending"], note="one", own_category="TRAVEL")
    second = write(["pending"], note="two")
    posted = transaction("posted", pending_transaction_id="pending")
    save(item, posted)
    for _ in range(2):  # a repair names it again
        edits.carry(item.id, stored.rows_of(item.user_id, [posted]))
    db.session.commit()
    assert state()["posted"] == state()["pending"]

    take_back(second)
    edits.carry(item.id, stored.rows_of(item.user_id, [posted]))
    assert told("posted") == ("TRAVEL", "one", False)
    take_back(first)
    edits.carry(item.id, stored.rows_of(item.user_id, [posted]))
    assert state()["posted"] == before
    assert reader.count(Filter(owner, search="one")) == 0


def test_an_undo_does_not_overwrite_what_was_written_on_the_posted_row(
    item, save, write, transaction
):
    save(item, transaction("pending", pending=True))
    first = write(["pending"], note="one")
    posted = transaction("posted", pending_transaction_id="pending")
    save(item, posted)
    edits.carry(item.id, stored.rows_of(item.user_id, [posted]))
    write(["posted"], note="two")
    take_back(first)
    edits.carry(item.id, stored.rows_of(item.user_id, [posted]))
    assert told("posted")[1] == "two"
