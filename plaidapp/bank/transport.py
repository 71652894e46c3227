"""The wire below plaid-python: one deadline for a whole exchange, and a limit on its size.

urllib3's timeouts bound each read of the socket, so a bank that sends a byte a second is never too
late for them. Here the clock runs from the first byte out to the last byte in.
"""

import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

LARGEST_ANSWER = 64 * 1024 * 1024
READ_AT_ONCE = 64 * 1024


class AnswerTooLargeError(urllib3.exceptions.HTTPError):
    """The answer is longer than any that Plaid would send."""


class BoundedPool(urllib3.PoolManager):
    """Answers arrive read in full, within `deadline` seconds, or not at all.

    Neither retries nor follows redirects: whether to ask again is the job's decision, and Plaid
    does not redirect.
    """

    def __init__(self, deadline: float, **options: Any) -> None:
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self.deadline = deadline

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Raises urllib3.exceptions.HTTPError for everything that goes wrong on the way."""
        options |= {
            "preload_content": False,
            "retries": False,
            "redirect": False,
            "timeout": urllib3.Timeout(connect=min(5.0, self.deadline), total=self.deadline),
        }
        response = super().request(method, url, **options)
        body = io.BytesIO()
        try:
            while chunk := response.read1(READ_AT_ONCE, decode_content=True):
                if body.write(chunk) and body.tell() > LARGEST_ANSWER:
                    raise AnswerTooLargeError(f"over {LARGEST_ANSWER} bytes")
        except BaseException:
            response.close()  # what is left unread would be the next caller's answer
            raise
        response.release_conn()
        return urllib3.HTTPResponse(
            body.getvalue() or io.BytesIO(),  # urllib3 takes b"" for no body and gives None
            response.headers,
            response.status,
            reason=response.reason,
        )


class _Clocked(io.RawIOBase):
    """Reads a socket until the time that was left on its timeout at first is used up."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer is still arriving")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """Reads its headers and its body by one clock."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Clocked(sock))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
