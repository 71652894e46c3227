"""What a second click does, what Plaid bills, and whose turn it is."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import clicks_under_way, policy
from plaidapp.extensions import db
from plaidapp.jobs import clock, queue, run
from plaidapp.jobs.press import TooOftenError, allow, press
from plaidapp.jobs.pulls.attempt import Attempt
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from plaidapp.store.pulls import clicks, kinds, line, pulls, transitions

BALANCES, SYNC = "/accounts/balance/get", "/transactions/sync"
JANUARY = {"start_date": date(2026, 1, 1), "end_date": date(2026, 1, 31)}
FEBRUARY = {"start_date": date(2026, 2, 1), "end_date": date(2026, 2, 28)}
SECOND = timedelta(seconds=1)


@pytest.fixture
def click(owner):
    """Press a button; return the pull's id."""

    def pressed(kind, *items, user_id=owner, **days):
        pull_id = press(user_id, kind, items, **days).id
        db.session.remove()
        return pull_id

    return pressed


@pytest.fixture(name="run_job")
def _run_job(run):
    return run


@pytest.fixture
def calls(bank_server):
    """Return how often a path of the bank was called since the test began."""
    before = bank_server.faults.rulebook.report()["calls"].copy()

    def count(path):
        return bank_server.faults.rulebook.report()["calls"].get(path, 0) - before.get(path, 0)

    return count


@pytest.fixture
def idle(owner):
    """Add an Item of `owner` whose bank is never asked."""

    def make(name="i", user_id=owner):
        item = Item(user_id=user_id, plaid_item_id=name, access_token=b"")
        db.session.add(item)
        db.session.commit()
        return item

    return make


def all_pulls():
    found = db.session.scalars(select(Pull).order_by(Pull.id)).all()
    db.session.rollback()
    return found


def change(pull_id, **values):
    db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
    db.session.commit()
    db.session.remove()


def begin_work(pull_id):
    """Begin the pull as a worker does."""
    assert transitions.claim(pull_id)
    attempt = Attempt(pulls.by_id(pull_id))
    attempt.begin()
    return attempt


def test_webhooks_know_of_a_click(click, idle, monkeypatch):
    monkeypatch.setattr(policy, "CLICK_BEGINS", 60.0)
    clicks_under_way.expect(0.0)
    click(kinds.ACCOUNTS, idle())
    assert clicks_under_way.are_there()
    clicks_under_way.expect(0.0)


def test_who_presses_after_a_failure_does_not_wait(click, idle):
    """The bank may answer again, and the person knows it sooner than the app."""
    item = idle()
    pull_id = click(kinds.TRANSACTIONS, item, **JANUARY)
    later = now() + timedelta(minutes=1)
    failed = update(Pull).values(state=pulls.QUEUED, failures=3, attempt=3, run_after=later)
    db.session.execute(failed)
    db.session.commit()

    assert click(kinds.TRANSACTIONS, item, **JANUARY) == pull_id
    pull = db.session.get_one(Pull, pull_id)
    assert (pull.run_after <= now(), pull.failures) == (True, 3)


def test_the_same_button_shows_the_pull_that_is_under_way(click, idle):
    item, other = idle(), idle("j")
    buttons = [
        (kinds.ACCOUNTS, {}),
        (kinds.TRANSACTIONS, {}),
        (kinds.TRANSACTIONS, JANUARY),
        (kinds.TRANSACTIONS, FEBRUARY),
        (kinds.TOTAL, JANUARY),
    ]
    first = [click(kind, item, **days) for kind, days in buttons]
    assert len(set(first)) == len(buttons)
    assert [click(kind, item, **days) for kind, days in buttons] == first
    begin_work(first[0])
    db.session.remove()
    assert click(kinds.ACCOUNTS, item) == first[0]
    assert click(kinds.ACCOUNTS, other) not in first
    assert click(kinds.ACCOUNTS, item, other) not in first, "it does not ask the second bank"

    for state in (pulls.DONE, pulls.FAILED, pulls.DISMISSED):
        last = click(kinds.TOTAL, item, **JANUARY)
        change(last, state=state)
        assert click(kinds.TOTAL, item, **JANUARY) > last


def test_another_persons_pull_and_the_clocks_are_not_shown(click, idle):
    item = idle()
    pulls.add(item.user_id, kinds.ACCOUNTS, [item], asked_by=pulls.CLOCK)
    stranger = users.add("mallory", "m@example.com", "no hash")
    db.session.flush()
    pulls.add(stranger.id, kinds.ACCOUNTS, [item])
    db.session.commit()
    assert click(kinds.ACCOUNTS, item) == len(all_pulls()) == 3


@pytest.mark.parametrize("kind", [kinds.ACCOUNTS, kinds.TRANSACTIONS])
def test_clicks_at_the_same_time_begin_one_pull(app, owner, idle, kind):
    item = idle()
    together = threading.Barrier(6)

    def knock(_):
        with app.app_context():
            together.wait()
            try:
                return press(owner, kind, [db.session.get(Item, item.id)]).id
            finally:
                db.session.remove()

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(knock, range(6)))) == 1
    assert len(all_pulls()) == 1


@pytest.mark.parametrize(("kind", "path"), [(kinds.ACCOUNTS, BALANCES), (kinds.TOTAL, SYNC)])
def test_clicks_while_the_bank_is_asked_have_it_asked_once_more(
    app, click, run_job, link, look, calls, intercept, kind, path
):
    item, pressed = link(), []

    def press_twice(_request):
        if not pressed:
            with app.app_context():
                pressed.extend(press(item.user_id, kind, [item]).id for _ in range(2))

    before = click(kind, item)
    assert click(kind, item) == before, "it waits: it has not asked yet"
    intercept(path, press_twice)
    asked = calls(path)

    run_job(before)

    assert look(before).state == "done"
    assert pressed == [before] * 2
    assert calls(path) - asked == 2
    assert [pull.id for pull in all_pulls() if pull.kind == kind] == [before]


def test_a_click_at_the_last_moment_is_seen(click, link, look):
    item = link()
    attempt = begin_work(click(kinds.ACCOUNTS, item))
    attempt.report(attempt.pull.items[0], phase=pulls.ASKING)
    assert click(kinds.ACCOUNTS, item) == attempt.pull.id
    attempt = Attempt(pulls.by_id(attempt.pull.id))

    attempt.report(attempt.pull.items[0], phase=pulls.DONE)

    assert attempt.conclude([]) is False
    assert (look(attempt.pull.id).state, attempt.pull.items[0].phase) == ("running", "asking")
    attempt.report(attempt.pull.items[0], phase=pulls.DONE)
    assert attempt.conclude([]) is True
    assert look(attempt.pull.id).state == "done"


def test_a_pull_that_waits_for_another_try_asks_all_banks_again(click, link, look):
    items = [link(), link(institution_id="ins_109509")]
    attempt = begin_work(click(kinds.ACCOUNTS, *items))
    attempt.report(attempt.pull.items[0], phase=pulls.DONE)
    transitions.touch(attempt.pull.id, 1, state=pulls.QUEUED)
    db.session.commit()
    click(kinds.ACCOUNTS, *items)
    click(kinds.ACCOUNTS, *items)

    attempt = begin_work(attempt.pull.id)

    assert [each.phase for each in attempt.pull.items] == ["asking", "queued"]
    assert (attempt.pull.repeats, attempt.pull.repeats_begun) == (1, 1)


def test_what_plaid_bills_is_limited_by_the_hour(click, idle, owner, monkeypatch):
    monkeypatch.setattr(policy, "BALANCE_CALLS", 5)
    items = [idle(str(number)) for number in range(2)]
    for minutes in (50, 30):
        before = now() - timedelta(minutes=minutes)
        change(click(kinds.ACCOUNTS, *items), state=pulls.DONE, created_at=before)
    count = len(all_pulls())

    with pytest.raises(TooOftenError) as refusal:
        click(kinds.ACCOUNTS, *items)

    assert abs(refusal.value.until - now() - timedelta(minutes=10)) < timedelta(minutes=1)
    assert len(all_pulls()) == count
    assert click(kinds.ACCOUNTS, items[0])
    for kind in (kinds.TRANSACTIONS, kinds.TOTAL):
        assert click(kind, *items)
    change(1, created_at=now() - policy.BILLED_WITHIN - SECOND)
    assert click(kinds.ACCOUNTS, *items)


def test_the_first_click_is_allowed_however_many_connections_there_are(click, idle, monkeypatch):
    monkeypatch.setattr(policy, "BALANCE_CALLS", 1)
    items = [idle(str(number)) for number in range(3)]
    change(click(kinds.ACCOUNTS, *items), state=pulls.DONE)
    with pytest.raises(TooOftenError) as refusal:
        click(kinds.ACCOUNTS, *items)
    assert now() < refusal.value.until <= now() + policy.BILLED_WITHIN


def test_repeats_and_further_tries_count_too(click, idle, owner, monkeypatch):
    monkeypatch.setattr(policy, "BALANCE_CALLS", 3)
    item = idle()
    pull_id = click(kinds.ACCOUNTS, item)
    for _ in range(5):
        click(kinds.ACCOUNTS, item)  # it has not asked yet
    begin_work(pull_id)
    click(kinds.ACCOUNTS, item)  # one repeat
    change(pull_id, state=pulls.FAILED)
    assert transitions.queue_again(pull_id)
    db.session.commit()

    with pytest.raises(TooOftenError):
        allow(clicks.begun(owner, kinds.ACCOUNTS), 1)
    allow(clicks.begun(owner, kinds.REFRESH), policy.REFRESH_CALLS)


@pytest.fixture
def waiting(context):
    return lambda: [
        job.decode() for job in context.extensions["redis"].lrange("rq:queue:default", 0, -1)
    ]


def days_of(number):
    return {"start_date": date(2026, 1, 1), "end_date": date(2026, 1, 1) + number * timedelta(1)}


def test_the_clock_does_not_ring_for_a_click_again(click, idle):
    click(kinds.TOTAL, idle())
    assert line.due() == []


def test_a_hundred_clicks_of_one_person_delay_nobody_else(click, idle, waiting, context):
    item = idle()
    many = [click(kinds.TOTAL, item, **days_of(number)) for number in range(100)]
    other = users.add("pat", "pat@example.com", "no hash")
    db.session.commit()
    others = click(kinds.ACCOUNTS, idle("of pat", other.id), user_id=other.id)
    first = [f"pull-{pull_id}-0" for pull_id in many[: policy.PULLS_AHEAD]]
    assert waiting() == [*first, f"pull-{others}-0"]

    clock.ring_due()  # changes nothing

    assert waiting() == [*first, f"pull-{others}-0"]
    begin_work(many[0])
    clock.ring_due()
    assert len(waiting()) == policy.PULLS_AHEAD + 1
    change(many[0], state=pulls.DONE)
    queue.ring_next(pulls.by_id(many[0]))
    assert waiting()[-1] == f"pull-{many[policy.PULLS_AHEAD]}-0"
    transitions.claim(many[1])
    change(many[1], state=pulls.DONE)
    clock.ring_due()
    assert waiting()[-1] == f"pull-{many[policy.PULLS_AHEAD + 1]}-0"


def test_every_click_gets_its_turn_without_the_clock(click, link, context, look):
    item = link()
    many = [click(kinds.TOTAL, item, **days_of(number)) for number in range(6)]
    redis = context.extensions["redis"]
    while job := redis.lpop("rq:queue:default"):
        run.run(int(job.split(b"-")[1]))
    assert {look(pull_id).state for pull_id in many} == {"done"}


def test_pulls_of_links_that_wait_for_their_person_take_no_turn(owner, click, idle, waiting):
    for _ in range(policy.PULLS_AHEAD):
        pulls.add(owner, kinds.CONNECT, run_after=now() + timedelta(minutes=1), rung_at=now())
    pull_id = click(kinds.ACCOUNTS, idle())
    assert waiting() == [f"pull-{pull_id}-0"]
    assert line.next_after(pulls.by_id(pull_id)) is None
