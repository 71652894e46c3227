"""The doorbell rings, or does no harm; the sweep rings again."""

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
from plaidapp.jobs import clock, queue
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.pulls import pulls, transitions


@pytest.fixture
def waiting(context):
    """The ids of the jobs that stand in the queue."""
    return lambda: Queue(queue.NAME, connection=context.extensions["redis"]).job_ids


@pytest.fixture
def away(context, tmp_path, monkeypatch):
    """Redis is not there; calling this brings it back."""
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
    pull_id = begin(pulls.ACCOUNTS)
    assert queue.ring(look(pull_id))
    assert waiting() == [f"pull-{pull_id}-0"]
    assert look(pull_id).rung_at is not None


def test_ringing_twice_is_ringing_once(begin, look, waiting):
    pull_id = begin(pulls.ACCOUNTS)
    queue.ring(look(pull_id))
    queue.ring(look(pull_id))
    assert len(waiting()) == 1


@pytest.mark.parametrize("kind", queue.JOBS)
def test_a_job_holds_ids_and_no_more(begin, look, context, kind):
    pull_id = begin(kind)
    queue.ring(look(pull_id))
    (job,) = Queue(queue.NAME, connection=context.extensions["redis"]).jobs
    assert (job.args, job.kwargs, job.meta) == ((pull_id,), {}, {})
    assert job.description == job.id == f"pull-{pull_id}-0"
    assert (job.timeout, job.result_ttl) == (policy.JOB_TIMEOUT, 0)


def test_nothing_secret_is_ever_in_redis(begin, look, work, custom, redis_text, token_of, context):
    given = custom(("98765.4321", 3))
    pull_id = begin(pulls.LINK, given=given)
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


def test_a_failed_job_keeps_no_secret_in_redis(
    begin, look, work, redis_text, context, monkeypatch, link, token_of, caplog
):
    caplog.set_level(logging.CRITICAL, "rq.worker")
    item = link()
    pull_id = begin(pulls.ACCOUNTS, items=[item])
    queue.ring(look(pull_id))
    monkeypatch.delitem(context.extensions, "bank")
    work()
    assert look(pull_id).error_code == "INTERNAL_ERROR"
    job = Job.fetch(f"pull-{pull_id}-0", connection=context.extensions["redis"])
    traceback = job.latest_result().exc_string
    assert "KeyError: 'bank'" in traceback
    assert token_of(item) not in traceback + redis_text()


def test_a_pull_waits_in_its_row_when_redis_is_away(begin, look, away, waiting, caplog):
    pull_id = begin(pulls.ACCOUNTS)
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
        assert queue.ring(look(begin(pulls.ACCOUNTS))) is False


def test_clients_of_redis_give_up_soon():
    options = queue.connect("redis://localhost:1").connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 1


def test_a_flushed_redis_is_rung_again(begin, look, waiting, context):
    pull_id = begin(pulls.ACCOUNTS)
    queue.ring(look(pull_id))
    context.extensions["redis"].flushall()
    clock.ring_due()
    assert waiting() == []
    rung_long_ago(pull_id)
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_a_pull_that_waits_its_turn_is_not_queued_again(begin, look, waiting):
    pull_id = begin(pulls.ACCOUNTS)
    queue.ring(look(pull_id))
    rung_long_ago(pull_id)
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0"]


def test_every_due_pull_is_rung(begin, waiting):
    ids = [begin(pulls.ACCOUNTS) for _ in range(3)]
    clock.ring_due()
    assert waiting() == [f"pull-{pull_id}-0" for pull_id in ids]


def test_the_clock_goes_on_when_redis_and_the_database_are_back(
    begin, look, waiting, away, poll, context, monkeypatch
):
    monkeypatch.setattr(clock, "TICK", 0.01)
    pull_id = begin(pulls.ACCOUNTS)
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


def test_the_clock_reclaims_what_lost_its_worker(begin, look, waiting, poll, context):
    pull_id = begin(pulls.ACCOUNTS)
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


def test_a_link_goes_through_redis_to_stored_rows(begin, look, work, custom, stored):
    pull_id = begin(pulls.LINK, given=custom(("89.40", 3), ("-12.345", 9)))
    queue.ring(look(pull_id))
    work()
    assert look(pull_id).state == "done"
    assert sorted(str(row[2]) for row in stored()) == ["-12.34500000", "89.40000000"]
    assert db.session.query(Item).count() == 1


@pytest.fixture
def full(context):
    """Redis has no memory left for anything new."""
    connection = context.extensions["redis"]
    connection.config_set("maxmemory", 1)
    yield
    connection.config_set("maxmemory", 0)


def test_a_redis_that_refuses_to_write_is_away(begin, look, full):
    pull_id = begin(pulls.ACCOUNTS)
    assert queue.ring(look(pull_id)) is False
    assert queue.ring_all([look(pull_id)]) is False
    assert look(pull_id).rung_at is None


@pytest.fixture
def count(context, monkeypatch):
    """How many transactions are committed, and how often something is sent to Redis."""
    counts = {"commits": 0, "sent": 0}
    send = redis.connection.AbstractConnection.send_packed_command

    def commit(_connection):
        counts["commits"] += 1

    def counting(connection, *args, **options):
        counts["sent"] += 1
        return send(connection, *args, **options)

    event.listen(db.engine, "commit", commit)
    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counting)
    yield counts
    event.remove(db.engine, "commit", commit)


def test_ringing_is_one_commit_and_one_round_trip(begin, look, waiting, count):
    queue.ring(look(begin(pulls.ACCOUNTS)))  # RQ asks for the server's version, once a process
    pull = look(begin(pulls.ACCOUNTS))
    count.update(commits=0, sent=0)

    queue.ring(pull)

    assert count == {"commits": 1, "sent": 1}
    assert len(waiting()) == 2


def test_many_are_rung_for_as_cheaply_as_two(begin, waiting, count):
    for _ in range(5):
        begin(pulls.ACCOUNTS)
    queue.ring_all(transitions.due()[:1])
    count.update(commits=0, sent=0)

    queue.ring_all(transitions.due())

    assert count == {"commits": 1, "sent": 2}
    assert len(waiting()) == 5


def test_many_that_stand_in_the_queue_keep_their_place(begin, look, waiting):
    first, second, third = [begin(pulls.ACCOUNTS) for _ in range(3)]
    queue.ring(look(second))
    queue.ring_all([look(first), look(second), look(third)])
    assert waiting() == [f"pull-{number}-0" for number in (second, first, third)]
