"""A long answer on its way to a client, in a temporary file.

The app writes it as fast as it can, so that a slow client holds no thread and no snapshot of the
database.
"""

import asyncio
import errno
import os
import tempfile
import threading

from . import limits


class GoneError(Exception):
    """Nobody will read any more of the answer."""


class Spool:
    """Written by a thread, read by the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._lock = threading.Lock()
        self._more = asyncio.Event()
        self._written = self._read = 0
        self._over = False
        self.is_whole = False

    def write(self, part: bytes) -> None:
        """Raises GoneError after `close`, and OSError if the disk is full."""
        with self._lock:
            if self._file.closed:
                raise GoneError
            if os.pwrite(self._file.fileno(), part, self._written) < len(part):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._written += len(part)
        self._loop.call_soon_threadsafe(self._more.set)

    def end(self, *, whole: bool) -> None:
        """The app has written its last part, or failed."""
        self.is_whole = whole
        self._over = True
        self._loop.call_soon_threadsafe(self._more.set)

    async def read(self) -> bytes:
        """Return the next part, as soon as there is one. It is empty at the end."""
        while self._read == self._written and not self._over:
            self._more.clear()
            await self._more.wait()
        # The file may have more already: what is not counted yet would be taken for the end then.
        size = min(limits.PART, self._written - self._read)
        part = os.pread(self._file.fileno(), size, self._read)
        self._read += len(part)
        return part

    def close(self) -> None:
        with self._lock:
            self._file.close()
