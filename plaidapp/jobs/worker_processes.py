"""The processes of `python worker.py`: one for clicks only, and one for every job.

So a click waits for no job that nobody waits for. The kernel also lets the processes for clicks go
first: the other ones give way, and one process can't do both, because going back needs root.

The parent does nothing but start them. They share the memory of what it has imported.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Any

log = logging.getLogger(__name__)

Work = Callable[[], None]
PAUSE = 1.0
"""Seconds before a process that has ended is replaced: the database or Redis may be away."""
STOPS = signal.SIGTERM, signal.SIGINT


class WorkerProcesses:
    """Runs each of `works` in a process of its own. If one ends, another one replaces it."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = works
        self._running: dict[Any, tuple[ForkProcess, Work]] = {}  # by what says that it ended
        self._stopping = False
        self._reader, self._writer = os.pipe()  # only the parent keeps the writing end

    def run(self) -> None:
        """Return after a signal to stop, once all have finished what they were doing."""
        for number in STOPS:
            signal.signal(number, self._stop)
        for work in self._works:
            self._start(work)
        while self._running:
            for sentinel in wait(list(self._running)):
                process, work = self._running.pop(sentinel)
                process.join()
                if not self._stopping:
                    log.info("A process of the worker ended with %s", process.exitcode)
                    time.sleep(PAUSE)
                self._start(work)

    def _start(self, work: Work) -> None:
        """Unless the worker stops. No signal comes between the decision and the note of it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        if not self._stopping:
            process = multiprocessing.get_context("fork").Process(target=self._do, args=(work,))
            process.start()
            self._running[process.sentinel] = process, work
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def _stop(self, number: int, _frame: object) -> None:
        self._stopping = True
        for process, _ in self._running.values():
            if process.is_alive():
                os.kill(process.pid or 0, number)

    def _do(self, work: Work) -> None:
        """Do the work, in the new process."""
        os.close(self._writer)
        for number in STOPS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start()
        work()

    def _end_with_parent(self) -> None:
        """If the parent is killed, so is this process."""
        os.read(self._reader, 1)
        os._exit(1)
