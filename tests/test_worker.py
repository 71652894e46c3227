"""Real worker processes that take a pull from the queue."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from flask import current_app
from rq import Queue

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import pull_job, queue, startup
from plaidapp.jobs.run import WORK
from plaidapp.store import Pull
from plaidapp.store.pulls import kinds, parameters, pulls, transitions

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
USER = (
    '{"override_accounts":[{"type":"depository","subtype":"checking",'
    '"starting_balance":98765.4321}]}'
)


@pytest.fixture
def start(context, redis_url, tmp_path):
    """Start a worker of this app; all its output goes to `start.log`."""
    config = context.config["PLAIDAPP"]
    env = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "SECRET_KEY": config.secret_keys[0],
        "TOKEN_KEYS": ",".join(config.token_keys),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": redis_url,
        "PLAID_BASE_URL": config.plaid_url,
        "LOG_LEVEL": "DEBUG",
    }
    log = tmp_path / "worker.log"
    started = []

    def run(*command):
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
            )
        started.append(process)
        return process

    run.log = log
    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def pull(owner):
    """A link pull of a custom user, already enqueued."""
    values = {"username": "user_custom", "password": USER}
    sealed = parameters.seal(current_app.extensions["cipher"], owner, "ins_109508", values)
    pull = pulls.add(owner, kinds.LINK, institution_id="ins_109508", sealed=sealed)
    db.session.commit()
    assert queue.ring(pull)
    return pull.id


def state_of(pull_id):
    state = db.session.scalar(db.select(Pull.state).where(Pull.id == pull_id))
    db.session.rollback()  # on SQLite an open transaction would keep the worker from writing
    return state


def test_rq_worker_is_a_full_worker(pull, start):
    process = start("rq", "worker", "-c", "worker", "-w", "worker.AppWorker", "--burst")
    assert process.wait(60) == 0, start.log.read_text()
    assert state_of(pull) == "done", start.log.read_text()


def test_python_worker_is_a_full_worker_and_exits_on_sigterm(pull, start, poll):
    process = start("python", "worker.py")
    poll(lambda: state_of(pull) == "done", 30, "the pull")
    niceness = [each.nice() for each in processes_of(process)]
    assert niceness == [0, startup.NICENESS]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, start.log.read_text()
    assert "ended with" not in log_of(start)


def processes_of(worker):
    """Return the one for clicks, and the one for every job."""
    return sorted(psutil.Process(worker.pid).children(), key=lambda each: each.pid)


def test_a_click_does_not_wait_for_what_nobody_waits_for(pull, start, poll, bank_server, owner):
    start("python", "worker.py")
    poll(lambda: state_of(pull) == "done", 30, "the connection")
    items = [pulls.by_id(pull).items[0].item]
    bank_server.misbehave(kind="hang", path="/accounts/balance/get", seconds=60)
    others = pulls.add(owner, kinds.ACCOUNTS, items, asked_by=pulls.CLOCK)
    click = pulls.add(owner, kinds.TOTAL, items)
    queue.ring(others)
    poll(lambda: state_of(others.id) == "running", 30, "the worker at work")
    queue.ring(click)
    poll(lambda: state_of(click.id) == "done", 30, "the click")
    assert state_of(others.id) == "running"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_process_that_was_killed_is_replaced_and_none_outlives_the_worker(start, poll):
    worker = start("python", "worker.py")
    poll(lambda: len(processes_of(worker)) == 2, 30, "both processes")
    clicks, everything = processes_of(worker)
    everything.kill()
    poll(lambda: len(processes_of(worker)) == 2, 30, "the next process")
    assert clicks in processes_of(worker)
    worker.kill()
    poll(lambda: not clicks.is_running(), 30, "the end")


def test_sigterm_lets_the_current_job_finish(pull, start, poll, bank_server):
    bank_server.misbehave(kind="delay", path="/accounts/get", seconds=2)
    process = start("python", "worker.py")
    poll(lambda: state_of(pull) == "running", 30, "the worker at work")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, start.log.read_text()
    assert state_of(pull) == "done"


def test_a_plain_rq_worker_runs_every_kind_of_pull(owner, pull, start, poll, redis_url):
    def info():
        shown = subprocess.run(
            [BIN / "rq", "info", "--url", redis_url], capture_output=True, text=True, check=True
        )
        return " ".join(shown.stdout.split())

    assert "1 queues, 1 jobs total 0 workers" in info()
    process = start("rq", "worker", "--url", redis_url)
    poll(lambda: state_of(pull) == "done", 60, "the first pull")
    items = [pulls.by_id(pull).items[0].item]
    apart = {kinds.LINK, kinds.ERASE}  # there is no session of Link; nothing is left afterwards
    others = [
        pulls.add(owner, kind, items if kind in WORK else ())
        for kind in kinds.KINDS
        if kind not in apart
    ]
    for each in others:
        assert queue.ring(each)
    for each in others:
        poll(lambda each=each: state_of(each.id) not in ("queued", "running"), 60, each.kind)

    assert {each.kind: state_of(each.id) for each in others} == {
        kind: "done" for kind in kinds.KINDS if kind not in apart
    }, start.log.read_text()
    last = pulls.add(owner, kinds.ERASE)
    assert queue.ring(last)
    last_id = last.id
    poll(lambda: state_of(last_id) is None, 60, "the end of all rows")
    poll(lambda: "1 queues, 0 jobs total" in info(), 30, "the end of the last job")
    assert "1 workers" in info()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, start.log.read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_log_contains_no_secret(pull, start, token_in, context):
    rings = Queue(pull_job.QUEUE, connection=context.extensions["redis"])
    rings.enqueue_call("plaidapp.jobs.run.run", args=(12345,), description="a confidence")
    process = start("rq", "worker", "-c", "worker", "-w", "worker.AppWorker", "--burst")
    process.wait(60)
    log = start.log.read_text()
    assert f"pull-{pull}-0" in log
    assert token_in(pull) not in log
    for secret in (
        "a confidence",
        "access-sandbox",
        "98765.4321",
        "override_accounts",
        f"link({pull})",
    ):
        assert secret not in log


@pytest.fixture
def token_in(context):
    def read(pull_id):
        db.session.rollback()
        return context.extensions["cipher"].decrypt(pulls.by_id(pull_id).items[0].item.token)

    return read


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_next_worker_finishes_the_pull_of_a_killed_one(pull, start, poll, bank_server):
    bank_server.misbehave(kind="hang", path="/accounts/get", seconds=60, times=1)
    process = start("python", "worker.py")
    poll(lambda: bank_server.faults.rulebook.report()["rules"][0]["fired"], 30, "the call")
    its_processes = processes_of(process)
    process.kill()
    process.wait()
    psutil.wait_procs(its_processes)  # one that still waits for a job could take the next one
    assert state_of(pull) == "running"
    db.session.execute(
        db.update(Pull).values(heartbeat_at=pulls.now() - 2 * policy.HEARTBEAT_LIMIT)
    )
    assert transitions.reclaim_orphans() == 1
    db.session.commit()
    queue.ring(pulls.by_id(pull))
    assert start("rq", "worker", "-c", "worker", "-w", "worker.AppWorker", "--burst").wait(60) == 0
    assert state_of(pull) == "done", start.log.read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_some_jobs_another_process_goes_on(pull, start, poll, context):
    rings = Queue(pull_job.QUEUE, connection=context.extensions["redis"])
    for number in range(4):
        rings.enqueue_call(pull_job.JOB, args=(1000 + number,), result_ttl=0)
    process = start("python", "-c", "import worker; worker.JOBS_PER_LIFE = 2; worker.main()")
    poll(lambda: log_of(start).count("quitting") == 2, 60, "the end of two lives")
    poll(lambda: state_of(pull) == "done", 30, "the pull")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, log_of(start)


SLEEPY = """
import worker
from plaidapp.jobs import pull_job, runner
pull_job.REGISTERED.add("time.sleep")
runner.STUCK = runner.REARM = runner.Runner.dequeue_timeout = 1
worker.take_all()
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_ignores_its_timeout_ends_the_process(start, context):
    rings = Queue(pull_job.QUEUE, connection=context.extensions["redis"])
    rings.enqueue_call("time.sleep", args=(60,))
    process = start("python", "-c", SLEEPY)
    assert process.wait(30) == 1
    assert "Timeout (0:00:02)!" in log_of(start)


def log_of(start):
    return start.log.read_text()


WATCHFUL = """
import sys, redis, worker
class Watchful(worker.AppWorker):
    def execute_job(self, job, queue):
        before = set(sys.modules)
        super().execute_job(job, queue)
        print("imported:", sorted(set(sys.modules) - before))
Watchful(worker.QUEUES, connection=redis.Redis.from_url(worker.REDIS_URL)).work(burst=True)
"""


def test_the_first_job_imports_nothing(pull, start):
    assert start("python", "-c", WATCHFUL).wait(60) == 0, log_of(start)
    assert state_of(pull) == "done"
    assert "imported: []" in log_of(start), log_of(start)


def test_a_worker_does_not_import_what_it_never_uses(start):
    heavy = "alembic", "babel", "plaid.api", "plaidapp.web", "wtforms", "plaidapp.auth"
    look = f"import sys, worker; print([name for name in {heavy} if name in sys.modules])"
    assert start("python", "-c", look).wait(60) == 0
    assert log_of(start).strip() == "[]"
