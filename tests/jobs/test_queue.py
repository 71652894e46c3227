"""Ringing the queue: it works, or it does no harm and the clock rings again."""

import logging
import socket
import threading
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.job import Job
from sqlalchemy import event, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock, pull_job, queue
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, line, transitions


@pytest.fixture
def waiting(context):
    """Return the ids of the jobs in the queue."""
    return lambda: Queue(pull_job.QUEUE, connection=context.extensions["redis"]).job_ids


@pytest.fixture
def away(context, tmp_path, monkeypatch):
    """Redis is away. Calling the result brings it back."""
    there = context.extensions["redis"]
    monkeypatch.setitem(
        context.extensions, "redis", queue.connect(f"unix://{tmp_path}/nothing-here")
    )
    return lambda: monkeypatch.setitem(context.extensions, "redis", there)


def rung_long_ago(pull_id):
    long_ago = now() - 2 * policy.RING_AGAIN
    db.session.execute(
        update(Pull).where(Pull.id == pull_id).values(rung_at=long_ago, run_after=long_ago)
    )
    db.session.commit()


def test_ringing_puts_the_pull_in_the_queue(begin, look, waiting):
    pull_id = begin(kinds.ACCOUNTS)
    assert queue.ring(look(pull_id))
    assert waiting() == [f"pull-{pull_id}-0"]
    assert look(pull_id).rung_at is not None


def test_ringing_twice_enqueues_one_job(begin, look, waiting):
    pull_id = begin(kinds.ACCOUNTS)
    queue.ring(look(pull_id))
    queue.ring(look(pull_id))
    assert len(waiting()) == 1


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_job_holds_only_ids(begin, look, context, kind):
    pull_id = begin(kind)
    queue.ring(look(pull_id))
    (job,) = Queue(pull_job.QUEUE, connection=context.extensions["redis"]).jobs
    assert (job.args, job.kwargs, job.meta) == ((pull_id,), {}, {})
    assert job.description == job.id == f"pull-{pull_id}-0"
    assert (job.timeout, job.result_ttl) == (policy.JOB_TIMEOUT, 0)


def test_redis_never_holds_a_secret(begin, look, work, custom, redis_text, token_of, context):
    given = custom(("98765.4321", 3))
    pull_id = begin(kinds.LINK, given=given)
    queue.ring(look(pull_id))
    seen = [redis_text()]
    assert f"pull-{pull_id}-0" in seen[0]
    work()
    seen.append(redis_text())
    token = token_of(look(pull_id).items[0].item)
    for text in seen:
        assert token not in text
        assert "access-sandbox" not in text
        assert "98765.4321" not in text
        assert "override_accounts" not in text


def test_a_failed_job_leaves_no_secret_in_redis(
    begin, look, work, redis_text, context, monkeypatch, link, token_of, caplog
):
    caplog.set_level(logging.CRITICAL, "rq.worker")
    item = link()
    pull_id = begin(kinds.ACCOUNTS, items=[item])
    queue.ring(look(pull_id))
    monkeypatch.delitem(context.extensions, "bank")
    work()
    assert look(pull_id).error_code == "INTERNAL_ERROR"
    job = Job.fetch(f"pull-{pull_id}-0", connection=context.extensions["redis"])
    traceback = job.latest_result().exc_string
    assert "KeyError: 'bank'" in traceback
    assert token_of(item) not in traceback + redis_text()


def test_a_pull_waits_in_its_row_when_redis_is_away(begin, look, away, waiting, caplog):
    pull_id = begin(kinds.ACCOUNTS)
    assert queue.ring(look(pull_id)) is False
    pull = look(pull_id)
    assert (pull.state, pull.rung_at) == ("queued", None)
    assert "Redis is away" in caplog.text
    away()
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_a_redis_that_hangs_is_not_waited_for(begin, look, context, monkeypatch, tmp_path):
    path = Path(tmp_path, "hung")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        monkeypatch.setitem(context.extensions, "redis", queue.connect(f"unix://{path}"))
        assert queue.ring(look(begin(kinds.ACCOUNTS))) is False


def test_redis_clients_give_up_after_a_second():
    options = queue.connect("redis://localhost:1").connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 1


def test_the_clock_rings_again_after_redis_was_flushed(begin, look, waiting, context):
    pull_id = begin(kinds.ACCOUNTS)
    queue.ring(look(pull_id))
    context.extensions["redis"].flushall()
    clock.ring_due()
    assert waiting() == []
    rung_long_ago(pull_id)
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_a_pull_that_is_in_the_queue_is_not_enqueued_again(begin, look, waiting):
    pull_id = begin(kinds.ACCOUNTS)
    queue.ring(look(pull_id))
    rung_long_ago(pull_id)
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_a_click_goes_before_everything_else_and_after_earlier_clicks(begin, look, waiting):
    asked_by = ("clock", "person", "webhook", "person", "clock", "person")
    ids = [begin(kinds.ACCOUNTS, asked_by=who) for who in asked_by]
    for pull_id in ids:
        queue.ring(look(pull_id))
    clicks = [ids[1], ids[3], ids[5]]
    others = [ids[2], ids[0], ids[4]]
    assert waiting() == [f"pull-{pull_id}-0" for pull_id in clicks + others]


def test_a_click_goes_first_after_the_last_one_was_taken(begin, look, waiting, context):
    clock_pull = begin(kinds.ACCOUNTS, asked_by="clock")
    clicks = [begin(kinds.ACCOUNTS) for _ in range(2)]
    queue.ring(look(clock_pull))
    queue.ring(look(clicks[0]))
    context.extensions["redis"].lpop("rq:queue:default")
    queue.ring(look(clicks[1]))
    assert waiting() == [f"pull-{pull_id}-0" for pull_id in (clicks[1], clock_pull)]


def test_every_due_pull_is_rung(begin, waiting):
    ids = [begin(kinds.ACCOUNTS) for _ in range(3)]
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0" for pull_id in ids]


def test_the_clock_continues_when_redis_and_the_database_are_back(
    begin, look, waiting, away, poll, context, monkeypatch
):
    monkeypatch.setattr(policy, "CLOCK_TICK", 0.01)
    pull_id = begin(kinds.ACCOUNTS)
    stop = threading.Event()

    def run():
        with context.app_context():
            clock.run(stop)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        away()
        poll(waiting, what="the ring")
    finally:
        stop.set()
        thread.join()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_the_clock_reclaims_a_pull_that_lost_its_worker(begin, look, waiting, poll, context):
    pull_id = begin(kinds.ACCOUNTS)
    transitions.claim(pull_id)
    db.session.execute(
        update(Pull)
        .where(Pull.id == pull_id)
        .values(heartbeat_at=now() - 2 * policy.HEARTBEAT_LIMIT)
    )
    db.session.commit()
    stop = threading.Event()

    def run():
        with context.app_context():
            clock.run(stop)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        poll(waiting, what="the ring")
    finally:
        stop.set()
        thread.join()
    assert waiting() == [f"pull-{pull_id}-1"]


def test_a_connection_goes_through_redis_to_stored_rows(begin, look, work, custom, stored):
    pull_id = begin(kinds.LINK, given=custom(("89.40", 3), ("-12.345", 9)))
    queue.ring(look(pull_id))
    work()
    assert look(pull_id).state == "done"
    assert sorted(str(row[2]) for row in stored()) == ["-12.34500000", "89.40000000"]
    assert db.session.query(Item).count() == 1


@pytest.fixture
def full(context):
    """Redis has no memory left."""
    connection = context.extensions["redis"]
    connection.config_set("maxmemory", 1)
    yield
    connection.config_set("maxmemory", 0)


def test_a_redis_that_refuses_writes_counts_as_away(begin, look, full):
    pull_id = begin(kinds.ACCOUNTS)
    assert queue.ring(look(pull_id)) is False
    assert queue.ring_all([look(pull_id)]) is False
    assert look(pull_id).rung_at is None


@pytest.fixture
def count(context, monkeypatch):
    """Count the commits and the round trips to Redis, and those of them within a transaction."""
    counts = {"commits": 0, "sent": 0, "within": 0}
    send = redis.connection.AbstractConnection.send_packed_command

    def commit(_connection):
        counts["commits"] += 1

    def counting(connection, *args, **options):
        counts["sent"] += 1
        counts["within"] += db.session.registry().in_transaction()
        return send(connection, *args, **options)

    event.listen(db.engine, "commit", commit)
    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counting)
    yield counts
    event.remove(db.engine, "commit", commit)


def test_ringing_is_one_commit_and_one_round_trip(begin, look, waiting, count):
    queue.ring(look(begin(kinds.ACCOUNTS)))  # RQ asks for the server's version once per process
    pull = look(begin(kinds.ACCOUNTS))
    count.update(commits=0, sent=0, within=0)

    queue.ring(pull)

    assert count == {"commits": 1, "sent": 1, "within": 0}
    assert len(waiting()) == 2


def test_ringing_for_many_takes_as_many_round_trips_as_for_two(begin, waiting, count):
    for _ in range(5):
        begin(kinds.ACCOUNTS, asked_by="clock")
    queue.ring_all(line.due()[:1])
    count.update(commits=0, sent=0, within=0)

    queue.ring_all(line.due())

    assert count == {"commits": 2, "sent": 2, "within": 0}  # nobody waits if Redis is slow
    assert len(waiting()) == 5


def test_pulls_in_the_queue_keep_their_place(begin, look, waiting):
    first, second, third = [begin(kinds.ACCOUNTS) for _ in range(3)]
    queue.ring(look(second))
    queue.ring_all([look(first), look(second), look(third)])
    assert waiting() == [f"pull-{number}-0" for number in (second, first, third)]


def test_a_pull_that_is_rung_again_keeps_its_place(begin, look, waiting):
    first, second = [begin(kinds.ACCOUNTS) for _ in range(2)]
    for pull_id in (first, second, first):
        queue.ring(look(pull_id))
    assert waiting() == [f"pull-{first}-0", f"pull-{second}-0"]
