"""Whoever can write to Redis can't run code in a worker, and can't end it with a job."""

import json
import pickle
import zlib
from pathlib import Path

import pytest
from rq import Queue

from plaidapp.jobs import clock, queue
from plaidapp.jobs.pull_job import JOB, QUEUE
from plaidapp.jobs.runner import Runner
from plaidapp.jobs.safe_pickle import SafePickle
from plaidapp.store.pulls import kinds

FIRST = f"rq:queue:{QUEUE}"


class Bomb:
    """Its pickle writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def explode(*_):
    """What a callback or another function would do."""
    Path(explode.path).touch()


@pytest.fixture
def crater(tmp_path):
    """The file that is there if a forged job's code has run."""
    explode.path = tmp_path / "crater"
    return explode.path


@pytest.fixture
def redis(context):
    return context.extensions["redis"]


@pytest.fixture
def rq(redis):
    """RQ's own queue, as any program may use it."""
    return Queue(QUEUE, connection=redis)


@pytest.fixture
def forge(redis):
    """Put a job in the queue whose hash has these fields."""

    def put(job_id="forged", **fields):
        sound = {"data": packed((JOB, None, (10**6,), {})), "status": "queued", "origin": QUEUE}
        redis.hset(f"rq:job:{job_id}", mapping=sound | fields)
        redis.rpush(FIRST, job_id)

    return put


@pytest.fixture
def genuine(begin, look):
    """A pull that is rung for at the end of the queue, without its job being looked at."""

    def ring():
        pull_id = begin(kinds.ACCOUNTS, asked_by="clock")
        queue.ring(look(pull_id))
        return pull_id

    return ring


@pytest.fixture
def work(context, redis):
    def burst(**options):
        worker = Runner([QUEUE], connection=redis, **options)
        worker.work(burst=True, logging_level="CRITICAL")
        return worker

    return burst


def packed(call) -> bytes:
    return zlib.compress(pickle.dumps(call))


def call_of(*args, name=JOB, instance=None, **named):
    return {"data": packed((name, instance, args, named))}


FORGED = {
    "another function": lambda bomb: call_of("touch x", name="os.system"),
    "a function of ours": lambda bomb: call_of(name="plaidapp.jobs.clock.reclaim"),
    "a function of a longer name": lambda bomb: call_of(1, name=JOB + ".x"),
    "a method": lambda bomb: call_of(name="touch", instance=bomb.path),
    "a pickle that runs code": lambda bomb: {"data": zlib.compress(pickle.dumps(bomb))},
    "an argument that runs code": lambda bomb: call_of(bomb),
    "a name that runs code": lambda bomb: call_of(name=bomb),
    "an old protocol": lambda bomb: {"data": zlib.compress(b"cos\nsystem\n(S'true'\ntR.")},
    "an extension": lambda bomb: {"data": zlib.compress(b"\x80\x02\x82\x01.")},
    "gigabytes of memory": lambda bomb: {"data": zlib.compress(b"\x80\x02Nr\xff\xff\xff\x7f.")},
    "a text": lambda bomb: call_of("1"),
    "true": lambda bomb: call_of(True),
    "a fraction": lambda bomb: call_of(1.5),
    "no id": lambda bomb: call_of(),
    "two ids": lambda bomb: call_of(1, 2),
    "a named id": lambda bomb: call_of(pull_id=1),
    "more than an id": lambda bomb: call_of(1, more=1),
    "a list of ids": lambda bomb: call_of([1]),
    "no pull's id": lambda bomb: call_of(0),
    "a huge id": lambda bomb: call_of(2**31),
    "no call": lambda bomb: {"data": packed(5)},
    "half a pickle": lambda bomb: {"data": zlib.compress(pickle.dumps((JOB, None, (1,), {}))[:-3])},
    "no pickle": lambda bomb: {"data": zlib.compress(b"hello")},
    "nothing": lambda bomb: {"data": b""},
    "not compressed": lambda bomb: {"data": pickle.dumps((JOB, None, (1,), {}))},
    "half a compressed text": lambda bomb: {"data": packed((JOB, None, (1,), {}))[:-8]},
    "a zip bomb": lambda bomb: {"data": zlib.compress(b"\x80\x05" + bytes(900_000))},
    "huge": lambda bomb: {"data": bytes(10_000_000)},
    "deep": lambda bomb: {"data": zlib.compress(b"\x80\x05N" + b"\x85" * 900 + b".")},
    "another state": lambda bomb: {"status": "exploded"},
    "a state that is no text": lambda bomb: {"status": b"\xff"},
    "a huge state": lambda bomb: {"status": "q" * 10_000_000},
}


def test_forged_jobs_are_logged_and_dropped(forge, genuine, work, look, redis, crater, caplog):
    for number, make in enumerate(FORGED.values()):
        forge(f"forged-{number}", **make(Bomb(crater)))
    pull_id = genuine()

    worker = work()

    assert look(pull_id).state == "done"
    assert not crater.exists()
    worker.refresh()
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 0)
    told = [record for record in caplog.records if "forged job" in record.getMessage()]
    assert len(told) == len(FORGED)
    assert [key for key in redis.scan_iter() if b"forged" in key] == []
    assert redis.lrange(f"{FIRST}:intermediate", 0, -1) == []


ODD_IDS = (b"\xff\xfe", b"", b"a b", b"x:y", b"../x", b"a" * 101, b"a" * 1_000_000, "é".encode())


def test_ids_that_are_no_jobs_are_dropped(genuine, work, look, redis):
    redis.rpush(FIRST, *ODD_IDS)
    redis.set("rq:job:text", "no hash")
    redis.rpush(FIRST, "text")
    pull_id = genuine()

    work()

    assert look(pull_id).state == "done"
    assert redis.lrange(f"{FIRST}:intermediate", 0, -1) == []


def test_the_clock_rings_although_the_queue_holds_odd_ids(begin, redis):
    redis.rpush(FIRST, *ODD_IDS)
    pull_id = begin(kinds.ACCOUNTS)

    clock.ring_due()

    assert f"pull-{pull_id}-0".encode() in redis.lrange(FIRST, 0, -1)


def test_what_else_a_job_says_counts_for_nothing(forge, work, crater, redis, bank_server):
    """Callbacks, results, web addresses, other jobs: RQ would read or call them."""
    bomb = pickle.dumps(Bomb(crater))
    address = f"{bank_server.url}/hook"
    hooks = [{"url": address, "job_status": state} for state in ("finished", "failed")]
    fields = {
        "meta": bomb,
        "result": bomb,
        "success_callback_name": f"{__name__}.explode",
        "failure_callback_name": f"{__name__}.explode",
        "stopped_callback_name": f"{__name__}.explode",
        "webhooks": json.dumps(hooks),
        "timeout": 10**9,
        "result_ttl": 10**9,
        "failure_ttl": -1,
        "repeats_left": 5,
        "repeat_intervals": "[0]",
        "retries_left": 5,
        "rate_limit_key": "all",
        "rate_limit_concurrency": 1,
        "created_at": "never",
        "exc_info": zlib.compress(bytes(10_000_000)),
        "dependency_ids": "no json",
    }
    forge("pull-9-0", **fields)
    forge("dependent", data=zlib.compress(bomb), status="deferred")
    redis.sadd("rq:job:pull-9-0:dependents", "dependent")

    worker = work()

    worker.refresh()
    assert worker.successful_job_count == 1
    assert not crater.exists()
    assert "/hook" not in bank_server.faults.rulebook.report()["calls"]
    assert redis.exists("rq:job:pull-9-0") == 0


def test_maintenance_trusts_no_more(forge, genuine, work, look, redis, crater, rq):
    """RQ looks through abandoned, waiting and half-taken jobs when a worker begins."""
    bomb = zlib.compress(pickle.dumps(Bomb(crater)))
    callback = {"failure_callback_name": f"{__name__}.explode"}
    for number, status in enumerate(("started", "ready_to_enqueue", "queued")):
        forge(f"bad-{number}", data=bomb, status=status, meta=bomb, **callback)
        forge(f"good-{number}", status=status, meta=bomb, **callback)
    redis.delete(FIRST)
    redis.zadd(f"rq:wip:{QUEUE}", {"bad-0:1": 1, "good-0:1": 1})
    redis.zadd(f"rq:ready:{QUEUE}", {"bad-1": 1, "good-1": 1})
    redis.rpush(f"{FIRST}:intermediate", "bad-2", "good-2")
    pull_id = genuine()

    work()

    assert look(pull_id).state == "done"
    assert not crater.exists()
    assert redis.zrange(f"rq:wip:{QUEUE}", 0, -1) == redis.zrange(f"rq:ready:{QUEUE}", 0, -1) == []


def test_odd_entries_in_rqs_registries_do_not_end_the_worker(genuine, work, redis, look):
    redis.zadd(f"rq:wip:{QUEUE}", {b"no-colon\xff": 1})
    redis.rpush(f"{FIRST}:intermediate", *ODD_IDS)
    pull_id = genuine()

    work()

    assert look(pull_id).state == "done"


def test_a_worker_listens_to_no_commands(work):
    assert work().pubsub is None


def test_the_classes_that_rq_worker_passes_are_not_used(work, forge, rq, crater):
    """`rq worker -w worker.AppWorker` makes queues of its own, with options from anywhere."""
    forge(**call_of(Bomb(crater)))
    worker = Runner([rq], connection=rq.connection, job_class="rq.job.Job", serializer="pickle")
    worker.work(burst=True, logging_level="CRITICAL")
    assert not crater.exists()


def test_ringing_reads_nothing_that_is_pickled(begin, look, redis, crater):
    """The web process and the clock only write."""
    pull_id = begin(kinds.ACCOUNTS)
    bomb = pickle.dumps(Bomb(crater))
    redis.hset(f"rq:job:pull-{pull_id}-0", mapping={"data": bomb, "meta": bomb, "result": bomb})
    queue.ring(look(pull_id))
    clock.ring_due()
    assert not crater.exists()


@pytest.mark.parametrize("number", [1, 255, 256, 65_535, 65_536, 2**31 - 1])
def test_our_own_jobs_are_read(number):
    call = (JOB, None, (number,), {})
    assert SafePickle.loads(SafePickle.dumps(call)) == call
    assert SafePickle.loads(pickle.dumps(call)) == call  # a plain `rq worker` writes them too
