"""Fault injection: a WSGI middleware that spoils chosen calls the way networks and banks do.

The rules, and the URL that sets them, are in `sandbox.control`. Calls are spoiled on the wire, so
the sandbox behind it stays an honest Plaid, and a client under test meets what it would meet in
production. A held call holds its own thread alone: serve it with a threaded server.
"""

import contextlib
import errno
import io
import os
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.control import (
    CONTROL_PATH,
    Delay,
    Drip,
    Error,
    Garbage,
    Hang,
    MissingField,
    Mutate,
    RateLimit,
    Reset,
    Rule,
    Rulebook,
    Truncate,
    WrongTypes,
    answer_control,
    json_response,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The codes of https://plaid.com/docs/errors/rate-limit-exceeded/; RATE_LIMIT is its general one.
_LIMIT_CODES = {
    "/accounts/get": "ACCOUNTS_LIMIT",
    "/accounts/balance/get": "ACCOUNTS_BALANCE_GET_LIMIT",
    "/transactions/get": "TRANSACTIONS_LIMIT",
    "/transactions/refresh": "TRANSACTIONS_REFRESH_LIMIT",
    "/transactions/sync": "TRANSACTIONS_SYNC_LIMIT",
}
_LIMIT_MESSAGE = "rate limit exceeded for attempts to access this item. please try again later"

# A proxy's page: what stands before an API when the API is away. The last byte is not UTF-8.
_GARBAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>\xff"

_DRIP_PIECES = 100

_Fields = dict[str, msgspec.Raw]


class Faults:
    """Wraps `app`; `mutate` is called with an access token when an Item is to change.

    `mutate` runs outside the lock, and may itself make calls to the sandbox. `seed` makes rules
    with a probability hit the same calls in every run; `clock` (seconds, never back) is what rate
    limits go by.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        mutate: Callable[[str], object] | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._mutate = mutate
        self.rulebook = Rulebook(seed, clock)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == CONTROL_PATH:
            can_mutate = self._mutate is not None
            answer = answer_control(self.rulebook, request, can_mutate=can_mutate)
            return answer(environ, start_response)
        if request.path.startswith("/_control/"):
            return self._app(environ, start_response)

        rules, released = self.rulebook.claim(request.path)
        body = _keep_body(request) if rules else b""
        for rule in rules:
            if isinstance(rule, Delay):
                released.wait(rule.seconds)
            elif isinstance(rule, Mutate):
                self._change_item(body)
            else:
                response = _instead(rule, request, released)
                if response is None:
                    response = Response.from_app(self._app, environ, buffered=True)
                    _spoil(response, rule, released)
                return response(environ, start_response)
        return self._app(environ, start_response)

    def _change_item(self, body: bytes) -> None:
        """Calls without an access token name no Item, and change none."""
        try:
            item = msgspec.json.decode(body, type=_NamesItem)
        except ValueError:
            return
        if self._mutate is not None:
            self._mutate(item.access_token)


class _NamesItem(msgspec.Struct):
    access_token: str


def _keep_body(request: Request) -> bytes:
    """Reads the request to its end and puts it back.

    A server that closes a connection with bytes unread resets it, which would turn every fault
    into `reset`.
    """
    body = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(body)
    return body


def _instead(rule: Rule, request: Request, released: Event) -> Response | None:
    """The answer that the app is not asked for; None if the rule wants the app's."""
    match rule:
        case Error():
            return _plaid_error(rule.status, rule.error_type, rule.error_code, rule.error_message)
        case RateLimit():
            code = _LIMIT_CODES.get(request.path, "RATE_LIMIT")
            return _plaid_error(429, "RATE_LIMIT_EXCEEDED", code, _LIMIT_MESSAGE)
        case Garbage():
            return Response(_GARBAGE, content_type="text/html")
        case Hang():
            released.wait(rule.seconds)
            _drop(request.environ)
        case Reset():
            _drop(request.environ)
    return None


def _spoil(response: Response, rule: Rule, released: Event) -> None:
    """Changes the app's own answer."""
    body = response.get_data()
    response.content_length = len(body)
    match rule:
        case Drip():
            response.response = _drip(body, rule.seconds, released)
        case Truncate():
            response.response = _truncate(body)
        case WrongTypes():
            _edit_json(response, _with_wrong_types)
        case MissingField():
            _edit_json(response, lambda fields: _without(fields, rule.field))


def _plaid_error(status: int, error_type: str, code: str, message: str) -> Response:
    error = {
        "error_type": error_type,
        "error_code": code,
        "error_message": message,
        "display_message": None,
        "request_id": uuid.uuid4().hex[:15],
    }
    return json_response(error, status)


def _drip(body: bytes, seconds: float, released: Event) -> Iterator[bytes]:
    size = -(-len(body) // _DRIP_PIECES) or 1
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for piece in pieces:
        released.wait(seconds / len(pieces))
        yield piece


def _truncate(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    # Else a server that keeps connections alive would leave the client to wait for the rest.
    raise ConnectionResetError(errno.ECONNRESET, "cut in half by a fault rule")


def _edit_json(response: Response, edit: Callable[[_Fields], _Fields]) -> None:
    """Leaves an answer that is no JSON object as it is. Values pass as bytes: digits survive."""
    with contextlib.suppress(ValueError):
        fields = msgspec.json.decode(response.get_data(), type=_Fields)
        response.set_data(msgspec.json.encode(edit(fields)))


def _with_wrong_types(fields: _Fields) -> _Fields:
    """Lists become objects and all else a list of itself: whichever field is read is wrong."""
    return {
        name: msgspec.Raw(b"{}" if bytes(value).startswith(b"[") else b"[%b]" % bytes(value))
        for name, value in fields.items()
    }


def _without(fields: _Fields, field: str) -> _Fields:
    return {name: value for name, value in fields.items() if name != field}


def _drop(environ: "WSGIEnvironment") -> NoReturn:
    """Resets the connection, where the server shows its socket, as werkzeug and gunicorn do.

    Elsewhere the exception is all there is, and the server may make a 500 of it.
    """
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # macOS refuses when the client has left already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server holds files on this socket, so that connection.close() would close nothing
        # yet. In its place goes one whose other end has left: what a server can always cope with.
        stand_in, far_end = socket.socketpair()
        with stand_in, far_end:
            os.dup2(stand_in.fileno(), connection.fileno(), inheritable=False)
    # Servers take this errno for a client that left, and log nothing.
    raise ConnectionResetError(errno.ECONNRESET, "dropped by a fault rule")
