"""The answer of the app, on its way to the client."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp
from tornado.iostream import StreamClosedError

from plaidapp.metrics.counted import REQUESTS

from . import limits
from .pace import Pace
from .spool import GoneError, Spool

if TYPE_CHECKING:
    from .exchange import Exchange

log = logging.getLogger(__name__)

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
BROKEN = "Something broke on our side. Try again."


PLAIN = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "same-origin"),
)
"""The header of a sentence of the server. The app's answers have theirs."""


@lru_cache(1)
def _date(second: int) -> str:
    """Write a moment, in seconds since 1970, as a header does. Many answers have the same."""
    return format_timestamp(second)


class Answer:
    """Runs the app in a thread, and sends what it answers from the event loop.

    A short answer, or one that is in memory anyway, is sent at once and as a whole. A long one goes
    through a Spool.
    """

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._conn = exchange.conn
        self._begun = False
        self._is_head = exchange.request[0].method == "HEAD"
        self._pace = Pace(exchange)
        self._task: asyncio.Task[None] | None = None  # the loop has only a weak reference

    def run(self, app: WSGIApp, environ: dict[str, Any]) -> None:
        """Run the app. A thread calls this."""
        try:
            parts = app(environ, self._start)
            self._visitor = environ["REMOTE_ADDR"]  # the app knows it, if a proxy is in front
            try:
                self._collect(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except GoneError:
            pass
        except Exception:
            log.exception("The app failed outside its error handlers.")
            if not self._begun:
                self.refuse(500, BROKEN)

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with a sentence of the server."""
        REQUESTS.add("refused", f"{status // 100}xx")
        headers = list(PLAIN)
        if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            headers.append(("Retry-After", "60"))
        self._start(f"{status} {HTTPStatus(status).phrase}", headers)
        self._hand_over(self._send, sentence.encode())

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        code, _, reason = status.partition(" ")
        self._line = ResponseStartLine("HTTP/1.1", int(code), reason)
        self._headers = HTTPHeaders()
        for name, value in headers:
            self._headers.add(name, value)
        self._headers.setdefault("Date", _date(int(time.time())))

    def _collect(self, parts: Iterable[bytes]) -> None:
        begin = bytearray()
        rest = iter(parts)
        for part in rest:
            if begin and len(begin) + len(part) > limits.SHORT_ANSWER:
                self._spool(bytes(begin) + part, rest)
                return
            begin += part
        self._hand_over(self._send, bytes(begin))

    def _spool(self, begin: bytes, rest: Iterable[bytes]) -> None:
        spool = Spool(self._exchange.loop)
        if refusal := self._exchange.clients.long_answers.begin(self._visitor):
            spool.close()
            self.refuse(*refusal)
            return
        self._hand_over(self._keep, self._stream(spool))
        whole = False
        try:
            spool.write(begin)
            for part in rest:
                spool.write(part)
            whole = True
        finally:
            spool.end(whole=whole)

    def _hand_over(self, call: Callable[..., None], *arguments: Any) -> None:
        self._begun = True
        try:
            self._exchange.loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop has ended: the process stops, and its client has gone
            raise GoneError from None

    # --- The event loop calls these ---

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """Leave no connection open on which nothing more will happen."""
        try:
            yield
        except (TimeoutError, StreamClosedError):
            self._exchange.abort()
        except Exception:
            log.exception("An answer could not be sent.")
            self._exchange.abort()

    def _keep(self, sending: Coroutine[Any, Any, None]) -> None:
        self._task = self._exchange.loop.create_task(sending)

    def _send(self, body: bytes) -> None:
        stream = self._conn.stream
        if stream.closed():
            return
        if self._is_head:
            body = b""
        elif self._line.code not in (204, 304):
            self._headers.setdefault("Content-Length", str(len(body)))
        with self._guard():
            begin = body[: limits.SHORT_ANSWER]
            written = self._conn.write_headers(self._line, self._headers, begin)
            is_sent = len(body) == len(begin) and not stream.writing()
            if is_sent and self._exchange.received.is_set():
                self._conn.finish()
            else:
                self._keep(self._send_rest(written, body))
                self._exchange.clients.wait_for(self._exchange)
                self._exchange.clients.hold(self._exchange, len(body))

    async def _send_rest(self, written: "asyncio.Future[None]", body: bytes) -> None:
        """Wait for the client to take the answer, and to send the rest of its request.

        If the connection were closed sooner, many clients would not see the answer.
        """
        with self._guard():
            await self._pace.wait(written, limits.SHORT_ANSWER)
            for start in range(limits.SHORT_ANSWER, len(body), limits.PART):
                part = body[start : start + limits.PART]
                await self._pace.wait(self._conn.write(part), len(part))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exchange.received.wait(), limits.LINGER)
            if not self._conn.stream.closed():
                self._conn.finish()

    async def _stream(self, spool: Spool) -> None:
        try:
            with self._guard():
                await self._send_spool(spool)
        finally:
            spool.close()
            self._exchange.clients.long_answers.end(self._visitor)

    async def _send_spool(self, spool: Spool) -> None:
        stream = self._conn.stream
        self._pace.see_each_part()
        self._conn.write_headers(self._line, self._headers)
        while part := await spool.read():
            await self._pace.wait(self._conn.write(part), len(part))
            self._exchange.clients.wait_for_app(self._exchange)
        if not (spool.is_whole and self._is_framed()):
            self._exchange.abort()
            return
        self._conn.finish()
        if stream.writing():  # the mark of the end
            await self._pace.wait(stream.write(b""))

    def _is_framed(self) -> bool:
        """Whether the client sees the end of the answer without that of the connection."""
        return "Content-Length" in self._headers or "Transfer-Encoding" in self._headers
