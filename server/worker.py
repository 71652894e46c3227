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
from .webhook_line import WebhookLine

CROWDED = "Too many people are asking at this moment. Try again in a minute."
WEBHOOKS = "/webhooks/plaid"
PROBE = "/healthz"
"""Gets its turn however long the line is: a host kills a process that does not answer it."""


class BufferingWorker(Worker):
    """Serve a WSGI app. gunicorn's `threads`, `max_requests` and `graceful_timeout` apply."""

    alive: bool

    def run(self) -> None:
        asyncio.run(self._serve())
        # A process manager may signal the whole group, and gunicorn then signals this process once
        # more. That must not cut short what it does at its end.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._now = loop.time
        self._news = asyncio.Event()
        self._retired_at: float | None = None
        self._pool = ThreadPoolExecutor(self.cfg.threads, "app")
        self._unfinished: set[Future[None]] = set()
        self._webhooks = WebhookLine(self._run)
        clients = Clients(self._begin)
        for listener in self.sockets:
            listener.sock.setblocking(False)
            clients.add_socket(listener.sock)
        while self.alive and not self._is_over(clients):
            self.notify()  # or gunicorn kills this process
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 1)
            self._news.clear()
        await self._drain(clients)
        self._pool.shutdown(wait=False)

    def _stop(self) -> None:
        self.alive = False
        self._news.set()

    def _is_over(self, clients: Clients) -> bool:
        """Return whether gunicorn's main process has died, or another process is to replace this.

        gunicorn starts that one only when this one has ended, so this one goes on accepting while
        clients take their answers.
        """
        if self.ppid != os.getppid():
            return True
        if self._retired_at is None:
            return False
        if clients.has_answers_under_way and self._now() < self._retired_at + limits.RETIREMENT:
            return False
        self.log.info("This process has had %d requests. Another replaces it.", self.nr)
        return True

    def _begin(self, exchange: Exchange) -> None:
        """Answer a whole request, in its turn."""
        if exchange.request[0].path == WEBHOOKS:
            self._webhooks.add(exchange)
        else:
            self._run(exchange)

    def _run(self, exchange: Exchange) -> None:
        """Run the app in one of the threads, unless too many requests wait for one."""
        is_crowded = len(self._unfinished) >= self.cfg.threads + limits.MAX_WAITING
        if is_crowded and exchange.request[0].path != PROBE:
            Answer(exchange).refuse(503, CROWDED)
            return
        self.nr += 1
        if self.nr == self.max_requests:
            self._retired_at = self._now()
            self._news.set()
        running = self._pool.submit(exchange.run, self.wsgi)
        self._unfinished.add(running)
        running.add_done_callback(self._unfinished.discard)

    async def _drain(self, clients: Clients) -> None:
        """Answer what clients have asked for. Some may be sending a request at this moment."""
        clients.refuse_more()
        stopped = self._now()
        while clients.open and self._now() < stopped + self.cfg.graceful_timeout:
            if self._now() > stopped + limits.LINGER:
                clients.close_stalled()
            self.notify()
            await asyncio.sleep(0.05)
