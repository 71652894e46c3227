"""What many processes have counted is in Redis once, whatever happens on the way."""

import os
import subprocess
import sys

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest

from plaidapp.metrics import counted, pending, sending
from plaidapp.metrics.exposition import Sums
from plaidapp.metrics.processes import processes

CHANGE = counted.ROWS.name, "added"


@pytest.fixture
def connection(redis_url):
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    pending.take()  # what other tests have counted
    yield client
    client.flushall()
    client.close()


def added(connection):
    return float(connection.hget(sending.SUMS, pending.SEPARATOR.join(CHANGE)) or 0)


class Unlucky:
    """A connection whose answers are lost: Redis does what it is told, and nobody hears of it."""

    def __init__(self, connection):
        self._connection = connection

    def eval(self, *args):
        self._connection.eval(*args)
        raise redis.TimeoutError


def test_several_processes_add_up(connection):
    for _ in range(3):
        counted.ROWS.add("added", amount=2)
        sending.Sender(connection, "worker").send()

    assert added(connection) == 6
    assert [each.role for each in processes(connection)] == ["worker"] * 3


def test_a_batch_whose_answer_was_lost_is_added_once(connection):
    sender = sending.Sender(Unlucky(connection), "web")
    counted.ROWS.add("added")
    for _ in range(3):
        with pytest.raises(redis.TimeoutError):
            sender.send()
    counted.ROWS.add("added", amount=10)

    sender._connection = connection
    sender.send()  # the first batch once more
    sender.send()

    assert added(connection) == 11


def test_sums_begin_anew_if_redis_has_lost_some_of_them(connection):
    sender = sending.Sender(connection, "web")
    keys = (sending.SUMS, sending.PROCESSES)
    for _ in range(2):
        counted.ROWS.add("added", amount=100)
        sender.send()
    behind = [connection.dump(key) for key in keys]
    counted.ROWS.add("added", amount=100)
    sender.send()
    for key, stored in zip(keys, behind, strict=True):  # Redis is now a replica that lagged
        connection.restore(key, 0, stored, replace=True)

    counted.ROWS.add("added")
    sender.send()

    assert added(connection) == 1


def test_a_fork_sends_only_what_it_has_counted_itself(connection):
    counted.ROWS.add("added")
    if (child := os.fork()) == 0:
        counted.ROWS.add("added", amount=10)
        sending.send_if_alone(connection)
        os._exit(0)
    os.waitpid(child, 0)
    sending.send(connection)

    assert added(connection) == 11


COUNT = """
import sys
from redis import Redis
from plaidapp.metrics import counted, sending
sending.start(Redis.from_url(sys.argv[1]), "clock")
counted.ROWS.add("added", amount=7)
"""


def test_a_process_that_ends_sends_what_is_left(connection, redis_url):
    subprocess.run([sys.executable, "-c", COUNT, redis_url], check=True)

    assert added(connection) == 7
    assert processes(connection) == []


def test_whatever_is_in_redis_is_no_error(connection):
    name = counted.JOB_SECONDS.name
    odd = ("", name, f"{name}\t", f"{name}\tsync\t1\t2", f"{name}\tsync\tx", "other\ta", b"\xff")
    for field in (*odd, pending.SEPARATOR.join(CHANGE)):
        connection.hset(sending.SUMS, field, "nonsense")
        connection.hset(sending.PROCESSES, field, "nonsense")
    for field in odd[1:]:
        connection.hset(sending.SUMS, field, "1")
    counted.ROWS.add("added", amount=5)
    sending.send(connection)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Sums(connection, {}))

    assert b'plaidapp_rows_changed_total{change="added"} 5.0' in generate_latest(registry)
    assert processes(connection) == []
    assert connection.hlen(sending.PROCESSES) == 0
