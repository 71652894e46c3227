"""Clients that send or read slowly, or not at all, delay nobody but themselves."""

import contextlib
import http.client
import re
import signal
import time

import pytest

from tests.e2e.processes import wait_until
from tests.server.served import Served, everything

HOST = b"Host: localhost\r\n"
FORM = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nhalf"
LONG = b"GET /parts/200 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
PAGE = b"GET /echo HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest.fixture
def stalled():
    """Keep connections open until the end of the test."""
    with contextlib.ExitStack() as connections:
        yield lambda client: connections.enter_context(client)


def is_answered(server):
    return server.ask(PAGE).startswith(b"HTTP/1.1 200 ")


def test_nobody_waits_for_clients_that_do_not_read(served, stalled):
    """There are fewer threads than such clients. Each of them has its answer in the end."""
    slow = [stalled(served.connect(LONG, receives=4096)) for _ in range(12)]

    assert is_answered(served)
    for client in slow[:2]:
        assert everything(client).endswith(b"\r\n0\r\n\r\n")


def test_a_failure_in_the_middle_leaves_an_answer_incomplete(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", "/broken/10")

    with pytest.raises(http.client.IncompleteRead) as half, connection.getresponse() as answer:
        answer.read()

    assert len(half.value.partial) == 10 * 65_536
    connection.close()


def test_more_long_answers_than_fit_are_a_503(impatient, stalled):
    for _ in range(3):
        stalled(impatient.connect(LONG, receives=4096)).recv(100)

    answer = impatient.ask(LONG)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 60" in answer
    # Those clients take nothing, so they are disconnected.
    wait_until(lambda: impatient.ask(LONG).startswith(b"HTTP/1.1 200 "), 10, "there is room again")


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

    def runs():
        return re.findall("slow for a (.*)", served.log.read_text())

    for _ in range(4):  # there are as many threads
        stalled(served.connect(b"GET" + SLOW))
    wait_until(lambda: runs() == ["GET"] * 4, 10, "all threads are busy")
    gone = [served.connect(method + SLOW) for method in (b"GET", b"HEAD", b"POST")]
    for client in gone:
        client.close()

    wait_until(lambda: "POST" in runs(), 10, "the last of them had its turn")
    assert is_answered(served)
    assert runs() == ["GET"] * 4 + ["POST"]


def test_more_waiting_requests_than_fit_are_a_503(impatient, stalled):
    clients = [stalled(impatient.connect(b"GET" + SLOW)) for _ in range(10)]

    answers = sorted(client.recv(1000) for client in clients)

    assert [answer[9:12] for answer in answers] == [b"200"] * 9 + [b"503"]
    assert b"Retry-After: 60" in answers[-1]


def test_beyond_the_limit_the_oldest_waiting_connection_is_closed(served, stalled):
    oldest = stalled(served.connect(FORM))
    for _ in range(40):
        stalled(served.connect(FORM))

    assert is_answered(served)
    assert everything(oldest) == b""


def test_the_client_that_holds_most_memory_is_disconnected(served, stalled):
    form = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
    most = stalled(served.connect(form + b"x" * 950_000))
    least = stalled(served.connect(form + b"x" * 700_000))

    assert everything(most) == b""
    least.sendall(b"x" * 300_000)
    assert least.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_process_that_stops_finishes_what_was_asked(tmp_path, stalled):
    server = Served("app:app", tmp_path, "--graceful-timeout", "10")
    idle = stalled(server.connect())
    busy = stalled(server.connect(b"GET /slow/1.0 HTTP/1.1\r\n" + HOST + b"\r\n"))
    late = stalled(server.connect(b"GET /echo HTTP/1.1\r\n" + HOST))
    wait_until(lambda: is_answered(server), 10, "it answers")

    server.running.send(signal.SIGTERM)
    late.sendall(b"\r\n")

    assert everything(busy).endswith(b"done")
    assert b"HTTP/1.1 200 " in everything(late)
    assert everything(idle) == b""
    assert server.running.wait(10) == 0
    server.running.kill()


def test_no_request_is_lost_when_a_process_is_replaced(tmp_path):
    server = Served("app:app", tmp_path, "--max-requests=3", "--max-requests-jitter=0")

    assert all(is_answered(server) for _ in range(12))
    assert server.log.read_text().count("Another replaces it") >= 3
    server.running.stop()
