"""A person's edits of one or many rows, and undoing them."""

from decimal import Decimal

import pytest

from plaidapp.extensions import db
from plaidapp.store import Edit, EditRow, Transaction, User
from plaidapp.store.connections import accounts, disconnection
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from plaidapp.store.transactions import (
    carried_edits,
    edits,
    filter_totals,
    monthly_refresh,
    monthly_totals,
    reader,
    search,
    transactions,
)
from plaidapp.store.transactions.filters import Filter
from tests import stored


@pytest.fixture
def rows(owner, item, another_item, save, transaction):
    """t0 to t4 of one Item, and one row of another Item."""
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
    """Return category, note, hidden and time of the edit of every row."""
    db.session.expire_all()
    return {
        row.plaid_transaction_id: (row.own_category, row.note, row.hidden, row.edited_at)
        for row in db.session.query(Transaction)
    }


def edited(name):
    return state()[name][:3]


@pytest.fixture
def write(owner, rows):
    def apply(names, **change):
        applied = edits.apply(owner, edits.of_ids(owner, ids_of(*names)), change)
        db.session.commit()
        return applied

    return apply


def undo(applied):
    undone = edits.undo(applied.edit)
    db.session.commit()
    return undone


def test_an_edit_changes_only_its_fields_and_only_its_rows(write):
    assert write(["t0", "t1"], own_category="TRAVEL", hidden=True).rows == 2
    assert edited("t0") == edited("t1") == ("TRAVEL", None, True)
    assert edited("t2") == edited("elsewhere") == (None, None, False)
    assert write(["t1", "t2"], note="with Zoë").rows == 2
    assert edited("t1") == ("TRAVEL", "with Zoë", True)


def test_undo_restores_the_values_from_before(write):
    before = state()
    first = write(["t0", "t1"], own_category="TRAVEL", note="one")
    between = state()
    second = write(["t1", "t2"], own_category=None, note="two", hidden=True)

    assert undo(second) == (2, 0, 0)
    assert state() == between
    assert undo(first) == (2, 0, 0)
    assert state() == before
    assert db.session.query(EditRow).count() == 0


def test_undo_skips_rows_that_were_edited_again(write):
    first = write(["t0", "t1", "t2"], note="one")
    second = write(["t1"], note="two")

    assert undo(first) == (2, 1, 0)
    assert [edited(name)[1] for name in ("t0", "t1", "t2")] == [None, "two", None]
    assert undo(second) == (1, 0, 0)
    assert edited("t1")[1] == "one"
    assert undo(first) == (1, 0, 0)
    assert edited("t1")[1] is None
    assert undo(first) == (0, 0, 0)


def test_rows_that_have_the_values_already_are_not_edited(owner, write):
    write(["t0"], hidden=True)
    revision = db.session.get(User, owner, populate_existing=True).ledger_revision
    assert write(["t0"], hidden=True) == (None, 0, 0)
    assert write(["t0", "t1"], hidden=True).rows == 1
    assert db.session.query(Edit).count() == 2
    assert db.session.get(User, owner, populate_existing=True).ledger_revision == revision + 1


def test_an_edit_and_its_undo_each_raise_the_ledger_revision(owner, write):
    before = users.ledger_revision(owner)
    edit = write(["t0"], hidden=True)
    assert users.ledger_revision(owner) == before + 1
    undo(edit)
    assert users.ledger_revision(owner) == before + 2


def test_the_search_finds_the_current_notes(owner, write):
    def found(typed):
        return reader.count(Filter(owner, search=search.words(typed)))

    edit = write(["t0", "t1"], note="Zoë's birthday")
    assert found("zoes birth") == 2
    undo(edit)
    assert found("zoes") == 0


def test_an_edit_and_its_undo_update_the_totals(owner, item, another_item, write):
    account_ids = [row.account_id for row in reader.page(Filter(owner), 9)]
    edit = write(["t0", "t1"], own_category="TRAVEL")
    hidden = write(["t2"], hidden=True)
    assert monthly_refresh.wrong(account_ids) == set()
    assert filter_totals.tally(Filter(owner), 0).sums[0].money_out == Decimal(5)
    assert filter_totals.tally(Filter(owner, categories=("TRAVEL",)), 0).rows == 2
    undo(edit)
    undo(hidden)
    assert monthly_refresh.wrong(account_ids) == set()
    assert monthly_totals.count(owner) == (6, 0)


def test_nobody_edits_another_persons_rows(owner, rows):
    stranger = users.add("charlie", "charlie@example.com", "no hash")
    db.session.flush()
    applied = edits.apply(stranger.id, edits.of_ids(stranger.id, rows), {"hidden": True})
    assert applied == (None, 0, 0)
    assert transactions.owned(rows[0], stranger.id) is None


def test_an_edit_of_all_rows_that_match_a_filter(owner, write):
    applied = edits.apply(
        owner, Filter(owner, search=search.words("coffee 3")).conditions(), {"note": "x"}
    )
    assert applied.rows == 1
    assert edited("t3")[1] == "x"
    assert edits.owned(applied.edit.id, owner + 1) is None


def test_too_many_rows_are_refused(owner, rows, monkeypatch):
    monkeypatch.setattr(edits, "MOST_ROWS", 4)
    before = state()
    with pytest.raises(edits.TooManyRowsError):
        edits.apply(owner, Filter(owner).conditions(), {"hidden": True})
    db.session.rollback()
    assert state() == before


def test_undo_reaches_the_row_that_has_posted_since(owner, item, save, write, transaction):
    save(item, transaction("pending", pending=True))
    before = state()["pending"]
    first = write(["pending"], note="one", own_category="TRAVEL")
    second = write(["pending"], note="two")
    posted = transaction("posted", pending_transaction_id="pending")
    save(item, posted)
    for _ in range(2):  # a sync from the beginning sends it again
        carried_edits.carry(item.id, stored.rows_of([posted]))
    db.session.commit()
    assert state()["posted"] == state()["pending"]

    undo(second)
    carried_edits.carry(item.id, stored.rows_of([posted]))
    assert edited("posted") == ("TRAVEL", "one", False)
    undo(first)
    carried_edits.carry(item.id, stored.rows_of([posted]))
    assert state()["posted"] == before
    assert reader.count(Filter(owner, search=search.words("one"))) == 0


def test_undo_does_not_overwrite_an_edit_of_the_posted_row(item, save, write, transaction):
    save(item, transaction("pending", pending=True))
    first = write(["pending"], note="one")
    posted = transaction("posted", pending_transaction_id="pending")
    save(item, posted)
    carried_edits.carry(item.id, stored.rows_of([posted]))
    write(["posted"], note="two")
    undo(first)
    carried_edits.carry(item.id, stored.rows_of([posted]))
    assert edited("posted")[1] == "two"


def test_the_rows_of_a_disconnected_bank_cannot_be_changed(item, write):
    both = write(["t0", "elsewhere"], hidden=True)
    before = state()
    disconnection.begin(item.id, deletes_history=False)
    db.session.commit()
    assert write(["t0", "t1"], own_category="TRAVEL") == (None, 0, 2)
    assert state() == before
    assert write(["t1", "elsewhere"], note="mine")[1:] == (1, 1)
    assert edited("elsewhere") == (None, "mine", True)
    write(["elsewhere"], note=None)
    assert undo(both) == (0, 1, 1)
    assert edited("t0") == before["t0"][:3]
