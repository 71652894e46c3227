"""Reading accounts and balances."""

from datetime import datetime

import pytest
from sqlalchemy import update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Account, Item
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds

BALANCES, ACCOUNTS = "/accounts/balance/get", "/accounts/get"
REFUSALS = [
    ("INVALID_REQUEST", "INVALID_FIELD"),
    ("INVALID_RESULT", "LAST_UPDATED_DATETIME_OUT_OF_RANGE"),
    ("INVALID_INPUT", "INVALID_PRODUCT"),
    ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED"),
    ("ITEM_ERROR", "PRODUCT_NOT_ENABLED"),
    ("ITEM_ERROR", "NO_ACCOUNTS"),
    ("ITEM_ERROR", "ACCESS_NOT_GRANTED"),
    ("INVALID_INPUT", "ADDITIONAL_CONSENT_REQUIRED"),
]


def test_balances_are_brought_up_to_date(link, begin, run):
    item = link(username="user_good", password="pass_good")
    db.session.execute(update(Account).values(current=0, name="Old"))
    db.session.commit()
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert sorted(map(str, db.session.scalars(db.select(Account.current)))) == sorted(
        f"{amount}.00000000" if "." not in amount else amount.ljust(len(amount) + 8 - places, "0")
        for amount, places in (
            ("110", 0), ("210", 0), ("1000", 0), ("410", 0), ("43200", 0), ("320.76", 2),
            ("23631.9805", 4), ("65262", 0), ("56302.06", 2),
        )
    )  # fmt: skip


@pytest.fixture
def refresh(begin, run, look):
    """Run a pull of balances; return what it did at its Item."""

    def go(item):
        pull_id = begin(kinds.ACCOUNTS, items=[item])
        run(pull_id)
        pull = look(pull_id)
        return pull.state, pull.items[0]

    return go


@pytest.fixture
def old_balances(context):
    db.session.execute(update(Account).values(current=0))
    db.session.commit()


def calls(bank_server, path):
    return bank_server.faults.rulebook.report()["calls"].get(path, 0)


def balances():
    db.session.remove()
    return sorted(db.session.scalars(db.select(Account.current)))


def test_a_bank_without_balances_of_the_moment_is_told_how_old_they_may_be(
    link, refresh, intercept, item_now, set_clock
):
    """Capital One refuses for cards without the option; Plaid ignores it elsewhere."""
    item, asked = link(), []

    def answer(request):
        asked.append(request)
        given = request.get("options", {}).get("min_last_updated_datetime")
        return None if given else ("INVALID_REQUEST", "INVALID_FIELD")

    intercept(BALANCES, answer)
    set_clock("2030-01-01T08:00:00.5Z")
    state, part = refresh(item)
    assert (state, part.refusal, item_now(item).balances_refusal) == ("done", None, None)
    assert len(asked) == 1
    oldest = datetime.fromisoformat(asked[0]["options"]["min_last_updated_datetime"])
    assert oldest == datetime.fromisoformat("2030-01-01T08:00Z") - policy.OLDEST_BALANCE


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal[1])
def test_a_refused_balance_is_no_problem_with_the_connection(
    link, refresh, intercept, item_now, bank_server, old_balances, refusal
):
    item = link()
    before = balances()
    intercept(BALANCES, lambda _request: refusal)
    asked = calls(bank_server, ACCOUNTS)
    state, part = refresh(item)
    assert (state, part.phase, part.accounts, part.refusal) == ("done", "done", 1, refusal[1])
    assert calls(bank_server, ACCOUNTS) == asked + 1
    assert balances() == before
    item = item_now(item)
    assert (item.state, item.error_code, item.balances_refusal) == ("good", None, refusal[1])


def test_a_refusal_is_remembered_for_a_while(link, refresh, intercept, item_now):
    item, asked = link(), []

    def refuse(_request):
        asked.append(1)
        return ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED")

    intercept(BALANCES, refuse)
    for _ in range(3):
        assert refresh(item)[1].refusal == "PRODUCTS_NOT_SUPPORTED"
    assert len(asked) == 1
    db.session.execute(
        update(Item).values(balances_refused_at=now() - policy.BALANCES_RETRY_INTERVAL)
    )
    db.session.commit()
    refresh(item)
    assert len(asked) == 2


def test_balances_that_are_offered_again_are_used(link, refresh, intercept, item_now, bank_server):
    item = link()
    intercept(BALANCES, lambda _request: ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED"))
    refresh(item)
    bank_server.server.app = bank_server.app
    long_ago = now() - 2 * policy.BALANCES_RETRY_INTERVAL
    db.session.execute(update(Item).values(balances_refused_at=long_ago))
    db.session.commit()
    assert refresh(item)[1].refusal is None
    item = item_now(item)
    assert (item.balances_refusal, item.balances_refused_at) == (None, None)


def test_balances_that_are_not_ready_are_asked_for_again_next_time(
    link, refresh, intercept, item_now
):
    item, asked = link(), []

    def refuse(_request):
        asked.append(1)
        return ("ITEM_ERROR", "PRODUCT_NOT_READY")

    intercept(BALANCES, refuse)
    assert refresh(item)[1].refusal == "PRODUCT_NOT_READY"
    assert refresh(item)[0] == "done"
    assert len(asked) == 2
    assert item_now(item).balances_refused_at is None


@pytest.mark.parametrize("code", ["ITEM_LOGIN_REQUIRED", "ITEM_NOT_FOUND", "ITEM_LOCKED"])
def test_an_error_of_the_connection_is_not_taken_for_a_refusal(
    link, refresh, intercept, item_now, bank_server, code
):
    item = link()
    intercept(BALANCES, lambda _request: ("ITEM_ERROR", code))
    asked = calls(bank_server, ACCOUNTS)
    state, part = refresh(item)
    assert (state, part.error_code, part.refusal) == ("failed", code, None)
    assert calls(bank_server, ACCOUNTS) == asked
    assert item_now(item).error_code == code


def test_if_both_are_refused_the_second_error_counts(link, refresh, intercept, item_now):
    item = link()
    intercept(BALANCES, lambda _request: ("ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED"))
    intercept(ACCOUNTS, lambda _request: ("ITEM_ERROR", "ITEM_LOGIN_REQUIRED"))
    assert refresh(item)[0] == "failed"
    assert item_now(item).state == "login_required"


@pytest.mark.parametrize("code", ["PRODUCTS_NOT_SUPPORTED", "PRODUCT_NOT_ENABLED"])
def test_a_bank_without_transactions_is_connected_with_its_balances(
    begin, run, look, intercept, item_now, custom, code
):
    asked = []

    def refuse(_request):
        asked.append(1)
        return ("ITEM_ERROR", code)

    intercept("/transactions/sync", refuse)
    pull_id = begin(kinds.LINK, given=custom(("1", 3)))
    run(pull_id)
    pull = look(pull_id)
    (part,) = pull.items
    assert (pull.state, part.accounts, part.refusal) == ("done", 1, code)
    item = item_now(part.item)
    assert (item.state, item.sync_refusal, item.is_behind) == ("good", code, False)
    clock.ask_for_neglected()
    assert len(asked) == 1
