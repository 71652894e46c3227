"""What a process does for its clients when it stops, or when another is to replace it."""

import signal
import time

from server import limits
from tests.e2e.processes import wait_until
from tests.server.served import HOST, everything, long_from, take_part

FEW_REQUESTS = ("--max-requests=5", "--max-requests-jitter=0")


def test_a_process_that_stops_finishes_what_was_asked(serve, stalled):
    server = serve("app:app", "--graceful-timeout", "10")
    idle = stalled(server.connect())
    busy = stalled(server.connect(b"GET /slow/1.0 HTTP/1.1\r\n" + HOST + b"\r\n"))
    late = stalled(server.connect(b"GET /echo HTTP/1.1\r\n" + HOST))
    wait_until(server.is_answered, 10, "it answers")

    server.running.send(signal.SIGTERM)
    late.sendall(b"\r\n")

    assert everything(busy).endswith(b"done")
    assert b"HTTP/1.1 200 " in everything(late)
    assert everything(idle) == b""
    assert server.running.wait(10) == 0


def test_an_answer_that_nobody_waits_for_is_no_error(serve):
    server = serve("app:app")
    gone = server.connect(b"GET /slow/1.0 HTTP/1.1\r\n" + HOST + b"\r\n")
    wait_until(lambda: "slow for" in server.log.read_text(), 10, "the app is at work")
    gone.close()
    wait_until(server.is_answered, 10, "it answers others")

    server.running.send(signal.SIGTERM)

    assert server.running.wait(10) == 0
    assert "The app failed" not in server.log.read_text()


def test_a_stop_waits_for_those_who_take_their_answer(serve, stalled):
    server = serve("app:app", "--graceful-timeout=600")
    stalled(server.connect(long_from("192.0.2.1"), receives=4096)).recv(100)
    reader = stalled(server.connect(long_from("192.0.2.2"), receives=4096))
    take_part(reader)

    server.running.send(signal.SIGTERM)
    others_are_cut_off = time.monotonic() + limits.STALL
    while time.monotonic() < others_are_cut_off and take_part(reader):
        time.sleep(0.05)

    assert everything(reader).endswith(b"\r\n0\r\n\r\n")
    assert server.running.wait(20) == 0


def test_a_process_is_not_replaced_while_it_sends_an_answer(serve, stalled):
    server = serve("app:app", *FEW_REQUESTS, "--graceful-timeout=600")
    client = stalled(server.connect(long_from("192.0.2.1"), receives=4096))
    client.recv(100)
    first = server.process()

    assert all(server.process() == first for _ in range(10))
    client.close()
    wait_until(lambda: server.process() != first, 10, "another process answers")


def test_a_process_is_replaced_in_the_end(serve, stalled):
    server = serve("impatient:app", *FEW_REQUESTS)
    reader = stalled(server.connect(long_from("192.0.2.1"), receives=4096))

    def is_replaced():
        take_part(reader)
        return server.is_answered() and "Another replaces it" in server.log.read_text()

    wait_until(is_replaced, 10, "it stops")


def test_no_request_is_lost_when_a_process_is_replaced(serve):
    server = serve("app:app", *FEW_REQUESTS)

    assert all(server.is_answered() for _ in range(20))
    assert server.log.read_text().count("Another replaces it") >= 3
