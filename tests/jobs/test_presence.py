"""An operator sees which workers and clocks are there, and what each is doing."""

import threading

import pytest
from rq import Queue
from sqlalchemy import update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock, clock_threads, presence, pull_job
from plaidapp.jobs.diary import Diary
from plaidapp.jobs.runner import Runner
from plaidapp.metrics import sending
from plaidapp.store import Duty
from plaidapp.store.base.types import now

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def ticking(context, monkeypatch):
    """Run a clock until the test is over."""
    monkeypatch.setattr(policy, "CLOCK_TICK", 0.01)
    stop = threading.Event()

    def run():
        with context.app_context():
            clock.run(stop)

    thread = threading.Thread(target=run)

    def start():
        thread.start()

    yield start
    stop.set()
    thread.join()


def test_the_clock_stores_when_it_did_each_of_its_duties(ticking, poll):
    def is_alive():
        db.session.rollback()
        alive = presence.clock_is_alive()
        db.session.rollback()  # SQLite has one writer
        return alive

    assert not is_alive()

    ticking()

    poll(is_alive, what="a tick")
    names = set(db.session.scalars(db.select(Duty.name)))
    assert names == {duty.__name__ for duty in clock.DUTIES}


def test_a_clock_that_has_stored_nothing_for_a_while_is_gone(context):
    diary = Diary()
    with diary.duty("reclaim"):
        pass
    diary.save()
    assert presence.clock_is_alive()

    db.session.execute(update(Duty).values(ran_at=now() - policy.CLOCK_GONE))

    assert not presence.clock_is_alive()


def test_a_duty_that_fails_is_not_noted_and_its_changes_are_not_stored(context):
    diary = Diary()

    def fail():
        with diary.duty("reclaim"):
            db.session.add(Duty(name="half done", ran_at=now(), seconds=0.0))
            db.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with diary.duty("ring_due"):
        pass

    diary.save()

    assert set(db.session.scalars(db.select(Duty.name))) == {"ring_due"}


def test_a_thread_of_the_clock_notes_what_succeeded(app):
    stop = threading.Event()
    named = {"send_mails": lambda: 1 / 0, "fetch_logos": stop.set}

    clock_threads.run(app, stop, 0, named)

    assert set(presence.duties_done()) == {"fetch_logos"}
    assert not presence.clock_is_alive(), "the ticks are what counts"
    assert presence.late_duties() == []
    db.session.execute(update(Duty).values(ran_at=now() - policy.DUTY_LATE))
    assert presence.late_duties() == ["fetch_logos"]


def look(_number):
    """A job that looks which workers there are."""
    look.found = presence.workers(look.connection)


def test_it_is_known_what_each_worker_does(app, monkeypatch):
    connection = look.connection = app.extensions["redis"]
    monkeypatch.setattr(pull_job, "REGISTERED", {f"{__name__}.look"})
    queue = Queue(pull_job.QUEUE, connection=connection)
    queue.enqueue_call(look, args=(17,), job_id="pull-17-1", timeout=600)
    runner = Runner([pull_job.QUEUE], connection=connection)
    idle = Runner([pull_job.QUEUE], connection=connection)
    idle.register_birth()

    runner.work(burst=True, logging_level="CRITICAL")

    busy = [worker for worker in look.found if worker.is_busy]
    assert [worker.pull_id for worker in busy] == [17]
    assert (busy[0].host, busy[0].process_id) == (runner.hostname, str(runner.pid))
    [left] = presence.workers(connection)
    assert (left.is_busy, left.pull_id) == (False, None)


def test_a_worker_that_was_killed_is_gone_before_rq_forgets_it(app, monkeypatch):
    connection = app.extensions["redis"]
    Runner([pull_job.QUEUE], connection=connection).register_birth()
    sending.Sender(connection, "worker").send()
    assert len(presence.workers(connection)) == 1

    monkeypatch.setattr(policy, "PROCESS_GONE", -1.0)  # it has sent nothing for longer

    assert presence.workers(connection) == []
