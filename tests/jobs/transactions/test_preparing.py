"""A bank that prepares forever is asked less and less, by all pulls and the clock together."""

from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs import run as jobs
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Pull
from plaidapp.store.base import types
from plaidapp.store.connections import item_states, sync_progress
from plaidapp.store.pulls import kinds, line, pulls

SYNC = "/transactions/sync"
MINUTE, HOUR, DAY = 60, 3600, 86_400
TICKS = list(
    chain(
        range(0, 130),
        range(130, 15 * MINUTE, 15),
        range(15 * MINUTE, 3 * HOUR, 5 * MINUTE),
        range(3 * HOUR, 4 * DAY, 6 * HOUR),
    )
)
"""When the clock looks, in seconds. It looks more often, but nothing happens in between."""


@pytest.fixture
def pass_time(monkeypatch):
    """`pass_time(seconds)` sets the app's clock to a time after the test's start."""
    start = datetime.now(UTC)

    def set_to(seconds):
        moment = start + timedelta(seconds=seconds)
        monkeypatch.setattr(types, "read_clock", lambda: moment)

    set_to(0)
    return set_to


def tick():
    """Do what the clock and the workers do."""
    clock.ask_for_neglected()
    due = [pull.id for pull in line.due()]
    db.session.rollback()
    for pull_id in due:
        jobs.run(pull_id)
        db.session.remove()


@pytest.fixture
def asked(intercept, rewrite):
    """`asked(answer)` makes the bank prepare forever. Returns the times of its calls."""
    times = []

    def arrange(answer):
        def note(_request):
            times.append(types.now())
            return ("ITEM_ERROR", "PRODUCT_NOT_READY") if answer == "error" else None

        if answer == "rows":
            status = {"transactions_update_status": "TRANSACTIONS_UPDATE_STATUS_UNKNOWN"}
            rewrite(SYNC, lambda page: page | status)
        elif answer == "nothing":
            nothing = {"transactions_update_status": "NOT_READY", "next_cursor": "", "added": []}
            rewrite(SYNC, lambda page: page | nothing)
        intercept(SYNC, note)
        return times

    return arrange


@pytest.mark.parametrize("answer", ["nothing", "rows", "error"])
def test_a_bank_that_prepares_forever_is_asked_daily_in_the_end(
    begin, custom, asked, pass_time, answer
):
    times = asked(answer)
    begin(kinds.LINK, given=custom(("1", 3), ("2", 4)))
    start = types.now()
    for seconds in TICKS:
        pass_time(seconds)
        tick()

    ages = [(moment - start).total_seconds() for moment in times]
    minutes = [sum(n * MINUTE <= age < (n + 1) * MINUTE for age in ages) for n in range(120)]
    assert minutes[0] >= 4
    assert 1 <= minutes[1] <= 2
    assert max(minutes[2:]) == 1
    gaps = [later - earlier for earlier, later in pairwise(ages) if later < 2 * HOUR]
    assert gaps[2:] == sorted(gaps[2:])
    late = [age for age in ages if age > 2 * HOUR]
    assert len(late) in (2, 3)
    assert all(later - earlier >= DAY for earlier, later in pairwise(late))
    assert {pull.state for pull in db.session.scalars(select(Pull))} == {"done"}


def test_a_webhook_asks_at_once(begin, run, custom, asked, pass_time, item_now, look):
    times = asked("rows")
    pull_id = begin(kinds.LINK, given=custom(("1", 3)))
    run(pull_id)
    item = look(pull_id).items[0].item
    pass_time(90 * MINUTE)
    tick()
    before = len(times)
    pass_time(91 * MINUTE)
    tick()
    assert len(times) == before
    pull = item_requests.sync(item_now(item), pulls.WEBHOOK)
    db.session.commit()
    jobs.run(pull.id)
    tick()
    assert len(times) == before + 1


def test_two_pulls_of_a_preparing_bank_wait_for_the_same_moment(
    begin, run, custom, asked, pass_time, look
):
    times = asked("nothing")
    first = begin(kinds.LINK, given=custom(("1", 3)))
    run(first)
    item = look(first).items[0].item
    pass_time(60)
    sync_progress.request_sync(item.id)
    begin(kinds.TRANSACTIONS, items=[item])
    tick()
    before = len(times)
    for seconds in range(61, 121):
        pass_time(seconds)
        tick()
    assert len(times) - before == 1


def test_a_complete_history_ends_the_waiting(begin, run, custom, asked, look, bank_server):
    asked("nothing")
    pull_id = begin(kinds.LINK, given=custom(("1", 3)))
    run(pull_id)
    item = look(pull_id).items[0].item
    assert item.preparing_since is not None
    assert item.ask_after > item.preparing_since
    bank_server.server.app = bank_server.app
    run(pull_id)
    item = look(pull_id).items[0].item
    assert (item.update_status, item.preparing_since, item.ask_after) == (
        item_states.COMPLETE,
        None,
        None,
    )


def test_a_complete_history_stays_complete_if_the_bank_then_gives_no_status(
    link, begin, run, asked, look
):
    item = link()
    asked("rows")
    for kind in (kinds.TRANSACTIONS, kinds.REPAIR):
        sync_progress.request_sync(item.id)
        pull_id = begin(kind, items=[item])
        run(pull_id)
        pull = look(pull_id)
        assert pull.state == "done"
        item = pull.items[0].item
        assert (item.update_status, item.preparing_since, item.ask_after) == (
            item_states.COMPLETE,
            None,
            None,
        )
