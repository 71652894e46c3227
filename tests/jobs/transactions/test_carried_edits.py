"""A person's edits of a row survive every change the bank makes to it."""

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.store import Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, sync_progress
from plaidapp.store.pulls import kinds, pulls
from tests.stored import copy_of

pytestmark = pytest.mark.usefixtures("context")

EDITS = {"own_category": "Our kitchen", "note": "with Zoë ☕", "hidden": True}


@pytest.fixture
def item(app, alice, connect):
    """Fifty rows, some of them pending."""
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    (found,) = items.everyone()
    db.session.commit()
    return found


@pytest.fixture
def refresh(app, bank_server, item):
    """Pending rows post under new ids, the newest posted rows grow by 1, and new rows arrive."""

    def at_the_bank():
        bank_server.change(app.extensions["cipher"].decrypt(item.token))

    return at_the_bank


@pytest.fixture
def pull(app, item):
    """Run a pull of the Item: "transactions", or "repair" from the empty cursor."""

    def run(kind=kinds.TRANSACTIONS):
        sync_progress.request_sync(item.id)
        added = pulls.add(item.user_id, kind, items=[item])
        db.session.commit()
        with app.app_context():
            jobs.run(added.id)
        db.session.expire_all()
        assert pulls.by_id(added.id).state == "done"

    return run


def edit(row, **edits):
    db.session.execute(
        update(Transaction)
        .where(Transaction.id == row.id)
        .values(**EDITS | edits, edited_at=now())
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    db.session.expire_all()


def rows(*conditions):
    db.session.expire_all()
    query = select(Transaction).where(*conditions).order_by(Transaction.id)
    found = db.session.scalars(query).all()
    db.session.commit()
    return found


def shown(*conditions):
    return rows(Transaction.removed_at.is_(None), *conditions)


def posted_as(pending):
    """Return the row that replaced `pending`."""
    (row,) = shown(Transaction.pending_transaction_id == pending.plaid_transaction_id)
    return row


def edits_of(row):
    return {name: getattr(row, name) for name in EDITS}


def test_edits_of_a_pending_row_move_to_the_posted_row(refresh, pull):
    edited, *others = shown(Transaction.pending)
    edit(edited)
    refresh()
    pull()

    posted = posted_as(edited)
    assert edits_of(posted) == EDITS
    assert not posted.pending
    assert posted.plaid_transaction_id != edited.plaid_transaction_id
    (removed,) = rows(Transaction.id == edited.id)
    assert removed.removed_at is not None
    assert posted.edited_at == removed.edited_at
    assert others
    for other in others:
        assert edits_of(posted_as(other)) == {"own_category": None, "note": None, "hidden": False}
        assert posted_as(other).edited_at is None


@pytest.mark.parametrize("edits", [{"note": None, "own_category": None}, {"hidden": False}])
def test_each_kind_of_edit_moves_on_its_own(refresh, pull, edits):
    edited, *_ = shown(Transaction.pending)
    edit(edited, **edits)
    refresh()
    pull()
    assert edits_of(posted_as(edited)) == EDITS | edits


def test_changes_of_the_bank_do_not_touch_edits(refresh, pull):
    before = shown(~Transaction.pending)
    for row in before:
        edit(row)
    amounts = {row.id: row.amount for row in before}
    refresh()
    pull()

    after = rows(Transaction.id.in_(amounts))
    assert sum(row.amount == amounts[row.id] + 1 for row in after) == 2
    assert [edits_of(row) for row in after] == [EDITS] * len(before)


def test_edits_survive_many_syncs_and_repairs(refresh, pull):
    edited, *_ = shown(Transaction.pending)
    edit(edited)
    for kind in (kinds.TRANSACTIONS, kinds.TRANSACTIONS, kinds.REPAIR, kinds.REPAIR):
        refresh()
        pull(kind)
        assert edits_of(posted_as(edited)) == EDITS


def test_the_posted_rows_own_edits_are_not_overwritten(refresh, pull):
    edited, *_ = shown(Transaction.pending)
    edit(edited)
    refresh()
    pull()
    newer = {"own_category": "Gifts", "note": None, "hidden": False}
    edit(posted_as(edited), **newer)

    pull(kinds.REPAIR)  # sends the posted row, and the id it replaced, again
    refresh()
    pull()

    assert edits_of(posted_as(edited)) == newer


def test_an_edit_between_two_syncs_is_not_lost(refresh, pull):
    """The bank has posted the row already, but no sync has read it yet."""
    refresh()
    edited, *_ = shown(Transaction.pending)
    edit(edited)
    pull()
    assert edits_of(posted_as(edited)) == EDITS


def test_edits_survive_while_the_bank_has_removed_the_row(item, pull):
    row, *_ = shown(~Transaction.pending)
    edit(row)
    db.session.execute(update(Transaction).where(Transaction.id == row.id).values(removed_at=now()))
    db.session.commit()
    pull(kinds.REPAIR)

    (back,) = rows(Transaction.id == row.id)
    assert back.removed_at is None
    assert edits_of(back) == EDITS


def test_edits_do_not_move_to_another_items_row(item, refresh, pull):
    """An id belongs to one Item: the same id at another Item is another row."""
    pending, *_ = shown(Transaction.pending)
    other = items.add(user_id=item.user_id, plaid_item_id="other", access_token=b"")
    changes = EDITS | {"item_id": other.id, "edited_at": now()}
    db.session.execute(copy_of(pending.id, **changes))
    db.session.commit()
    refresh()
    pull()

    assert posted_as(pending).edited_at is None
