"""Connecting the same bank again: every row exists once, with its old id and its edits."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import requests
from sqlalchemy import delete, event, func, select, text, update

from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs.transactions import bank_comparison, sync
from plaidapp.store import Account, FormerAccount, Item, Pull, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import monthly_refresh
from sandbox import user_good

pytestmark = pytest.mark.usefixtures("context")

DYNAMIC = {"username": "user_transactions_dynamic", "password": "any"}
GOOD = {"username": "user_good", "password": "pass_good"}
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
REMOVE = "/item/remove"


def ledger(*conditions):
    """Return the rows that are shown, oldest id first."""
    db.session.remove()
    query = select(Transaction).where(Transaction.removed_at.is_(None), *conditions)
    rows = db.session.scalars(query.order_by(Transaction.id)).all()
    db.session.remove()
    return rows


def accounts():
    db.session.remove()
    rows = db.session.scalars(select(Account).order_by(Account.id)).all()
    db.session.remove()
    return rows


def movements(rows):
    return [(row.id, row.account_id, row.date, row.amount, row.name, row.pending) for row in rows]


def edit(rows):
    """Note, hide and re-categorize each row, and refresh its month's totals as an edit does."""
    ids = [row.id for row in rows]
    for row_id in ids:
        db.session.execute(
            update(Transaction)
            .where(Transaction.id == row_id)
            .values(note=f"note {row_id}", hidden=True, own_category="TRAVEL", edited_at=now())
        )
    monthly_refresh.refresh_for(ids)
    db.session.commit()


def notes(rows):
    return {row.id: row.note for row in rows}


def differences(item):
    """Return what differs from the bank or, if nothing does, derived data that is wrong."""
    found = bank_comparison.find(db.session.get_one(Item, item.id))
    db.session.remove()
    return found


def connections(owner):
    db.session.remove()
    found = [item.id for item in items.of_user(owner)]
    db.session.remove()
    return found


@pytest.fixture
def run_queued(run, look):
    """Run every queued pull, such as the one that removes a replaced Item at Plaid."""

    def run_all():
        db.session.remove()
        for pull_id in db.session.scalars(select(Pull.id).where(Pull.state == "queued")).all():
            run(pull_id)

    return run_all


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_reconnect_locks_the_items_in_the_order_of_their_ids(app, link, begin, poll, custom):
    """A sync of all banks locks them in this order too, so neither waits for the other forever."""
    given = custom(("5", 1))
    old = link(**given)
    pull_id = begin(kinds.LINK, given=given)
    lock = text("SELECT id FROM item WHERE id = :id FOR NO KEY UPDATE NOWAIT")

    def reconnect():
        with app.app_context():
            jobs.run(pull_id)

    with ThreadPoolExecutor(1) as threads, db.engine.connect() as other:
        other.execute(lock, {"id": old.id})
        reconnected = threads.submit(reconnect)
        poll(lambda: other.scalar(WAITING) or reconnected.done(), what="the reconnect waits")
        assert not reconnected.done()
        assert other.execute(lock, {"id": old.id + 1}).all() == [(old.id + 1,)]
        other.rollback()
        reconnected.result(30)


def test_a_bank_that_is_connected_again_has_every_row_once(
    link, owner, item_now, begin, run, look, run_queued, bank_server, token_of
):
    old = link(**GOOD)
    before, old_accounts = ledger(), accounts()
    edit(before[::3])
    pull_id = begin(kinds.LINK, given=GOOD)
    run(pull_id)

    pull_item = look(pull_id).items[0]
    new = pull_item.item
    assert (pull_item.accounts, pull_item.accounts_kept, pull_item.kept, pull_item.added) == (
        9,
        9,
        len(before),
        0,
    )
    after = ledger()
    assert movements(after) == movements(before)
    assert notes(after) == {row.id: row.note for row in ledger()}
    assert sum(row.note == f"note {row.id}" for row in after) == len(before[::3])
    assert {row.item_id for row in after} == {new.id}
    assert not {row.plaid_transaction_id for row in after} & {
        row.plaid_transaction_id for row in before
    }
    assert [row.id for row in accounts()] == [row.id for row in old_accounts]
    assert {row.item_id for row in accounts()} == {new.id}
    assert differences(new) == []

    assert item_now(old).state == item_states.REPLACED
    assert connections(owner) == [new.id]
    token = token_of(old)
    run_queued()
    assert item_now(old).access_token == b""
    answer = requests.post(
        bank_server.url + "/accounts/get",
        json={"client_id": "local", "secret": "local", "access_token": token},
        timeout=10,
    )
    assert answer.json()["error_code"] == "ITEM_NOT_FOUND"


def test_a_bank_can_be_connected_again_many_times(link, owner, run_queued):
    link(**DYNAMIC)
    before = ledger()
    edit(before)
    for _ in range(3):
        new = link(**DYNAMIC)
        run_queued()
        assert movements(ledger()) == movements(before)
        assert all(row.note for row in ledger())
        assert connections(owner) == [new.id]
        assert differences(new) == []


def test_a_repair_after_reconnecting_changes_nothing(link, begin, run, bank_server, token_of):
    link(**DYNAMIC)
    new = link(**DYNAMIC)
    before = movements(ledger())
    for kind in (kinds.REPAIR, kinds.TRANSACTIONS, kinds.REPAIR):
        run(begin(kind, items=[new]))
        assert movements(ledger()) == before
    bank_server.call("/transactions/refresh", access_token=token_of(new))
    run(begin(kinds.TRANSACTIONS, items=[new]))
    assert differences(new) == []


def test_history_that_the_bank_no_longer_sends_stays(link, owner, begin, run, custom):
    """Plaid sends the last two years, and some banks less."""
    link(**custom(("1", 1), ("2", 90), ("3", 700)))
    edit(ledger())
    new = link(**custom(("1", 1), ("9", 80)))
    run(begin(kinds.REPAIR, items=[new]))
    rows = {row.amount: row.note for row in ledger()}
    assert set(rows) == {1, 2, 3, 9}
    assert [amount for amount, note in rows.items() if not note] == [9]
    assert differences(new) == []


def test_a_row_that_the_bank_no_longer_lists_is_removed(link, custom):
    link(**custom(("1", 1), ("2", 50), ("3", 90)))
    link(**custom(("1", 1), ("3", 90)))
    assert [row.amount for row in ledger()] == [1, 3]


def test_reconnecting_a_bank_that_is_still_preparing(
    link, owner, begin, run, look, slow_sandbox, bank_server, monkeypatch
):
    pull_id = begin(kinds.LINK, given=GOOD)
    run(pull_id)
    slow_sandbox.turn(100)
    run(pull_id)
    before = ledger()
    edit(before)
    assert len(before) > 1000

    again = begin(kinds.LINK, given=GOOD)
    run(again)
    new = look(again).items[0].item
    kept = []
    for seconds in (0, 11, 100):
        slow_sandbox.turn(seconds)
        run(again)
        assert movements(ledger()) == movements(before)
        kept.append(look(again).items[0].kept)
    assert kept[0] == 0 < kept[1] < kept[2] == len(before)
    assert look(again).state == "done"
    assert differences(new) == []
    assert all(row.note for row in ledger())


@pytest.mark.parametrize("today", ["2026-11-26", "2028-02-29"])
def test_reconnecting_some_days_later(link, begin, run, look, slow_sandbox, today):
    """Pending rows have posted on another date; ten days have left the window of two years.

    The days are fixed because not every day has a pending purchase that posts. On both of them, an
    account's first row at the new Item is later than that of another account.
    """
    slow_sandbox.now = datetime.fromisoformat(f"{today}T12:00Z")

    def connect():
        pull_id = begin(kinds.LINK, given=GOOD)
        run(pull_id)
        slow_sandbox.turn(100)
        run(pull_id)
        return look(pull_id).items[0].item

    old = connect()
    before = ledger()
    edit(before)
    slow_sandbox.turn(timedelta(days=10).total_seconds())
    new = connect()

    after = ledger()
    assert differences(new) == []
    history = [row for row in after if row.item_id == old.id]
    first_days = {}
    for row in after:
        if row.item_id == new.id:
            first_days[row.account_id] = min(row.date, first_days.get(row.account_id, row.date))
    assert history
    for row in history:
        assert row.note
        assert row.account_id not in first_days or row.date < first_days[row.account_id]
    kept = {row.id for row in before} & {row.id for row in after}
    # The household pays its card, and saves, on the same day of the month as today. The sandbox has
    # no purchases made before its first day, which would post on its first two days.
    window = slow_sandbox.now.date() - timedelta(days=user_good.HISTORY_DAYS)
    purchases = window + timedelta(days=user_good.PENDING_DAYS)
    removed = [row for row in before if row.id not in kept and not row.pending]
    assert len(removed) < 120
    assert {row.category_primary for row in removed if row.date >= purchases} <= {
        *("LOAN_PAYMENTS", "TRANSFER_IN", "TRANSFER_OUT")
    }
    pending = [row for row in before if row.pending]
    posted = [row for row in after if row.note in {f"note {row.id}" for row in pending}]
    assert posted
    assert all(not row.pending and row.id not in kept for row in posted)


def custom_accounts(*masks, name=None):
    day = str(now().date() - timedelta(days=2))

    def account(mask):
        row = {
            "date_transacted": day,
            "date_posted": day,
            "amount": int(mask),
            "description": f"of {mask}",
        }
        meta = {"name": name} if name else None
        fields = {"type": "depository", "subtype": "checking", "meta": meta}
        return fields | {"numbers": {"account": mask}, "transactions": [row, row]}

    spec = {"override_accounts": [account(mask) for mask in masks]}
    return {"username": "user_custom", "password": json.dumps(spec)}


def test_only_identical_accounts_move_to_the_new_connection(
    link, owner, begin, run, item_now, run_queued
):
    old = link(**custom_accounts("1001", "1002", "1003"))
    edit(ledger())
    new = link(**custom_accounts("1002", "1003", "1004"))

    def check():
        assert [(row.mask, row.item_id) for row in accounts()] == [
            ("1001", old.id), ("1002", new.id), ("1003", new.id), ("1004", new.id),
        ]  # fmt: skip
        assert sorted(row.amount for row in ledger()) == sorted([1001, 1002, 1003, 1004] * 2)
        assert sum(row.note is not None for row in ledger()) == 6
        assert differences(old) == differences(new) == []

    check()
    assert connections(owner) == [old.id, new.id]
    run_queued()
    assert item_now(old).state == item_states.GOOD
    for kind in (kinds.ACCOUNTS, kinds.TRANSACTIONS, kinds.REPAIR):
        run(begin(kind, items=[item_now(old), item_now(new)]))
        check()
    assert item_now(old).access_token


def test_another_login_at_the_bank_stays_another_connection(link, owner):
    one = link(**custom_accounts("1001"))
    other = link(**custom_accounts("2002"))
    assert connections(owner) == [one.id, other.id]
    assert len(ledger()) == 4


def test_equal_accounts_at_another_bank_are_different_accounts(link, owner):
    link(**DYNAMIC)
    link(institution_id="ins_3", **DYNAMIC)
    assert len(connections(owner)) == 2
    assert len(ledger()) == 100


def test_another_persons_accounts_do_not_move(link, owner, alice, connect):
    link(**DYNAMIC)
    connect(alice, override_username=DYNAMIC["username"], override_password="any")
    assert len(connections(owner)) == len(connections(alice.id)) == 1
    assert len(ledger()) == 100


def test_plaids_persistent_id_counts_more_than_the_name(link, owner):
    link("ins_127287", **custom_accounts("1001", "1002"))
    new = link("ins_127287", **custom_accounts("1001", "1002", name="Renamed"))
    assert connections(owner) == [new.id]
    assert len(ledger()) == 4
    assert {row.name for row in accounts()} == {"Renamed"}


def test_a_closed_account_opens_again(link, owner):
    link(**custom_accounts("1001"))
    db.session.execute(update(Account).values(closed_at=now()))
    db.session.commit()
    link(**custom_accounts("1001"))
    assert [row.closed_at for row in accounts()] == [None]
    assert len(ledger()) == 2


def test_reconnecting_after_the_log_in_expired(
    link, owner, bank_server, token_of, begin, run, item_now
):
    old = link(**DYNAMIC)
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(old))
    run(begin(kinds.TRANSACTIONS, items=[old]))
    assert item_now(old).state == item_states.LOGIN_REQUIRED
    new = link(**DYNAMIC)
    assert connections(owner) == [new.id]
    assert item_now(old).error_message is None
    assert len(ledger()) == 50


@pytest.mark.parametrize("code", ["ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN"])
def test_an_item_that_is_gone_at_plaid_is_removed(link, run_queued, item_now, bank_server, code):
    old = link(**DYNAMIC)
    link(**DYNAMIC)
    refusal = {"status": 400, "error_type": "ITEM_ERROR", "error_code": code}
    bank_server.misbehave(path=REMOVE, kind="error", **refusal)
    run_queued()
    assert item_now(old).access_token == b""


def test_a_removal_that_is_not_stored_is_requested_by_the_next_sync(link, begin, run, item_now):
    """As after a restore: the sync finds nothing new, and the replaced Item is still at Plaid."""
    old, new = link(**GOOD), link(**GOOD)
    db.session.execute(delete(Pull).where(Pull.kind == kinds.REMOVE))
    db.session.commit()
    run(begin(kinds.TRANSACTIONS, items=[item_now(new)]))
    removal = db.session.scalars(select(Pull).where(Pull.kind == kinds.REMOVE)).one()
    run(removal.id)
    assert item_now(old).access_token == b""


def test_accounts_that_the_sync_lists_first_are_recognized(link, custom, monkeypatch):
    given = custom(("5", 1), ("7", 2))
    link(**given)
    before = movements(ledger())
    monkeypatch.setattr(sync, "read_accounts", lambda _attempt, _pull_item: None)
    new = link(**given)
    assert movements(ledger()) == before
    assert {row.item_id for row in accounts()} == {new.id}


def test_removing_an_item_is_retried(link, run_queued, item_now, bank_server, owner):
    old = link(**DYNAMIC)
    link(**DYNAMIC)
    bank_server.misbehave(path=REMOVE, kind="reset", times=1)
    run_queued()
    assert item_now(old).access_token
    assert item_now(old).state == item_states.REPLACED
    run_queued()
    assert item_now(old).access_token == b""


def test_a_pull_of_a_replaced_item_does_not_fail(link, begin, run, look, run_queued, item_now):
    old = link(**DYNAMIC)
    waiting = [begin(kind, items=[old]) for kind in (kinds.ACCOUNTS, kinds.TRANSACTIONS)]
    link(**DYNAMIC)
    late = [begin(kind, items=[old]) for kind in (kinds.TRANSACTIONS, kinds.REPAIR)]
    before = movements(ledger())
    run(waiting.pop())  # while Plaid still knows it
    run_queued()
    for pull_id in (*waiting, *late):
        run(pull_id) if look(pull_id).state == "queued" else None
        assert look(pull_id).state == "done"
    assert movements(ledger()) == before
    assert len(accounts()) == 9
    assert item_now(old).state == item_states.REPLACED


def test_a_sync_during_which_the_accounts_move_away(link, begin, run, look, monkeypatch):
    """The old Item's worker has fetched all pages when its accounts move to the new Item."""
    old = link(**DYNAMIC)
    before = movements(ledger())
    repair = begin(kinds.REPAIR, items=[old])
    honest = sync.fetch

    def fetch(attempt, *arguments):
        fetched = honest(attempt, *arguments)
        if attempt.pull.id == repair:
            monkeypatch.setattr(sync, "fetch", honest)
            link(**DYNAMIC)
        return fetched

    monkeypatch.setattr(sync, "fetch", fetch)
    jobs.run(repair)
    assert look(repair).state == "done"
    assert movements(ledger()) == before
    assert len(accounts()) == 9


class Killed(BaseException):
    """The worker dies."""


def test_a_worker_may_die_before_any_commit(link, owner, begin, run, look, run_queued, monkeypatch):
    """Each time one commit later; then a new worker continues."""
    link(**DYNAMIC)
    before = ledger()
    edit(before)
    steps, died = 0, True
    while died:
        steps += 1
        pull_id = begin(kinds.LINK, given=DYNAMIC)
        died = die_at(steps, pull_id, begin)
        assert movements(ledger()) == movements(before), f"after commit {steps}"
        if died:
            db.session.execute(update(Pull).where(Pull.state == "running").values(state="queued"))
            db.session.commit()
            run(pull_id)
        run_queued()
        assert look(pull_id).state == "done"
        assert movements(ledger()) == movements(before), f"after commit {steps} and again"
        assert all(row.note for row in ledger())
        assert len(accounts()) == 9
        assert connections(owner)[-1] == look(pull_id).items[0].item_id
    assert steps > 6


def die_at(step, pull_id, begin):
    """Run the pull until just before its `step`-th commit. Return whether it got there."""
    left = step

    def die(_connection):
        nonlocal left
        if threading.current_thread() is threading.main_thread():
            left -= 1
            if not left:
                raise Killed

    event.listen(db.engine, "commit", die)
    try:
        jobs.run(pull_id)
    except Killed:
        db.session.rollback()
        return True
    finally:
        event.remove(db.engine, "commit", die)
        db.session.remove()
    return False


@pytest.mark.parametrize("connected_before", [False, True])
def test_two_connections_at_once_store_every_row_once(
    context, link, begin, look, owner, run_queued, connected_before
):
    if connected_before:
        link(**DYNAMIC)
        edit(ledger())
    both = [begin(kinds.LINK, given=DYNAMIC) for _ in range(2)]
    ready = threading.Barrier(2)

    def work(pull_id):
        with context.app_context():
            ready.wait(10)
            jobs.run(pull_id)

    threads = [threading.Thread(target=work, args=(pull_id,)) for pull_id in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_queued()
    assert [look(pull_id).state for pull_id in both] == ["done", "done"]
    (left,) = connections(owner)
    assert len(accounts()) == 9
    assert len(ledger()) == 50
    assert differences(db.session.get_one(Item, left)) == []
    assert all(row.note for row in ledger()) or not connected_before


def test_a_sync_after_a_failed_first_one_reads_the_accounts_too(
    link, owner, begin, run, look, bank_server, item_now
):
    """Every sync of such an Item reads the accounts before the transactions."""
    link(**DYNAMIC)
    failing = {"status": 400, "error_type": "INVALID_REQUEST", "error_code": "MISSING_FIELDS"}
    bank_server.misbehave(path="/accounts/get", kind="error", times=1, **failing)
    pull_id = begin(kinds.LINK, given=DYNAMIC)
    run(pull_id)
    assert look(pull_id).state == "failed"
    new = look(pull_id).items[0].item
    run(begin(kinds.TRANSACTIONS, items=[new]))
    assert connections(owner) == [new.id]
    assert len(ledger()) == 50


def test_a_first_connection_replaces_nothing(link):
    link(**DYNAMIC)
    assert db.session.scalar(select(func.count()).select_from(FormerAccount)) == 0
