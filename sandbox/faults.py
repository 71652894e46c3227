"""Fault injection: a WSGI middleware that makes chosen calls fail like real networks and banks.

`sandbox.fault_rules` has the rules and the URL that sets them. Faults happen outside the app, so
the sandbox itself always behaves like Plaid, and clients see what they would see in production. A
delayed call blocks its thread: use a threaded server.
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

from sandbox.control.guard import PREFIX, json_response
from sandbox.error_catalog import CATALOG
from sandbox.fault_rules import (
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
    answer_control_request,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The codes of https://plaid.com/docs/errors/rate-limit-exceeded/; RATE_LIMIT is the general one.
_LIMIT_CODES = {
    "/accounts/get": "ACCOUNTS_LIMIT",
    "/accounts/balance/get": "ACCOUNTS_BALANCE_GET_LIMIT",
    "/item/get": "ITEM_GET_LIMIT",
    "/transactions/get": "TRANSACTIONS_LIMIT",
    "/transactions/refresh": "TRANSACTIONS_REFRESH_LIMIT",
    "/transactions/sync": "TRANSACTIONS_SYNC_LIMIT",
}

# The kind of page that a proxy returns when the API behind it is down. The last byte isn't UTF-8.
_GARBAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>\xff"

_DRIP_PIECES = 100

_Fields = dict[str, msgspec.Raw]


class Faults:
    """Wraps `app`. A Mutate rule calls `mutate` with the access token of the Item to change.

    `mutate` runs without a lock, so it may call the sandbox. `item_of` returns the id of the Item
    with an access token, for rules that are limited to an Item. With the same `seed`, rules with a
    probability hit the same calls in every run. `clock` returns monotonic seconds for rate limits.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        mutate: Callable[[str], object] | None = None,
        item_of: Callable[[str], str | None] = lambda _: None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._mutate = mutate
        self._item_of = item_of
        self.rulebook = Rulebook(seed, clock)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == CONTROL_PATH:
            can_mutate = self._mutate is not None
            reply = answer_control_request(self.rulebook, request, can_mutate=can_mutate)
            return reply(environ, start_response)
        if request.path.startswith(PREFIX):
            return self._app(environ, start_response)

        token = _access_token(_read_body(request)) if self.rulebook.names_items() else None
        item_id = None if token is None else self._item_of(token)
        rules, released = self.rulebook.record_call(request.path, item_id)
        body = _read_body(request) if rules else b""
        for rule in rules:
            if isinstance(rule, Delay):
                released.wait(rule.seconds)
            elif isinstance(rule, Mutate):
                self._change_item(body)
            else:
                response = _replacement_response(rule, request, released)
                if response is None:
                    response = Response.from_app(self._app, environ, buffered=True)
                    _modify(response, rule, released)
                return response(environ, start_response)
        return self._app(environ, start_response)

    def _change_item(self, body: bytes) -> None:
        """Change the Item that the request names. Do nothing if it has no access token."""
        token = _access_token(body)
        if self._mutate is not None and token is not None:
            self._mutate(token)


class _ItemRequest(msgspec.Struct):
    access_token: str


def _access_token(body: bytes) -> str | None:
    """Return the access token in a request body, or None."""
    try:
        return msgspec.json.decode(body, type=_ItemRequest).access_token
    except ValueError:
        return None


def _read_body(request: Request) -> bytes:
    """Read the whole request body, and leave a copy for the app.

    If a server closes a connection that has unread bytes, the connection is reset. Every fault
    would then look like `reset`.
    """
    body = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(body)
    return body


def _replacement_response(rule: Rule, request: Request, released: Event) -> Response | None:
    """Return a response that replaces the app's; None if the rule only modifies it."""
    match rule:
        case Error():
            return _plaid_error(rule.status, rule.error_type, rule.error_code, rule.error_message)
        case RateLimit():
            code = _LIMIT_CODES.get(request.path, "RATE_LIMIT")
            limit = CATALOG[code]
            return _plaid_error(limit.status, limit.error_type, code, limit.message)
        case Garbage():
            return Response(_GARBAGE, content_type="text/html")
        case Hang():
            released.wait(rule.seconds)
            _drop(request.environ)
        case Reset():
            _drop(request.environ)
    return None


def _modify(response: Response, rule: Rule, released: Event) -> None:
    """Modify the app's response."""
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
    # Otherwise a server with keep-alive would let the client wait for the rest.
    raise ConnectionResetError(errno.ECONNRESET, "cut in half by a fault rule")


def _edit_json(response: Response, edit: Callable[[_Fields], _Fields]) -> None:
    """Edit a JSON object; leave any other body alone. Values stay bytes, so numbers keep digits."""
    with contextlib.suppress(ValueError):
        fields = msgspec.json.decode(response.get_data(), type=_Fields)
        response.set_data(msgspec.json.encode(edit(fields)))


def _with_wrong_types(fields: _Fields) -> _Fields:
    """Turn each list into an object and wrap anything else in a list, so every type is wrong."""
    return {
        name: msgspec.Raw(b"{}" if bytes(value).startswith(b"[") else b"[%b]" % bytes(value))
        for name, value in fields.items()
    }


def _without(fields: _Fields, field: str) -> _Fields:
    return {name: value for name, value in fields.items() if name != field}


def _drop(environ: "WSGIEnvironment") -> NoReturn:
    """Reset the connection, if the server exposes its socket like werkzeug and gunicorn.

    With other servers this only raises ConnectionResetError, which may become a 500.
    """
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # fails on macOS if the client has disconnected
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server has file objects for this socket, so connection.close() would not close it yet.
        # Replace it with a socket whose other end is closed, which every server can handle.
        replacement, other_end = socket.socketpair()
        with replacement, other_end:
            os.dup2(replacement.fileno(), connection.fileno(), inheritable=False)
    # Servers treat this errno as a client that disconnected, and log nothing.
    raise ConnectionResetError(errno.ECONNRESET, "dropped by a fault rule")
