"""A sync stores a whole update or nothing, and ends with exactly what the bank has."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, event, select

from plaidapp.bank import client
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs.pulls.attempt import Attempt
from plaidapp.jobs.transactions import fetch
from plaidapp.policy import MAX_RESTARTS
from plaidapp.store import BankLogo, Item, Transaction
from plaidapp.store.base import upsert
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds, pulls, shown_pulls
from sandbox import bank_activity

SYNC = "/transactions/sync"


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(client, "PAGE_SIZE", 20)


@pytest.fixture
def sync(begin, run, look):
    """Request a sync of an Item and run its pull. Return the pull."""

    def go(item):
        sync_progress.request_sync(item.id)
        pull_id = begin(kinds.TRANSACTIONS, items=[item])
        run(pull_id)
        return look(pull_id)

    return go


@pytest.fixture
def unsynced(begin, run, look, bank_server):
    """A connected Item of fifty rows, with none stored yet."""
    bank_server.misbehave(kind="error", path=SYNC, status=400, error_type="X", error_code="NOT_YET")
    pull_id = begin(kinds.LINK, given={"username": "user_transactions_dynamic", "password": "any"})
    run(pull_id)
    bank_server.faults.rulebook.clear()
    return look(pull_id).items[0].item


@pytest.fixture
def meanwhile(bank_server, monkeypatch, context):
    """Run something once, while the bank is asked for the page after `pages` others."""

    def arrange(do, pages=1):
        def hook(token):
            with context.app_context():
                do(token)
                db.session.commit()

        monkeypatch.setattr(bank_server, "change", hook)
        bank_server.misbehave(kind="mutate", path=SYNC, after=pages, times=1)

    return arrange


def calls(bank_server):
    return bank_server.faults.rulebook.report()["calls"].get(SYNC, 0)


def test_stored_rows_equal_the_banks_rows(link, stored, at_bank):
    item = link(username="user_good", password="pass_good")
    assert len(stored()) > 1000
    assert stored() == at_bank(item)


def test_a_custom_users_rows_keep_their_digits(link, custom, stored):
    amounts = ["89.40", "0.00000001", "-1234567.1234567", "42", "23631.9805"]
    link(**custom(*((amount, age) for age, amount in enumerate(amounts, 3))))
    assert sorted(str(row[2].normalize()) for row in stored()) == sorted(
        ["89.4", "1E-8", "-1234567.1234567", "42", "23631.9805"]
    )


@pytest.mark.parametrize("few", [0, 50])
def test_an_items_first_rows_and_a_few_are_stored_without_a_temporary_table(
    unsynced, sync, stored, at_bank, bank_server, token_of, context, monkeypatch, few
):
    """On PostgreSQL only: SQLite would gain nothing."""
    monkeypatch.setattr(upsert, "FEW", few)
    staged = []

    def note(_connection, _cursor, statement, *_rest):
        if "CREATE TEMPORARY TABLE staged_transaction" in statement:
            staged.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    sync(unsynced)
    assert bool(staged) == (db.engine.dialect.name == "sqlite")
    staged.clear()
    bank_server.call("/transactions/refresh", access_token=token_of(unsynced))
    sync(unsynced)
    assert bool(staged) == (db.engine.dialect.name == "sqlite" or not few)
    assert stored() == at_bank(unsynced)


def test_all_pages_are_read(small_pages, unsynced, sync, stored, at_bank):
    pull = sync(unsynced)
    assert (pull.state, pull.items[0].pages, pull.items[0].rows) == ("done", 3, 50)
    assert pull.items[0].added == 50
    assert stored() == at_bank(unsynced)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_fault_in_any_page_stores_nothing(
    small_pages, unsynced, sync, stored, item_now, bank_server, after, subtests
):
    for rule in (
        {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "X"},
        {"kind": "truncate"},
        {"kind": "garbage"},
        {"kind": "missing_field", "field": "next_cursor"},
    ):
        with subtests.test(rule["kind"]):
            bank_server.misbehave(path=SYNC, after=after, **rule)
            pull = sync(unsynced)
            assert pull.state == "queued"
            assert pull.items[0].phase == "failed"
            assert stored() == []
            assert item_now(unsynced).cursor == ""


def test_the_sync_after_a_failed_one_is_complete(
    small_pages, unsynced, sync, run, look, stored, at_bank, bank_server
):
    bank_server.misbehave(kind="reset", path=SYNC, after=1, times=1)
    pull = sync(unsynced)
    run(pull.id)
    assert look(pull.id).state == "done"
    assert look(pull.id).items[0].error_code is None
    assert stored() == at_bank(unsynced)


def test_a_change_between_two_pages_restarts_the_update(
    small_pages, unsynced, sync, stored, at_bank, bank_server
):
    bank_server.misbehave(kind="mutate", path=SYNC, after=1, times=1)
    before = calls(bank_server)
    pull = sync(unsynced)
    assert pull.state == "done"
    assert calls(bank_server) - before > 3
    assert stored() == at_bank(unsynced)
    assert pull.items[0].added == len(stored())


def test_a_bank_that_keeps_changing_is_asked_again_later(
    small_pages, unsynced, sync, stored, item_now, bank_server
):
    bank_server.misbehave(
        kind="error",
        path=SYNC,
        status=400,
        error_type="TRANSACTIONS_ERROR",
        error_code="TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
    )
    before = calls(bank_server)
    pull = sync(unsynced)
    assert calls(bank_server) - before == MAX_RESTARTS + 1
    assert (pull.state, pull.failures) == ("queued", 1)
    assert stored() == []
    assert item_now(unsynced).cursor == ""


def test_new_rows_are_added_digit_for_digit(dynamic, sync, stored, at_bank, bank_server, token_of):
    today = datetime.now(UTC).date().isoformat()
    bank_server.call(
        "/sandbox/transactions/create",
        access_token=token_of(dynamic),
        transactions=[
            {
                "date_transacted": today,
                "date_posted": today,
                "amount": 1234.1234567,
                "description": "Created",
            }
        ],
    )
    pull = sync(dynamic)
    assert (pull.items[0].added, pull.items[0].modified, pull.items[0].removed) == (1, 0, 0)
    assert "1234.12345670" in [str(row[2]) for row in stored()]
    assert stored() == at_bank(dynamic)


def test_changed_and_removed_rows_follow_the_bank(
    dynamic, sync, stored, at_bank, bank_server, token_of
):
    before = stored()
    bank_server.call("/transactions/refresh", access_token=token_of(dynamic))
    pull = sync(dynamic)
    assert pull.items[0].modified > 0
    assert pull.items[0].removed > 0
    assert stored() == at_bank(dynamic) != before


def test_removed_rows_are_marked_not_deleted(dynamic, sync, stored, bank_server, token_of):
    bank_server.call("/transactions/refresh", access_token=token_of(dynamic))
    pull = sync(dynamic)
    marked = select(db.func.count()).where(Transaction.removed_at.is_not(None))
    assert db.session.scalar(marked) == pull.items[0].removed


def test_a_sync_without_changes_changes_nothing(dynamic, sync, dump):
    def ledger():
        return dump()["transaction"]

    before = ledger()
    pull = sync(dynamic)
    assert (pull.state, pull.items[0].added) == ("done", 0)
    assert ledger() == before


def test_two_concurrent_syncs_store_each_row_once(
    small_pages, unsynced, sync, stored, at_bank, meanwhile, begin, look, item_now
):
    other = begin(kinds.TRANSACTIONS, items=[unsynced])
    meanwhile(lambda _: jobs.run(other), pages=2)
    pull = sync(unsynced)
    assert (look(other).state, look(other).items[0].added) == ("done", 50)
    assert (pull.state, pull.items[0].added) == ("done", 0)
    assert stored() == at_bank(unsynced)
    assert item_now(unsynced).sync_applied == item_now(unsynced).sync_requested


def test_a_sync_that_lost_the_cursor_starts_over_and_stores_newer_rows(
    small_pages, unsynced, sync, stored, at_bank, meanwhile, begin, look, bank_server
):
    other = begin(kinds.TRANSACTIONS, items=[unsynced])

    def overtake(token):
        jobs.run(other)
        bank_activity.refresh(bank_server.app.extensions["sandbox"], token)
        sync_progress.request_sync(unsynced.id)

    meanwhile(overtake, pages=2)
    pull = sync(unsynced)
    assert pull.state == "done"
    assert look(other).items[0].added == 50
    assert pull.items[0].removed > 0
    assert stored() == at_bank(unsynced)


def test_a_request_during_a_sync_is_not_lost(dynamic, sync, meanwhile, item_now, bank_server):
    meanwhile(lambda _: sync_progress.request_sync(dynamic.id), pages=0)
    before = calls(bank_server)
    sync(dynamic)
    assert calls(bank_server) - before == 2
    assert item_now(dynamic).sync_requested == item_now(dynamic).sync_applied == 3


def test_a_sync_without_news_has_a_logo_fetched_that_is_not_known(link, sync):
    """As for a bank that was connected before there were logos."""
    item = link()
    db.session.execute(delete(BankLogo))
    db.session.commit()
    sync(item)
    assert db.session.scalars(select(BankLogo.institution_id)).all() == [item.institution_id]


def test_no_transaction_is_open_while_the_bank_is_asked(small_pages, unsynced, sync, meanwhile):
    seen = []

    def write(_):
        sync_progress.request_sync(unsynced.id)
        db.session.commit()
        seen.append(db.session.scalar(select(Item.sync_requested).where(Item.id == unsynced.id)))

    meanwhile(write)
    assert sync(unsynced).state == "done"
    assert len(seen) == 1


def test_progress_is_visible_during_a_sync(
    small_pages, unsynced, sync, meanwhile, monkeypatch, poll
):
    monkeypatch.setattr(fetch, "PROGRESS_EVERY", 0)

    def shown():
        pull = shown_pulls.recent(unsynced.user_id, 1)[0]
        seen = pull.state, pull.items[0].phase, pull.items[0].pages, pull.items[0].rows
        db.session.rollback()  # until then, the sync could not write to SQLite
        return seen

    def watch(_):  # the second page is reported while the third is requested
        poll(lambda: shown() == ("running", "reading", 2, 40), what="the progress")
        watched.append(True)

    watched = []
    meanwhile(watch, pages=2)
    sync(unsynced)
    assert watched


@pytest.mark.parametrize(("size", "says_so"), [(20, True), (500, False)])
def test_several_pages_are_reported_as_being_stored(unsynced, sync, monkeypatch, size, says_so):
    """A single page is stored before a panel could say so. Its rows are counted all the same."""
    monkeypatch.setattr(client, "PAGE_SIZE", size)
    honest, phases = Attempt.report, []

    def report(attempt, pull_item, **values):
        phases.append(values.get("phase"))
        honest(attempt, pull_item, **values)

    monkeypatch.setattr(Attempt, "report", report)
    (part,) = sync(unsynced).items
    assert (pulls.STORING in phases) == says_so
    assert (part.pages, part.rows) == (3 if says_so else 1, 50)


def test_a_cursor_that_does_not_advance_is_an_error(small_pages, unsynced, sync, rewrite, stored):
    rewrite(SYNC, lambda page: page | {"next_cursor": "", "has_more": True})
    pull = sync(unsynced)
    assert (pull.state, pull.items[0].error_code) == ("queued", "BANK_PAGES_LOOP")
    assert stored() == []


def test_pages_that_go_round_in_a_circle_are_an_error(small_pages, unsynced, sync, rewrite, stored):
    cursors = []

    def from_the_third_page_to_the_first(page):
        cursors.append(page["next_cursor"])
        return page | {"next_cursor": cursors[0 if len(cursors) > 2 else -1], "has_more": True}

    rewrite(SYNC, from_the_third_page_to_the_first)
    pull = sync(unsynced)
    assert (pull.state, pull.items[0].error_code) == ("queued", "BANK_PAGES_LOOP")
    assert stored() == []


def test_a_repair_that_lost_the_cursor_starts_over(
    dynamic, begin, run, look, meanwhile, stored, at_bank, bank_server
):
    db.session.execute(delete(Transaction).where(Transaction.item_id == dynamic.id))
    db.session.commit()

    def overtake(token):
        bank_activity.refresh(bank_server.app.extensions["sandbox"], token)
        sync_progress.request_sync(dynamic.id)
        jobs.run(begin(kinds.TRANSACTIONS, items=[dynamic]))

    meanwhile(overtake, pages=0)
    repair = begin(kinds.REPAIR, items=[dynamic])
    run(repair)
    assert look(repair).state == "done"
    assert stored() == at_bank(dynamic)
