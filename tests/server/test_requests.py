"""What the server makes of a request, and which ones it does not pass on."""

import http.client
import json

import pytest

from tests.server.served import CLOSE, HOST, everything


def body_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_requests_on_one_connection_are_answered_in_order(served):
    three = b"".join(b"GET /echo?n=%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in (1, 2))
    last = b"GET /echo?n=3 HTTP/1.1\r\n" + CLOSE + b"\r\n"

    answers = served.ask(three + last)

    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.index(b"n=1") < answers.index(b"n=2") < answers.index(b"n=3")


def test_a_body_in_chunks_arrives_whole(served):
    head = b"POST /echo HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"

    seen = body_of(served.ask(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))

    assert seen["body"] == "abcde"
    assert seen["headers"] == {"Connection": "close", "Content-Length": "5"}


def test_a_header_cannot_pass_for_another(served):
    forged = b"X_Forwarded_For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"

    seen = body_of(served.ask(b"GET /echo HTTP/1.1\r\n" + CLOSE + forged + b"\r\n"))

    assert seen["headers"]["X-Forwarded-For"] == "2.2.2.2"


def test_the_app_learns_where_the_server_listens(served):
    """plaidapp/hosts.py believes a client who names localhost only where that is loopback."""
    seen = body_of(served.ask(b"GET /echo HTTP/1.1\r\n" + CLOSE + b"\r\n"))

    assert seen["parties"] == ["0.0.0.0", "127.0.0.1"]  # noqa: S104


def test_an_address_with_a_host_is_the_path(served):
    seen = body_of(served.ask(b"GET http://other/echo?a=%20b HTTP/1.1\r\n" + CLOSE + b"\r\n"))

    assert seen["path"] == "/echo?a=%20b"


def test_an_address_that_cannot_be_read_is_a_400(served):
    answer = served.ask(b"GET http://[ HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"The address in this request can't be read.")


@pytest.mark.parametrize("path", ["/exits", "/whole/5?bad-length", "/parts/20?bad-length"])
def test_no_connection_outlives_a_failed_request(served, path):
    """None of these failures is one that the app's or the server's error handlers see."""
    assert served.ask(f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n") == b""


def test_bytes_beyond_ascii_and_several_cookies_arrive_as_they_were_sent(served):
    head = "GET /path/é HTTP/1.1\r\n".encode()  # clients should write %C3%A9
    cookies = b"Cookie: a=1\r\nCookie: b=2\r\n"

    seen = body_of(served.ask(b"GET /echo HTTP/1.1\r\n" + CLOSE + cookies + b"\r\n"))
    path = served.ask(head + CLOSE + b"\r\n")

    assert seen["headers"]["Cookie"] == "a=1; b=2"
    assert path.endswith("/path/é".encode())


def test_nobody_is_invited_to_send_too_large_a_body(served):
    expects = CLOSE + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"

    too_large = served.ask(b"POST /echo HTTP/1.1\r\n" + expects % 5_000_000)
    with served.connect(b"POST /echo HTTP/1.1\r\n" + expects % 5) as client:
        invited = client.recv(100)

    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert invited.startswith(b"HTTP/1.1 100 ")


SECOND = b"GET /echo?smuggled HTTP/1.1\r\n" + CLOSE + b"\r\n"
AMBIGUOUS = {
    "two framings": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "a signed length": b"Content-Length: +5\r\n\r\nabcde",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "another encoding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\nabcde",
    "a folded line": b"X-A: b\r\n Content-Length: 5\r\n\r\nabcde",
    "a size that is no number": b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "no end of a chunk": b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n",
    "a null character": b"X-A: b\0c\r\n\r\n",
    "a bare carriage return": b"X-A: b\rContent-Length: 5\r\n\r\nabcde",
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_an_ambiguous_request_ends_the_connection(served, kind):
    """A proxy in front might see another end of the request, and so another second one."""
    answers = served.ask(b"POST /echo HTTP/1.1\r\n" + HOST + AMBIGUOUS[kind] + SECOND)

    assert answers.startswith(b"HTTP/1.1 400 ")
    assert b"smuggled" not in answers


@pytest.mark.parametrize("line", [b"GET /echo", b"GET /echo HTTP/2.0", b"GET  /echo HTTP/1.1"])
def test_a_first_line_of_another_protocol_is_a_400(served, line):
    assert served.ask(line + b"\r\n" + CLOSE + b"\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("hosts", [b"", HOST + b"Host: other\r\n"])
def test_a_request_names_one_host(served, hosts):
    answer = served.ask(b"GET /echo HTTP/1.1\r\nConnection: close\r\n" + hosts + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"A request has to name one host.")


@pytest.mark.parametrize(
    "fields",
    [b"X-A: " + b"b" * 33_000 + b"\r\n", b"".join(b"X-%d: b\r\n" % n for n in range(101))],
    ids=["too long", "too many"],
)
def test_too_large_a_header_is_a_431(served, fields):
    answer = served.ask(b"GET /echo HTTP/1.1\r\n" + CLOSE + fields + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.endswith(b"Delete the cookies of this site.")
    for protection in (b"Content-Security-Policy: default-src 'none'", b"nosniff\r\n"):
        assert protection in answer


def test_a_header_without_end_is_cut_off(served):
    assert served.ask(b"GET /echo HTTP/1.1\r\nX-A: " + b"b" * 200_000) == b""


@pytest.mark.parametrize("size", [70_000, 5_000_000], ids=["for the app", "for the server"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "in chunks"])
def test_the_sender_of_too_large_a_body_sees_the_apps_413(served, size, chunked):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    body = iter([b"x" * size]) if chunked else b"x" * size

    connection.request("POST", "/echo", body, {"Content-Type": "text/plain"})
    answer = connection.getresponse()

    assert answer.status == 413
    assert b"exceeds the capacity limit" in answer.read()
    connection.close()


def test_old_clients_learn_the_end_from_that_of_the_connection(served):
    head, _, body = served.ask(b"GET /parts/20 HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")

    assert b"chunked" not in head
    assert len(body) == 20 * 65_536


def test_answers_without_a_body(served):
    with served.connect(b"HEAD /whole/5 HTTP/1.1\r\n" + HOST + b"\r\n") as client:
        head = client.recv(10_000)
        client.sendall(b"HEAD /parts/5 HTTP/1.1\r\n" + HOST + b"\r\n")
        unknown = client.recv(10_000)
        client.sendall(b"GET /nothing HTTP/1.1\r\n" + CLOSE + b"\r\n")
        nothing = everything(client)

    assert b"Content-Length: 5" in head
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in unknown
    assert nothing.startswith(b"HTTP/1.1 204 ")
    assert b"Content-Length" not in nothing
