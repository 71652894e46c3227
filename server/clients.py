"""The open connections of a process, and how many of them, and of their bytes, it bears with."""

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer

from . import limits
from .exchange import Exchange
from .long_answers import LongAnswers


class Clients(HTTPServer):
    """Tornado's server, which closes connections when there are too many or they hold too much.

    Only those are closed for which the process waits: the others will soon be answered.
    """

    def initialize(self, begin: Callable[[Exchange], None]) -> None:  # type: ignore[override]
        super().initialize(
            lambda _request: None,  # not used, because start_request is ours
            idle_connection_timeout=limits.HEADER_TIME,
            max_header_size=2 * limits.MAX_HEADER,  # beyond that, it closes without an answer
            body_timeout=limits.BODY_TIME,
            chunk_size=limits.PART,
            max_buffer_size=4 * limits.PART,
        )
        self._begin = begin
        self._limit = _connection_limit()
        self._held = 0
        self._listens_at: list[Any] = []
        self.long_answers = LongAnswers()
        self.open: dict[object, Exchange] = {}
        self._slow: dict[Exchange, float] = {}
        """Since when each is waited for. The one that has been waited for longest is first."""
        self._now = asyncio.get_running_loop().time

    def add_socket(self, socket: Any) -> None:
        super().add_socket(socket)
        self._listens_at.append(socket.getsockname())

    def handle_stream(self, stream: Any, address: Any) -> None:
        """Ask and tell the system once what Tornado would have to for each request."""
        client = address[0] if isinstance(address, tuple) else ""  # of a Unix socket
        stream.parties = self._own_address(stream.socket), client
        stream.set_nodelay(True)  # answers are written as a whole
        stream.set_nodelay = lambda _value: None
        super().handle_stream(stream, address)

    def _own_address(self, socket: Any) -> tuple[str, str]:
        """Return the host and the port where the server listens, not where the client came in.

        plaidapp/hosts.py concludes from them who can reach the server. A Unix socket has a path.
        """
        here = socket.getsockname()
        if isinstance(here, str):
            return here, ""
        same_port = [there for there in self._listens_at if there[1] == here[1]]
        exact = here in same_port
        host, port = (here if exact else same_port[0])[:2]
        return host, str(port)

    def start_request(self, server_conn: object, request_conn: Any) -> Exchange:
        self._forget(server_conn)
        exchange = self.open[server_conn] = Exchange(self, request_conn)
        self.wait_for(exchange)
        if len(self.open) > self._limit:
            self._drop(next(iter(self._slow)))
        return exchange

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self._forget(server_conn)

    def wait_for(self, exchange: Exchange) -> None:
        """From now on, the client of this exchange has to do something."""
        self._slow.pop(exchange, None)
        if not exchange.conn.stream.closed():
            self._slow[exchange] = self._now()

    def wait_for_app(self, exchange: Exchange) -> None:
        """From now on, the app has to do something."""
        self._slow.pop(exchange, None)

    def begin(self, exchange: Exchange) -> None:
        self.wait_for_app(exchange)
        self._begin(exchange)

    def hold(self, exchange: Exchange, size: int) -> None:
        """Note how many bytes are in memory for this exchange."""
        self._held += size - exchange.held
        exchange.held = size
        if self._held > limits.HELD_LIMIT and self._slow:
            self._drop(max(self._slow, key=lambda slow: slow.held))

    def _drop(self, exchange: Exchange) -> None:
        del self._slow[exchange]  # its connection is closed a little later
        self._held -= exchange.held
        exchange.held = 0
        exchange.abort()

    def _forget(self, server_conn: object) -> None:
        exchange = self.open.pop(server_conn, None)
        if exchange:
            self.hold(exchange, 0)
            self._slow.pop(exchange, None)

    @property
    def has_answers_under_way(self) -> bool:
        """Whether one of them is still to take a part of its answer."""
        return bool(self.long_answers) or any(exchange.begun for exchange in self._slow)

    def refuse_more(self) -> None:
        """Accept no more connections, and close each that is open after its next answer."""
        self.stop()
        self.conn_params.no_keep_alive = True

    def close_stalled(self) -> None:
        """Close the connections that have not sent a whole request, or don't take their answer."""
        for exchange, since in list(self._slow.items()):
            if not exchange.begun or self._now() > since + limits.STALL:
                exchange.abort()


def _connection_limit() -> int:
    """Allow this process as many open files as it may have, and leave half for other purposes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * limits.MAX_CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(limits.MAX_CONNECTIONS, max(soft, wanted) // 2)
