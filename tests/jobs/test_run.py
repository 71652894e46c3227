"""How a pull runs and ends: done, failed with a sentence, or queued for another attempt."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import DataError

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.extensions.transactions import is_repeatable
from plaidapp.jobs import clock
from plaidapp.jobs import run as jobs
from plaidapp.jobs.pulls.attempt import Attempt
from plaidapp.jobs.pulls.setbacks import LostPullError
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts
from plaidapp.store.pulls import kinds, pulls, transitions

ACCOUNTS, BALANCES, SYNC = "/accounts/get", "/accounts/balance/get", "/transactions/sync"
EXCHANGE, CREATE = "/item/public_token/exchange", "/sandbox/public_token/create"
PATHS = {kinds.LINK: CREATE, kinds.ACCOUNTS: BALANCES, kinds.TRANSACTIONS: SYNC}
BANKS = ("ins_109508", "ins_109509", "ins_3")
WITHOUT_THE_DISK = """
SELECT setting = 'off' AND source = 'session' FROM pg_settings WHERE name = 'synchronous_commit'
"""
SANDBOX_DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}


@pytest.fixture
def prepared(begin, link):
    """Make a pull of a kind that is ready to run."""

    def make(kind):
        return begin(kind) if kind == kinds.LINK else begin(kind, items=[link()])

    return make


@pytest.fixture
def change(context):
    def write(pull_id, **values):
        db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
        db.session.commit()

    return write


@contextmanager
def calling_at_commits(call):
    event.listen(db.engine, "commit", call)
    try:
        yield
    finally:
        event.remove(db.engine, "commit", call)


def test_a_finished_pull_says_what_it_did(link, begin, run, look):
    item = link()
    pull_id = begin(kinds.ACCOUNTS, items=[item])
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.attempt, pull.failures, pull.error_code) == ("done", 1, 0, None)
    assert pull.started_at <= pull.ended_at
    assert (pull.items[0].phase, pull.items[0].accounts) == ("done", 1)
    assert pull.items[0].request_id


@pytest.mark.parametrize(
    ("kind", "commits_of_the_job"), [(kinds.ACCOUNTS, 2), (kinds.TRANSACTIONS, 3)]
)
def test_a_pull_without_errors_takes_few_commits(link, begin, run, look, kind, commits_of_the_job):
    """The claim, the start of a sync, and the rows with the end."""
    item = link()
    pull_id = begin(kind, items=[item])
    commits = []
    with calling_at_commits(commits.append):
        run(pull_id)
    assert look(pull_id).state == "done"
    assert len(commits) == 1 + commits_of_the_job  # plus one of the fixture `run`


@pytest.mark.parametrize("kind", [kinds.LINK, kinds.ACCOUNTS, kinds.TOTAL, kinds.REFRESH])
def test_what_can_be_read_again_does_not_wait_for_the_disk(prepared, run, look, kind):
    """The claim does: attempts are told apart by their number. So does what is done at Plaid."""
    pull_id = prepared(kind)
    at_once = []

    def note(connection):
        on_postgres = connection.dialect.name == "postgresql"
        query = connection.exec_driver_sql
        at_once.append(query(WITHOUT_THE_DISK).scalar_one() if on_postgres else is_repeatable())

    with calling_at_commits(note):
        run(pull_id)
    assert look(pull_id).state == "done"
    _of_the_fixture, claim, *others = at_once
    assert not claim
    assert set(others) == {kind in (kinds.ACCOUNTS, kinds.TOTAL)}


@pytest.mark.parametrize("kind", PATHS)
def test_a_retryable_error_is_retried_later(prepared, run, look, bank_server, kind):
    pull_id = prepared(kind)
    bank_server.misbehave(path=PATHS[kind], **SANDBOX_DOWN)
    before = now()
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.failures, pull.ended_at) == ("queued", 1, None)
    assert pull.run_after > before
    shown = pull.items[0] if pull.items else pull
    assert shown.error_code == "DOWN"
    assert shown.error_message == "Plaid is having trouble right now."


@pytest.mark.parametrize("kind", PATHS)
def test_the_third_failure_is_the_last(prepared, run, look, bank_server, kind):
    pull_id = prepared(kind)
    bank_server.misbehave(path=PATHS[kind], **SANDBOX_DOWN)
    for _ in range(policy.MAX_FAILURES_ATTENDED):
        assert look(pull_id).state == "queued"
        run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.failures) == ("failed", 3)
    assert pull.ended_at is not None
    shown = pull.items[0] if pull.items else pull
    assert shown.error_message == "Plaid is having trouble right now."


@pytest.mark.parametrize("kind", PATHS)
def test_a_second_attempt_that_works_leaves_no_error(prepared, run, look, bank_server, kind):
    pull_id = prepared(kind)
    bank_server.misbehave(path=PATHS[kind], times=1, **SANDBOX_DOWN)
    run(pull_id)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.attempt, pull.error_code) == ("done", 2, None)
    assert [pull_item.error_code for pull_item in pull.items] == [None]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (kinds.LINK, "/transactions/sync"),
        (kinds.LINK, "/accounts/get"),
        (kinds.TRANSACTIONS, "/transactions/sync"),
    ],
)
def test_a_product_that_is_not_ready_is_no_failure(prepared, run, look, bank_server, kind, path):
    """Before there is an Item, it would be an error like others."""
    pull_id = prepared(kind)
    not_ready = {"error_type": "ITEM_ERROR", "error_code": "PRODUCT_NOT_READY"}
    bank_server.misbehave(kind="error", status=400, path=path, times=1, **not_ready)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.failures, pull.items[0].phase) == ("queued", 0, "preparing")
    assert pull.items[0].error_code is None
    run(pull_id)
    assert look(pull_id).state == "done"


@pytest.mark.parametrize("kind", [kinds.ACCOUNTS, kinds.TRANSACTIONS])
def test_an_expired_log_in_fails_at_once(
    link, begin, run, look, item_now, bank_server, token_of, kind
):
    item = link()
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(item))
    pull_id = begin(kind, items=[item])
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.failures) == ("failed", 1)
    assert pull.items[0].error_message == "The bank needs you to log in again."
    item = item_now(item)
    assert (item.state, item.error_code) == ("login_required", "ITEM_LOGIN_REQUIRED")


def test_a_final_error_becomes_the_items_state(link, begin, run, item_now, bank_server):
    item = link()
    bank_server.misbehave(
        kind="error", path="*", status=400, error_type="ITEM_ERROR", error_code="NO_ACCOUNTS"
    )
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert (item_now(item).state, item_now(item).error_code) == ("error", "NO_ACCOUNTS")


def test_a_retryable_error_leaves_the_item_good(link, begin, run, item_now, bank_server):
    item = link()
    bank_server.misbehave(path=BALANCES, **SANDBOX_DOWN)
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert item_now(item).state == "good"


@pytest.mark.parametrize("broken", [0, 1, 2])
@pytest.mark.parametrize("kind", [kinds.ACCOUNTS, kinds.TRANSACTIONS])
def test_an_error_at_one_bank_does_not_stop_the_others(
    link, begin, run, look, bank_server, token_of, kind, broken
):
    connected = [link(institution_id=bank) for bank in BANKS]
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(connected[broken]))
    pull_id = begin(kind, items=connected)
    run(pull_id)
    pull = look(pull_id)
    phases = [pull_item.phase for pull_item in pull.items]
    assert phases.pop(broken) == "failed"
    assert phases == ["done", "done"]
    assert pull.state == "failed"


@pytest.mark.parametrize("failing", [0, 1])
def test_a_second_attempt_asks_only_where_the_first_failed(
    link, begin, run, look, bank_server, failing
):
    pull_id = begin(kinds.ACCOUNTS, items=[link(institution_id=bank) for bank in BANKS[:2]])
    bank_server.misbehave(path=BALANCES, after=failing, times=1, **SANDBOX_DOWN)
    run(pull_id)
    asked = bank_server.faults.rulebook.report()["calls"][BALANCES]
    run(pull_id)
    assert look(pull_id).state == "done"
    assert bank_server.faults.rulebook.report()["calls"][BALANCES] == asked + 1


def test_a_pull_follows_a_bank_that_is_preparing(begin, run, look, slow_sandbox, stored, custom):
    pull_id, before = begin(kinds.LINK, given=custom(("1", 3), ("2", 4), ("3", 400))), now()
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.failures, pull.items[0].phase) == ("queued", 0, "preparing")
    assert pull.run_after > before
    assert stored() == []
    slow_sandbox.turn(15)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.items[0].phase) == ("queued", "preparing")
    assert sorted(row[2] for row in stored()) == [1, 2]
    slow_sandbox.turn(60)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.items[0].phase) == ("done", "done")
    assert sorted(row[2] for row in stored()) == [1, 2, 3]
    assert pull.items[0].added == 3


def test_a_pull_does_not_follow_a_slow_bank_for_ever(begin, run, look, slow_sandbox, change):
    pull_id = begin(kinds.LINK)
    change(pull_id, created_at=now() - policy.PREPARING_LIMIT)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.items[0].phase) == ("done", "preparing")


def claimed(pull_id):
    assert transitions.claim(pull_id)
    db.session.commit()
    return Attempt(pulls.by_id(pull_id))


def give_up(pull_id):
    db.session.execute(
        update(Pull)
        .where(Pull.id == pull_id)
        .values(heartbeat_at=now() - policy.HEARTBEAT_LIMIT - timedelta(seconds=1))
    )
    db.session.commit()
    clock.reclaim()


def test_another_worker_finishes_a_pull_whose_worker_was_killed(link, begin, run, look):
    pull_id = begin(kinds.ACCOUNTS, items=[link()])
    claimed(pull_id)
    give_up(pull_id)
    assert look(pull_id).state == "queued"
    run(pull_id)
    assert (look(pull_id).state, look(pull_id).attempt) == ("done", 2)


def test_an_attempt_that_lost_its_pull_reports_nothing(link, begin, look):
    pull_id = begin(kinds.ACCOUNTS, items=[link()])
    old = claimed(pull_id)
    give_up(pull_id)
    new = claimed(pull_id)
    pull_item = new.pull.items[0]
    new.report(pull_item, phase=pulls.DONE)
    new.conclude([])
    with pytest.raises(LostPullError):
        old.report(pull_item, phase=pulls.READING, pages=7)
    old.conclude([])
    old.crash()
    pull = look(pull_id)
    assert (pull.state, pull.attempt, pull.error_code) == ("done", 2, None)
    assert (pull.items[0].phase, pull.items[0].pages) == ("done", 0)


def test_a_worker_that_comes_back_does_not_disturb_its_successor(
    link, begin, run, look, bank_server, context, monkeypatch, stored, at_bank
):
    item = link()
    pull_id = begin(kinds.TRANSACTIONS, items=[item])

    def overtake(_):
        with context.app_context():
            give_up(pull_id)
            jobs.run(pull_id)

    monkeypatch.setattr(bank_server, "change", overtake)
    bank_server.misbehave(kind="mutate", path=SYNC, times=1)
    run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.attempt, pull.items[0].phase) == ("done", 2, "done")
    assert stored() == at_bank(item)


def test_a_pull_that_is_rung_twice_runs_once(link, begin, run, look, bank_server):
    pull_id = begin(kinds.ACCOUNTS, items=[link()])
    run(pull_id)
    asked = bank_server.faults.rulebook.report()["calls"][BALANCES]
    jobs.run(pull_id)
    assert bank_server.faults.rulebook.report()["calls"][BALANCES] == asked
    assert look(pull_id).attempt == 1


def test_a_deleted_pull_is_ignored(context, dump):
    before = dump()
    jobs.run(12345)
    assert dump() == before


def test_a_bug_fails_the_pull_and_is_raised(link, begin, context, look, monkeypatch):
    pull_id = begin(kinds.ACCOUNTS, items=[link()])
    monkeypatch.delitem(context.extensions, "bank")
    with pytest.raises(KeyError), context.app_context():
        jobs.run(pull_id)
    pull = look(pull_id)
    assert (pull.state, pull.error_code) == ("failed", "INTERNAL_ERROR")
    assert "Something broke on our side" in pull.error_message
    assert pull.ended_at is not None


def test_after_a_bug_a_connection_does_not_say_that_it_is_up_to_date(
    link, begin, context, run, item_now, monkeypatch
):
    item = link()
    with monkeypatch.context() as patch:
        patch.delitem(context.extensions, "bank")
        with pytest.raises(KeyError), context.app_context():
            jobs.run(begin(kinds.TRANSACTIONS, items=[item]))
    assert "Something broke on our side" in item_now(item).failing_message
    run(begin(kinds.TRANSACTIONS, items=[item]))
    assert (item_now(item).failing_since, item_now(item).failing_message) == (None, None)


@pytest.mark.parametrize("kind", PATHS)
def test_no_token_is_logged(prepared, run, caplog, context, kind):
    caplog.set_level(logging.DEBUG)
    pull_id = prepared(kind)
    run(pull_id)
    for item in db.session.scalars(db.select(Item)):
        token = context.extensions["cipher"].decrypt(item.token)
        assert token not in caplog.text
    assert "access-sandbox" not in caplog.text
    assert "werkzeug" in caplog.text


def test_a_bug_in_the_middle_of_a_transaction_fails_the_pull(link, begin, run, look, monkeypatch):
    """The rollback expires the pull's row; its end is stored all the same."""
    pull_id = begin(kinds.TRANSACTIONS, items=[link()])

    def stumble(*_given):
        db.session.scalar(db.select(Item.id))
        raise ZeroDivisionError

    monkeypatch.setattr("plaidapp.jobs.transactions.store_update.store_batch", stumble)
    with pytest.raises(ZeroDivisionError):
        run(pull_id)
    assert (look(pull_id).state, look(pull_id).error_code) == ("failed", "INTERNAL_ERROR")


def test_rows_that_the_database_refuses_do_not_stop_the_next_item(
    link, begin, run, look, monkeypatch
):
    """The rollback also expires the next Item and its token."""
    linked = [link(institution_id=bank) for bank in BANKS[:2]]
    pull_id = begin(kinds.ACCOUNTS, items=linked)
    save = accounts.save

    def refuse(user_id, item_id, *listed):
        if item_id == linked[0].id:
            db.session.scalar(db.select(Item.id))
            raise DataError("a statement", {}, Exception("refused"))
        return save(user_id, item_id, *listed)

    monkeypatch.setattr(accounts, "save", refuse)
    run(pull_id)
    assert [pull_item.phase for pull_item in look(pull_id).items] == ["failed", "done"]


def test_after_a_bug_only_the_items_that_are_done_say_so(link, begin, run, look, monkeypatch):
    linked = [link(institution_id=bank) for bank in BANKS]
    pull_id = begin(kinds.ACCOUNTS, items=linked)
    save = accounts.save

    def stumble(user_id, item_id, *listed):
        if item_id == linked[1].id:
            raise ZeroDivisionError
        return save(user_id, item_id, *listed)

    monkeypatch.setattr(accounts, "save", stumble)
    with pytest.raises(ZeroDivisionError):
        run(pull_id)
    assert [pull_item.phase for pull_item in look(pull_id).items] == ["done", "queued", "queued"]
