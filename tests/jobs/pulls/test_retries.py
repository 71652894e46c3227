"""When a pull that failed runs again, and which of its Items are asked then."""

from datetime import timedelta

import pytest

from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, state_changes, sync_progress
from plaidapp.store.pulls import kinds, pulls, transitions
from tests.canned import canned  # noqa: F401 a fixture

BALANCES = "/accounts/balance/get"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}
RATE_LIMIT = {"error_type": "RATE_LIMIT_EXCEEDED", "error_code": "BALANCE_LIMIT"}
TWO_BANKS = ("ins_109508", "ins_109509")


@pytest.fixture
def limit(context, canned, monkeypatch):  # noqa: F811
    """From now on Plaid answers every call with 429."""

    def answer(**headers):
        canned.says(RATE_LIMIT, 429, **headers)
        limited = Bank(canned.url, "local", "local", context.extensions["cipher"], timeout=5)
        monkeypatch.setitem(context.extensions, "bank", limited)

    return answer


def calls(bank_server, path=BALANCES):
    return bank_server.faults.rulebook.report()["calls"].get(path, 0)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "600"}, 600),
        ({"Retry-After": "45"}, 45),
        ({}, policy.RATE_LIMIT_WAIT),
        ({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, policy.RATE_LIMIT_WAIT),
        ({"Retry-After": "soon"}, policy.RATE_LIMIT_WAIT),
    ],
)
def test_retry_after_decides_when_a_limited_pull_runs_again(
    link, begin, run, look, limit, headers, wait
):
    """A date in the header is not waited for."""
    pull_id = begin(kinds.ACCOUNTS, items=[link()])
    limit(**headers)
    before = now()
    run(pull_id)
    after = now()
    pull = look(pull_id)
    assert (pull.state, pull.failures) == ("queued", 1)
    assert pull.items[0].error_code == "BALANCE_LIMIT"
    wait = timedelta(seconds=wait)
    assert before + wait <= pull.run_after <= after + wait


@pytest.mark.parametrize("finally_refused", [0, 1])
@pytest.mark.parametrize(
    ("kind", "path"), [(kinds.ACCOUNTS, BALANCES), (kinds.TRANSACTIONS, "/transactions/sync")]
)
def test_one_retryable_error_is_enough_for_a_retry(
    link, begin, run, look, item_now, bank_server, token_of, kind, path, finally_refused
):
    """The retry asks the bank that failed for a moment, and not the one that needs the person."""
    linked = [link(institution_id=bank) for bank in TWO_BANKS]
    expired, healthy = linked[finally_refused], linked[1 - finally_refused]
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(expired))
    bank_server.misbehave(path=path, after=1 - finally_refused, times=1, **DOWN)
    sync_progress.request_syncs([item.id for item in linked])
    pull_id = begin(kind, items=linked)

    run(pull_id)
    pull = look(pull_id)
    codes = {part.item_id: part.error_code for part in pull.items}
    assert codes == {expired.id: "ITEM_LOGIN_REQUIRED", healthy.id: "DOWN"}
    assert (pull.state, pull.failures) == ("queued", 1)
    assert (item_now(expired).state, item_now(healthy).state) == ("login_required", "good")

    asked = calls(bank_server, path)
    run(pull_id)
    pull = look(pull_id)
    assert calls(bank_server, path) == asked + 1
    assert {part.item_id: part.phase for part in pull.items} == {
        expired.id: "failed",
        healthy.id: "done",
    }
    assert (pull.state, pull.failures) == ("failed", 2)
    codes = {part.item_id: part.error_code for part in pull.items}
    assert codes == {expired.id: "ITEM_LOGIN_REQUIRED", healthy.id: None}


def test_try_again_asks_a_bank_that_needed_the_person(
    link, begin, run, look, bank_server, token_of
):
    linked = [link(institution_id=bank) for bank in TWO_BANKS]
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(linked[0]))
    pull_id = begin(kinds.ACCOUNTS, items=linked)
    run(pull_id)
    assert look(pull_id).state == "failed"
    assert transitions.queue_again(pull_id)
    db.session.commit()
    asked = calls(bank_server)
    run(pull_id)
    assert calls(bank_server) == asked + 1
    assert [part.phase for part in look(pull_id).items] == ["failed", "done"]


def test_a_bank_whose_log_in_was_repaired_meanwhile_is_asked_again(
    link, begin, run, look, bank_server, token_of
):
    linked = [link(institution_id=bank) for bank in TWO_BANKS]
    bank_server.call("/sandbox/item/reset_login", access_token=token_of(linked[0]))
    bank_server.misbehave(path=BALANCES, after=1, times=1, **DOWN)
    pull_id = begin(kinds.ACCOUNTS, items=linked)
    run(pull_id)
    state_changes.set_state(
        linked[0].id, item_states.GOOD, None, None
    )  # as the webhook LOGIN_REPAIRED does
    db.session.commit()
    asked = calls(bank_server)
    run(pull_id)
    assert calls(bank_server) == asked + 2


def test_two_final_errors_are_not_retried(link, begin, run, look, bank_server, token_of):
    linked = [link(institution_id=bank) for bank in TWO_BANKS]
    for item in linked:
        bank_server.call("/sandbox/item/reset_login", access_token=token_of(item))
    pull_id = begin(kinds.ACCOUNTS, items=linked)
    run(pull_id)
    assert (look(pull_id).state, look(pull_id).failures) == ("failed", 1)


@pytest.mark.parametrize("asked_by", [pulls.WEBHOOK, pulls.CLOCK, pulls.OPERATOR])
def test_a_pull_that_nobody_watches_is_tried_more_often(
    link, begin, run, look, bank_server, asked_by
):
    pull_id = begin(kinds.ACCOUNTS, items=[link()], asked_by=asked_by)
    bank_server.misbehave(path=BALANCES, **DOWN)
    for failures in range(1, policy.MAX_FAILURES_UNATTENDED):
        run(pull_id)
        assert (look(pull_id).state, look(pull_id).failures) == ("queued", failures)
    run(pull_id)
    assert look(pull_id).state == "failed"
