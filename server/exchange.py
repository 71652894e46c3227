"""One request and its answer."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine

from plaidapp import policy

from .answer import Answer, WSGIApp
from .environ import environ_of, problem_with

if TYPE_CHECKING:
    from .clients import Clients

log = logging.getLogger(__name__)

ANY_SIZE = 2**62


class Exchange(HTTPMessageDelegate):
    """Collects a request, and runs the app when it is whole."""

    def __init__(self, clients: "Clients", conn: Any) -> None:
        self.conn = conn
        self.held = 0
        """Bytes in memory, as Clients.hold noted them."""
        self.begun = False
        """Whether the request is whole, or the rest of it does not count."""
        self.received = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.clients = clients
        self._body = bytearray()
        self._size = 0

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self.conn.set_max_body_size(ANY_SIZE)  # Tornado would refuse it without a sentence
        self.request: tuple[RequestStartLine, HTTPHeaders] = start_line, headers
        problem = problem_with(start_line, headers)
        length = headers.get("Content-Length", "")
        too_large = length.isdecimal() and (len(length) > 12 or int(length) > policy.MAX_BODY)
        if problem or too_large:
            headers.pop("Expect", None)  # or Tornado would ask for the body
        if problem:
            self.begun = True
            Answer(self).refuse(*problem)
        elif too_large:
            self._size = policy.MAX_BODY + 1  # enough for the app to refuse it
            self._begin()

    def data_received(self, chunk: bytes) -> None:
        if self.begun:  # the rest of a body that is too large
            return
        self._body += chunk
        self._size += len(chunk)
        self.clients.hold(self, len(self._body))
        if self._size > policy.MAX_BODY:
            self._begin()

    def finish(self) -> None:
        self.received.set()
        self._begin()

    def _begin(self) -> None:
        """Have the app answer, also if the client has gone meanwhile: see `run`."""
        if not self.begun:
            self.begun = True
            self.clients.begin(self)

    def run(self, app: WSGIApp) -> None:
        """Run the app. A thread calls this.

        A client that has gone sees no page, but what it wanted to change is changed.
        """
        if self.conn.stream.closed() and self.request[0].method in ("GET", "HEAD"):
            return
        try:
            environ = environ_of(
                *self.request, bytes(self._body), self._size, *self.conn.stream.parties
            )
            Answer(self).run(app, environ)
        except BaseException:  # the pool would keep it to itself, and the client would wait forever
            log.exception("A request ended without an answer.")
            self.loop.call_soon_threadsafe(self.abort)

    def abort(self) -> None:
        """Close the connection. An answer that is under way remains incomplete."""
        self.begun = True  # the app does not get a request that is not whole
        self.conn.stream.close()
