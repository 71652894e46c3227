"""How an attempt ends, and what is left of one that lost its pull."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from plaidapp import policy
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.pulls.attempt import Attempt
from plaidapp.jobs.pulls.setbacks import LostPullError
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, state_changes, sync_progress
from plaidapp.store.pulls import kinds, pulls, transitions

RETRYABLE = BankError("DOWN", "The bank is down.", retryable=True, request_id="r1")
FINAL = BankError("NO_ACCOUNTS", "The bank has no accounts.", retryable=False)


@pytest.fixture
def claim(begin):
    """Begin a pull, or go on with one, as a worker does."""

    def claimed(kind, **fields):
        pull_id = begin(kind, **fields)
        assert transitions.claim(pull_id)
        attempt = Attempt(pulls.by_id(pull_id))
        attempt.begin()
        return attempt

    return claimed


def lose(attempt):
    """The worker counts as dead, and another one claims its pull."""
    silent_since = now() - policy.HEARTBEAT_LIMIT - timedelta(seconds=1)
    db.session.execute(
        update(Pull).where(Pull.id == attempt.pull.id).values(heartbeat_at=silent_since)
    )
    db.session.commit()
    clock.reclaim()
    assert transitions.claim(attempt.pull.id)
    db.session.commit()


def test_without_errors_the_pull_is_done_and_forgets_its_secret(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link()], given={"password": "secret"})
    assert attempt.conclude([])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.sealed, pull.failures) == ("done", None, 0)
    assert pull.ended_at is not None


def test_a_retryable_error_queues_the_pull_and_keeps_its_secret(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link()], given={"password": "secret"})
    before = now()
    assert attempt.conclude([RETRYABLE])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.failures, pull.ended_at) == ("queued", 1, None)
    assert pull.sealed is not None
    assert pull.run_after >= before + timedelta(seconds=1.5)


@pytest.mark.parametrize("order", [1, -1])
def test_a_retry_waits_as_long_as_the_bank_that_asks_for_more_time(claim, link, look, order):
    limited = BankError("BALANCE_LIMIT", "Too many requests.", retryable=True, wait=600)
    attempt = claim(kinds.ACCOUNTS, items=[link(), link(institution_id="ins_109509")])
    before = now()
    assert attempt.conclude([RETRYABLE, limited][::order])
    assert look(attempt.pull.id).run_after >= before + timedelta(seconds=600)


def test_a_final_error_ends_the_pull(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link()])
    assert attempt.conclude([FINAL])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.failures) == ("failed", 1)
    assert pull.ended_at is not None


@pytest.mark.parametrize(("error", "state"), [(RETRYABLE, "queued"), (FINAL, "failed")])
def test_an_error_before_there_is_an_item_is_stored_with_the_pull(claim, look, error, state):
    attempt = claim(kinds.LINK)
    attempt.conclude([error])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.error_code, pull.error_message) == (state, error.code, error.message)


def test_an_items_error_is_stored_with_the_item_alone(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link()])
    attempt.report_failure(attempt.pull.items[0], RETRYABLE)
    attempt.conclude([RETRYABLE])
    pull = look(attempt.pull.id)
    assert (pull.error_code, pull.error_message) == (None, None)
    (failed,) = pull.items
    assert (failed.phase, failed.error_code) == ("failed", "DOWN")
    assert (failed.error_message, failed.request_id) == ("The bank is down.", "r1")


def test_a_bank_that_prepares_is_asked_again_without_a_failure(claim, link, look):
    item = link()
    attempt = claim(kinds.TRANSACTIONS, items=[item])
    sync_progress.not_ready(item.id, item.sync_requested)
    attempt.report(attempt.pull.items[0], phase=pulls.PREPARING)
    assert attempt.conclude([])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.failures) == ("queued", 0)
    assert pull.run_after == pull.items[0].item.ask_after


def test_a_request_during_a_sync_makes_another_round(claim, link, look):
    item = link()
    attempt = claim(kinds.TRANSACTIONS, items=[item])
    sync_progress.request_sync(item.id)
    db.session.commit()
    assert not attempt.conclude([])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.items[0].phase) == ("running", "asking")


def test_a_sync_of_two_items_does_not_end_before_a_request_for_the_first_is_seen(claim, link, look):
    linked = [link(), link(institution_id="ins_109509")]
    attempt = claim(kinds.TRANSACTIONS, items=linked)
    first, second = attempt.pull.items
    attempt.report(first, phase=pulls.DONE)
    sync_progress.request_sync(linked[0].id)
    db.session.commit()
    attempt.report(second, phase=pulls.DONE)
    assert not attempt.conclude([])
    pull = look(attempt.pull.id)
    assert pull.state == "running"
    assert [pull_item.phase for pull_item in pull.items] == ["asking", "done"]


@pytest.mark.parametrize("kind", [kinds.ACCOUNTS, kinds.RECURRING])
def test_a_pull_that_does_not_sync_leaves_requests_to_others(claim, link, look, kind):
    item = link()
    attempt = claim(kind, items=[item])
    sync_progress.request_sync(item.id)
    db.session.commit()
    assert attempt.conclude([])
    assert look(attempt.pull.id).state == "done"


def test_a_pull_that_a_report_has_ended_stays_as_it_is(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link()])
    attempt.report(attempt.pull.items[0], phase=pulls.DONE)
    done = look(attempt.pull.id)
    assert done.state == "done"
    assert attempt.conclude([RETRYABLE])
    pull = look(attempt.pull.id)
    assert (pull.state, pull.failures, pull.revision) == ("done", 0, done.revision)


def test_the_first_of_two_items_does_not_end_the_pull(claim, link, look):
    attempt = claim(kinds.ACCOUNTS, items=[link(), link(institution_id="ins_109509")])
    first, second = attempt.pull.items
    attempt.report(first, phase=pulls.DONE)
    assert look(attempt.pull.id).state == "running"
    attempt.report(second, phase=pulls.DONE)
    assert look(attempt.pull.id).state == "done"


@pytest.mark.parametrize("errors", [[], [RETRYABLE], [FINAL]])
def test_a_lost_pull_is_its_new_workers_to_conclude(claim, link, look, errors):
    attempt = claim(kinds.ACCOUNTS, items=[link()])
    lose(attempt)
    attempt.conclude(errors)
    pull = look(attempt.pull.id)
    assert (pull.state, pull.attempt, pull.failures, pull.ended_at) == ("running", 2, 0, None)


def test_a_report_of_a_lost_pull_keeps_what_came_with_it(claim, link, look, item_now):
    """For example the access token of a new Item, which Plaid shows only once."""
    item = link()
    attempt = claim(kinds.ACCOUNTS, items=[item])
    lose(attempt)
    state_changes.set_state(item.id, item_states.NEW_ACCOUNTS, None, None)
    with pytest.raises(LostPullError):
        attempt.report(attempt.pull.items[0], phase=pulls.DONE, pages=7)
    assert item_now(item).state == item_states.NEW_ACCOUNTS
    pull = look(attempt.pull.id)
    assert (pull.state, pull.items[0].phase, pull.items[0].pages) == ("running", "asking", 0)
