"""The process that gunicorn starts: an event loop for the clients, and threads for the app."""

import asyncio
import contextlib
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor

from gunicorn.workers.base import Worker

from . import limits
from .answer import Answer
from .clients import Clients
from .exchange import Exchange

CROWDED = "Too many people are asking at this moment. Try again in a minute."


class BufferingWorker(Worker):
    """Serve a WSGI app. gunicorn's `threads`, `max_requests` and `graceful_timeout` apply."""

    alive: bool

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        self._pool = ThreadPoolExecutor(self.cfg.threads, "app")
        self._unfinished: set[Future[None]] = set()
        clients = Clients(self._begin)
        for listener in self.sockets:
            listener.sock.setblocking(False)
            clients.add_socket(listener.sock)
        while self.alive:
            self.notify()  # or gunicorn kills this process
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)
            if self.ppid != os.getppid():  # gunicorn's main process has died
                self.alive = False
        await self._drain(clients)
        self._pool.shutdown(wait=False)

    def _stop(self) -> None:
        self.alive = False
        self._stopping.set()

    def _begin(self, exchange: Exchange) -> None:
        """Run the app for a whole request, in one of the threads, unless too many wait for one."""
        if len(self._unfinished) >= self.cfg.threads + limits.MAX_WAITING:
            Answer(exchange).refuse(503, CROWDED)
            return
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("This process has had %d requests. Another replaces it.", self.nr)
            self._stop()
        running = self._pool.submit(exchange.run, self.wsgi)
        self._unfinished.add(running)
        running.add_done_callback(self._unfinished.discard)

    async def _drain(self, clients: Clients) -> None:
        """Answer what clients have asked for. Some may be sending a request at this moment."""
        clients.refuse_more()
        now = asyncio.get_running_loop().time
        stopped = now()
        while clients.open and now() < stopped + self.cfg.graceful_timeout:
            if now() > stopped + limits.LINGER:
                clients.close_waiting()
            self.notify()
            await asyncio.sleep(0.05)
