"""A stored cursor that the bank refuses does not stay refused: the sync starts over on its own."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds

SYNC = "/transactions/sync"
DYNAMIC = {"username": "user_transactions_dynamic", "password": "any"}
MUTATION = ("TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")
UNKNOWN = ("INVALID_REQUEST", "INVALID_FIELD")
NEW = ("TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_CURSOR_EXPIRED")
"""A code that Plaid may add."""
refusals = pytest.mark.parametrize(
    "refusal", [MUTATION, UNKNOWN, NEW], ids=["mutation", "unknown", "new"]
)


@pytest.fixture
def sync(begin, run, look):
    def go(*items):
        sync_progress.request_syncs([item.id for item in items])
        pull_id = begin(kinds.TRANSACTIONS, items=items)
        run(pull_id)
        return look(pull_id)

    return go


@pytest.fixture
def refuse(intercept, item_now):
    """The bank refuses the Item's stored cursor, or every one. Returns the cursors it was asked."""

    def arrange(item, refusal, *, always=False):
        cursors, bad = [], item_now(item).cursor

        def answer(request):
            cursors.append(request["cursor"])
            return refusal if always or request["cursor"] == bad else None

        intercept(SYNC, answer)
        return cursors

    return arrange


@pytest.fixture
def spend(bank_server, token_of):
    """A new row appears at the bank."""

    def create(item):
        today = datetime.now(UTC).date().isoformat()
        row = {"date_transacted": today, "date_posted": today, "amount": 2, "description": "TWO"}
        bank_server.call(
            "/sandbox/transactions/create", access_token=token_of(item), transactions=[row]
        )

    return create


@refusals
def test_the_sync_starts_over_and_keeps_the_persons_edits(
    link, sync, refuse, spend, stored, at_bank, item_now, refusal
):
    item = link(**DYNAMIC)
    before = len(stored())
    edited = db.session.scalars(select(Transaction.plaid_transaction_id).limit(1)).one()
    db.session.execute(
        update(Transaction)
        .where(Transaction.plaid_transaction_id == edited)
        .values(note="mine", own_category="TRAVEL", edited_at=datetime.now(UTC))
    )
    db.session.commit()
    spend(item)
    cursors = refuse(item, refusal)
    bad = item_now(item).cursor

    pull = sync(item)

    tries = policy.MAX_RESTARTS + 1 if refusal is MUTATION else 1
    assert cursors == [bad] * tries + [""]
    assert (pull.state, pull.failures) == ("done", 0)
    (part,) = pull.items
    assert (part.started_over, part.added, part.removed) == (True, 1, 0)
    assert len(stored()) == before + 1
    assert stored() == at_bank(item)
    kept = select(Transaction.note).where(Transaction.plaid_transaction_id == edited)
    assert db.session.scalar(kept) == "mine"
    item = item_now(item)
    assert (item.state, item.sync_applied) == ("good", item.sync_requested)

    del cursors[:]
    (part,) = sync(item).items
    assert cursors == [item.cursor]
    assert not part.started_over


def test_a_row_that_the_bank_removed_meanwhile_is_removed(
    link, sync, refuse, bank_server, token_of, stored, at_bank
):
    item = link(**DYNAMIC)
    bank_server.call("/transactions/refresh", access_token=token_of(item))
    refuse(item, UNKNOWN)
    assert sync(item).items[0].removed > 0
    assert stored() == at_bank(item)


def test_other_banks_of_the_pull_do_not_wait(link, sync, refuse, spend, stored, item_now):
    first, second = (link(institution_id=bank, **DYNAMIC) for bank in ("ins_109508", "ins_109509"))
    spend(first)
    spend(second)
    cursors = refuse(first, UNKNOWN)
    pull = sync(first, second)
    assert pull.state == "done"
    assert [part.started_over for part in pull.items] == [True, False]
    assert [part.added for part in pull.items] == [1, 1]
    assert cursors[-1] == ""
    assert len(cursors) == 3


def test_a_bank_that_also_refuses_the_beginning_fails_the_pull_for_a_while(
    link, sync, refuse, stored, item_now
):
    item = link()
    before = stored()
    cursors = refuse(item, MUTATION, always=True)
    pull = sync(item)
    assert (pull.state, pull.failures) == ("queued", 1)
    assert cursors[-1] == ""
    assert len(cursors) == 2 * (policy.MAX_RESTARTS + 1)
    assert stored() == before
    assert item_now(item).state == "good"


def test_a_final_refusal_of_the_beginning_is_final(link, sync, refuse, stored, item_now):
    item = link()
    before = stored()
    cursors = refuse(item, UNKNOWN, always=True)
    assert sync(item).state == "failed"
    assert len(cursors) == 2
    assert stored() == before
    assert item_now(item).error_code == "INVALID_FIELD"


def test_a_cursor_that_works_again_in_the_next_attempt_is_not_called_a_new_start(
    link, sync, refuse, run, look, spend, bank_server
):
    item = link(**DYNAMIC)
    refuse(item, MUTATION, always=True)
    pull = sync(item)
    bank_server.server.app = bank_server.app  # it behaves again
    spend(item)
    run(pull.id)
    (part,) = look(pull.id).items
    assert (part.phase, part.added, part.started_over) == ("done", 1, False)
