"""Clients that send or read slowly, or not at all, delay nobody but themselves."""

import contextlib
import http.client
import os
import re
import select
import signal
import time

import pytest

from tests.e2e.processes import wait_until
from tests.server.served import HOST, PROBE, everything, long_from, take_part

FORM = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nhalf"


def test_nobody_waits_for_clients_that_do_not_read(served, stalled):
    """There are fewer threads than such clients. Each of them has its answer in the end."""
    asked = [long_from(f"192.0.2.{number}") for number in range(12)]
    slow = [stalled(served.connect(request, receives=4096)) for request in asked]

    assert served.is_answered()
    for client in slow[:2]:
        assert everything(client).endswith(b"\r\n0\r\n\r\n")


def test_a_failure_in_the_middle_leaves_an_answer_incomplete(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", "/broken/10")

    with pytest.raises(http.client.IncompleteRead) as half, connection.getresponse() as answer:
        answer.read()

    assert len(half.value.partial) == 10 * 65_536
    connection.close()


def test_an_address_and_a_process_have_room_for_few_long_answers(served, stalled):
    def is_begun(address):
        client = stalled(served.connect(long_from(address), receives=4096))
        return client.recv(12) == b"HTTP/1.1 200"

    for number in range(3):
        assert is_begun(f"2001:db8::{number}")
    one_more = served.ask(long_from("2001:db8::ffff:1"))  # of the same subscriber
    others = [is_begun(f"192.0.2.{number}") for number in range(16)]
    another = served.ask(long_from("192.0.2.99"))

    assert one_more.startswith(b"HTTP/1.1 429 ")
    assert one_more.endswith(b"Try again when one of them is complete.")
    assert others[0]
    assert not others[-1]
    assert another.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 60" in one_more
    assert b"Retry-After: 60" in another


def test_a_client_that_takes_an_answer_too_slowly_is_disconnected(impatient, stalled):
    slow = stalled(impatient.connect(long_from("192.0.2.1"), receives=4096))
    parts = 0

    with contextlib.suppress(ConnectionResetError):
        while take_part(slow):
            parts += 1
            time.sleep(0.3)  # less than it may take for a part, and too long on average

    assert parts < 100


def test_a_client_that_takes_nothing_is_disconnected(impatient, stalled):
    """Its address has room for another long answer then."""
    for _ in range(3):
        stalled(impatient.connect(long_from("192.0.2.2"), receives=4096)).recv(100)

    def has_room():
        return impatient.ask(long_from("192.0.2.2")).startswith(b"HTTP/1.1 200 ")

    wait_until(has_room, 10, "there is room again")


def test_clients_that_take_too_long_are_disconnected(impatient, stalled):
    silent, half_header, half_body, dribbling = (
        stalled(impatient.connect(sent)) for sent in (b"", b"GET /ec", FORM, FORM)
    )

    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            dribbling.send(b"x")
            time.sleep(0.05)
    assert time.monotonic() < deadline
    for client in (silent, half_header, half_body, dribbling):
        assert everything(client) == b""


SLOW = b" /slow/1.0 HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"


def test_nobody_makes_pages_for_clients_that_have_gone(served, stalled):
    """What such a client wanted to change is changed."""
    server = served.process()

    def runs():
        return re.findall("slow for a (.*)", served.log.read_text())

    for _ in range(4):  # there are as many threads
        stalled(served.connect(b"GET" + SLOW))
    wait_until(lambda: runs() == ["GET"] * 4, 10, "all threads are busy")
    gone = [(served.connect(), method + SLOW) for method in (b"GET", b"HEAD", b"POST")]
    assert served.ask(PROBE)  # the server waits for their requests
    os.kill(server, signal.SIGSTOP)  # it sees a request and its client's end at the same time
    for client, request in gone:
        client.sendall(request)
        client.close()
    os.kill(server, signal.SIGCONT)

    wait_until(lambda: "POST" in runs(), 10, "the last of them had its turn")
    assert served.is_answered()
    assert runs() == ["GET"] * 4 + ["POST"]


def test_more_waiting_requests_than_fit_are_a_503(impatient, stalled):
    """A probe is answered: a host would take the process for dead and kill it."""
    clients = [stalled(impatient.connect(b"GET" + SLOW)) for _ in range(10)]

    select.select(clients, [], [])  # the 503 comes first
    assert impatient.ask(PROBE).startswith(b"HTTP/1.1 200 ")
    answers = sorted(client.recv(1000) for client in clients)

    assert [answer[9:12] for answer in answers] == [b"200"] * 9 + [b"503"]
    assert b"Retry-After: 60" in answers[-1]


def test_beyond_the_limit_the_oldest_waiting_connection_is_closed(served, stalled):
    oldest = stalled(served.connect(FORM))
    for _ in range(40):
        stalled(served.connect(FORM))

    assert served.is_answered()
    assert everything(oldest) == b""


def test_the_client_that_holds_most_memory_is_disconnected(served, stalled):
    form = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
    most = stalled(served.connect(form + b"x" * 950_000))
    least = stalled(served.connect(form + b"x" * 700_000))

    assert everything(most) == b""
    least.sendall(b"x" * 300_000)
    assert least.recv(100).startswith(b"HTTP/1.1 413 ")
