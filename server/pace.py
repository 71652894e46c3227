"""How fast a client takes an answer."""

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from . import limits

if TYPE_CHECKING:
    from .exchange import Exchange


class Pace:
    """Waits for a client that takes an answer part by part, but not for one that is too slow."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._taken = 0  # bytes
        self._waited = 0.0  # seconds, without those in which the app had to do something

    def see_each_part(self) -> None:
        """Let the system keep little of a long answer, or megabytes would pass for taken."""
        with contextlib.suppress(OSError, AttributeError):  # a Unix socket, another system
            self._exchange.conn.stream.socket.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, limits.PART // 4
            )

    async def wait(self, written: "asyncio.Future[None]", size: int = 0) -> None:
        """Wait until a part of `size` bytes is sent. Raises TimeoutError."""
        self._exchange.clients.wait_for(self._exchange)
        began = self._exchange.loop.time()
        lag = self._waited - self._taken / limits.SLOWEST
        await asyncio.wait_for(written, min(limits.SEND_TIME, limits.SEND_TIME - lag))
        self._waited += self._exchange.loop.time() - began
        self._taken += size
