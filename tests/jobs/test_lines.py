"""Who goes first: clicks, then webhooks, then the clock; and nobody keeps others waiting."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from rq import Queue
from sqlalchemy import update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock, pull_job, queue
from plaidapp.jobs.pulls import item_requests, lines
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls, transitions


@pytest.fixture
def waiting(context):
    """Return the ids of the pulls in the queue, in their order."""

    def ids():
        jobs = Queue(pull_job.QUEUE, connection=context.extensions["redis"]).job_ids
        return [int(job.split("-")[1]) for job in jobs]

    return ids


@pytest.fixture
def other(context):
    person = users.add("pat", "pat@example.com", "no hash")
    db.session.commit()
    return person.id


@pytest.fixture
def ask(owner):
    """Add a pull and ring for it, as a page, a webhook or the clock does. Return its id."""

    def add(asked_by, user_id=owner, *, ring=True):
        pull = pulls.add(user_id, kinds.TOTAL, asked_by=asked_by)
        if ring:
            queue.ring(pull)
        db.session.commit()
        return pull.id

    return add


@pytest.fixture
def announce(owner):
    """A webhook says that a new connection has transactions. Return the id of the pull."""

    def add():
        name = secrets.token_hex(8)
        item = items.add(user_id=owner, plaid_item_id=name, access_token=b"")
        db.session.flush()
        pull = item_requests.sync(item, pulls.WEBHOOK)
        queue.ring(pull)
        return pull.id

    return add


@pytest.mark.parametrize("by_clock", [True, False])
def test_clicks_go_before_webhooks_and_these_before_the_clock(ask, other, waiting, by_clock):
    """`by_clock`: Redis was away, so that the clock rings for all of them at once."""
    order = [pulls.CLOCK, pulls.WEBHOOK, pulls.PERSON, pulls.CLOCK, pulls.WEBHOOK, pulls.PERSON]
    added = [ask(who, other, ring=not by_clock) for who in order]
    if by_clock:
        clock.ring_due()
    assert waiting() == [added[number] for number in (2, 5, 1, 4, 0, 3)]


@pytest.mark.parametrize("comes", ["before", "meanwhile"])
def test_a_process_for_clicks_takes_nothing_else(ask, waiting, context, comes):
    """`comes`: the click is there before the process looks, or while it waits."""
    connection = context.extensions["redis"]
    ours = Queue(pull_job.QUEUE, connection=connection).key
    others = [ask(pulls.WEBHOOK), ask(pulls.CLOCK)]
    clicks = [ask(pulls.PERSON)] if comes == "before" else []
    with ThreadPoolExecutor(1) as process:
        taken = process.submit(queue.ClickQueue.lmove, connection, ours, 30)
        if comes == "meanwhile":
            clicks.append(ask(pulls.PERSON))
        assert taken.result() == (ours, b"pull-%d-0" % clicks[0])
    assert queue.ClickQueue.lmove(connection, ours, None) is None
    assert waiting() == others


def test_a_click_is_left_to_a_process_that_has_nothing_else_to_do(ask, context):
    connection = context.extensions["redis"]
    ours = Queue(pull_job.QUEUE, connection=connection).key

    def taken(queue_class):
        found = queue_class.lmove(connection, ours, None)
        return found and int(found[1].split(b"-")[1])

    assert taken(queue.ClickQueue) is None  # it is idle
    first, second, other = ask(pulls.PERSON), ask(pulls.PERSON), ask(pulls.CLOCK)
    assert taken(queue.PullQueue) == other
    assert taken(queue.PullQueue) is None
    assert taken(queue.ClickQueue) == first  # it is busy now
    assert taken(queue.PullQueue) == second


def test_a_process_for_clicks_that_was_killed_keeps_no_click_waiting(ask, context, monkeypatch):
    connection = context.extensions["redis"]
    ours = Queue(pull_job.QUEUE, connection=connection).key
    monkeypatch.setattr(lines, "IDLE_FOR", -1)  # it said so long ago
    assert queue.ClickQueue.lmove(connection, ours, None) is None
    click = ask(pulls.PERSON)
    assert queue.PullQueue.lmove(connection, ours, 30) == (ours, b"pull-%d-0" % click)
    connection.zadd(lines.IDLE, {"a process that has ended": 1})
    assert queue.ClickQueue.lmove(connection, ours, None) is None
    assert connection.zcard(lines.IDLE) == 1  # only this one


def test_other_processes_are_told_of_a_second_click(ask, context):
    """They wait for a bell that didn't ring for the clicks."""
    connection = context.extensions["redis"]
    ours = Queue(pull_job.QUEUE, connection=connection).key
    assert queue.ClickQueue.lmove(connection, ours, None) is None
    first, second = ask(pulls.PERSON), ask(pulls.PERSON)
    assert not connection.exists(lines.WORK_BELL)
    assert queue.ClickQueue.lmove(connection, ours, None) == (ours, b"pull-%d-0" % first)
    assert connection.exists(lines.WORK_BELL)
    assert queue.PullQueue.lmove(connection, ours, None) == (ours, b"pull-%d-0" % second)


@pytest.fixture
def connection(context):
    """A connection to Redis that waits as long as it is told to, as a worker's does."""
    with redis.Redis.from_url(context.config["PLAIDAPP"].redis_url) as patient:
        yield patient


@pytest.fixture
def rest(monkeypatch):
    """Let this process have finished a job, after which it rests for so many seconds."""

    def begin(seconds):
        monkeypatch.setattr(queue.PullQueue, "rests_until", time.monotonic() + seconds)

    return begin


def test_a_process_rests_while_its_host_has_clicks_but_takes_a_click(ask, connection, rest):
    ours = Queue(pull_job.QUEUE, connection=connection).key
    first, job = ask(pulls.PERSON), ask(pulls.WEBHOOK)
    assert queue.ClickQueue.lmove(connection, ours, None) == (ours, b"pull-%d-0" % first)
    rest(60)
    with ThreadPoolExecutor(1) as processes:
        taken = processes.submit(queue.PullQueue.lmove, connection, ours, 20)
        _wait_for_sleepers(connection, 1)
        assert Queue(pull_job.QUEUE, connection=connection).job_ids == [f"pull-{job}-0"]
        second = ask(pulls.PERSON)
        assert taken.result() == (ours, b"pull-%d-0" % second)


def _wait_for_sleepers(connection, number):
    """Wait until so many processes wait for a bell."""
    deadline = time.monotonic() + 20
    while connection.info("clients")["blocked_clients"] < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("reason", ["over", "no clicks", "burst"])
def test_a_process_rests_only_so_long(ask, connection, rest, reason):
    """`reason`: it has rested, nobody has clicked lately, or the worker is to end when there is
    nothing to do."""
    ours = Queue(pull_job.QUEUE, connection=connection).key
    click, job = ask(pulls.PERSON), ask(pulls.WEBHOOK)
    assert queue.ClickQueue.lmove(connection, ours, None) == (ours, b"pull-%d-0" % click)
    assert 0 < connection.ttl(lines.LATELY) <= lines.LATELY_FOR
    if reason == "no clicks":
        connection.delete(lines.LATELY)
    else:
        assert lines.take(connection, ours, "taken", True) == lines.RESTS
        connection.persist(lines.LATELY)  # there are clicks all the time
    rest(0.2 if reason == "over" else 60)
    timeout = None if reason == "burst" else 30
    assert queue.PullQueue.lmove(connection, ours, timeout) == (ours, b"pull-%d-0" % job)


def test_each_line_goes_on_after_workers_have_emptied_it(ask, waiting, context):
    first = [ask(pulls.CLOCK), ask(pulls.WEBHOOK), ask(pulls.PERSON)]
    for _ in range(2):  # the click and the webhook's
        context.extensions["redis"].lpop("rq:queue:default")
    later = [ask(pulls.WEBHOOK), ask(pulls.PERSON), ask(pulls.WEBHOOK)]
    assert waiting() == [later[1], later[0], later[2], first[0]]


def test_the_webhooks_of_many_connections_delay_nobody_elses(announce, ask, other, waiting):
    many = [announce() for _ in range(10)]
    theirs = ask(pulls.WEBHOOK, other)
    assert waiting() == [*many[: policy.PULLS_AHEAD], theirs]
    clock.ring_due()  # changes nothing
    assert waiting() == [*many[: policy.PULLS_AHEAD], theirs]

    transitions.claim(many[0])
    db.session.execute(update(Pull).where(Pull.id == many[0]).values(state=pulls.DONE))
    queue.ring_next(pulls.by_id(many[0]))
    assert waiting()[-1] == many[policy.PULLS_AHEAD]


def test_clicks_that_are_tried_again_take_turns_too(ask, waiting):
    """The page has read the row before it queues it again: what the row says of its turn is old."""
    pull_ids = [ask(pulls.PERSON, ring=False) for _ in range(policy.PULLS_AHEAD + 2)]
    rows = [pulls.by_id(pull_id) for pull_id in pull_ids]
    moment = now()
    db.session.execute(update(Pull).values(state=pulls.FAILED, run_after=moment, rung_at=moment))
    db.session.commit()
    for row in rows:
        db.session.refresh(row)
        assert transitions.queue_again(row.id)
        queue.ring(row)
    assert waiting() == pull_ids[: policy.PULLS_AHEAD]


def test_the_clock_takes_one_connection_of_each_person_after_another(ask, other, waiting):
    many = [ask(pulls.CLOCK, ring=False) for _ in range(10)]
    theirs = [ask(pulls.CLOCK, other, ring=False) for _ in range(2)]
    clock.ring_due()
    assert waiting() == [many[0], theirs[0], many[1], theirs[1], *many[2:]]


def test_a_click_waits_for_one_connection_of_a_pull_over_many(
    ask, other, link, begin, run, look, waiting, context, monkeypatch
):
    """There is one worker. It is busy with a pull over three connections."""
    monkeypatch.setattr(policy, "PULL_TURN", 0.0)
    items = [link(), link("ins_109509"), link("ins_109510")]
    long = begin(kinds.ACCOUNTS, items=items)
    click = ask(pulls.PERSON, other)

    run(long)

    pull = look(long)
    assert (pull.state, pull.failures) == ("queued", 0)
    assert [each.phase for each in pull.items] == ["done", "queued", "queued"]
    assert waiting() == [click, long]  # it goes on, but not before the click

    context.extensions["redis"].flushdb()
    run(long)
    assert look(long).state == "done"


def test_a_connection_that_fails_does_not_keep_the_others_from_their_turn(
    ask, other, link, begin, run, look, bank_server, monkeypatch
):
    monkeypatch.setattr(policy, "PULL_TURN", 0.0)
    items = [link(), link("ins_109509")]
    bank_server.misbehave(
        kind="error",
        path="/accounts/balance/get",
        item_id=items[0].plaid_item_id,
        status=500,
        error_type="API_ERROR",
        error_code="INTERNAL_SERVER_ERROR",
    )
    long = begin(kinds.ACCOUNTS, items=items)
    ask(pulls.PERSON, other)
    run(long)
    assert [each.phase for each in look(long).items] == ["failed", "queued"]
    run(long)
    pull = look(long)
    assert [each.phase for each in pull.items] == ["failed", "done"]
    assert (pull.state, pull.failures) == ("queued", 0)
    run(long)
    assert look(long).failures == 1  # now it has had its turn


def test_a_check_lets_a_click_go_first(ask, other, link, begin, run, look, monkeypatch, context):
    item = link()
    monkeypatch.setattr(policy, "WINDOW_ROWS", 1)
    check = begin(kinds.CHECK, items=[item], asked_by=pulls.CLOCK)
    ask(pulls.PERSON, other)
    run(check)
    assert look(check).state == "queued"
    context.extensions["redis"].flushdb()
    run(check)
    assert look(check).state == "done"
