"""The HTTP transport of plaid-python: one deadline for a whole call, and a limit on its size.

urllib3's timeouts apply to each read of the socket, so a bank that sends a byte a second never
exceeds them. This deadline runs from the first byte sent to the last byte received.
"""

import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from plaidapp import policy

MAX_RESPONSE = 64 * 1024 * 1024
READ_AT_ONCE = 64 * 1024


class ResponseTooLargeError(urllib3.exceptions.HTTPError):
    """The response is larger than any that is expected."""


class TLSError(urllib3.exceptions.HTTPError):
    """The host can't speak TLS, or its certificate is not valid.

    plaid-python breaks on urllib3's own error.
    """


class BoundedPool(urllib3.PoolManager):
    """A pool whose responses are read completely within `deadline` seconds, or fail.

    It neither retries nor follows redirects: the job decides whether to ask again, and Plaid does
    not redirect.
    """

    def __init__(self, deadline: float, largest: int | None = None, **options: Any) -> None:
        """`largest` is in bytes of the whole response; MAX_RESPONSE if it is None."""
        super().__init__(**options)
        self.largest = largest
        self.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self.deadline = deadline

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Raises urllib3.exceptions.HTTPError for every network error.

        The total of `timeout`, if there is one, replaces the deadline.
        """
        given = options.get("timeout")
        deadline = given.total if given else self.deadline
        options |= {
            "preload_content": False,
            "retries": False,
            "redirect": False,
            "timeout": urllib3.Timeout(connect=min(policy.CONNECT_LIMIT, deadline), total=deadline),
        }
        try:
            response = super().request(method, url, **options)
        except urllib3.exceptions.SSLError as error:
            raise TLSError from error
        body, largest = io.BytesIO(), self.largest or MAX_RESPONSE
        try:
            while chunk := response.read1(READ_AT_ONCE, decode_content=True):
                if body.write(chunk) and body.tell() > largest:
                    raise ResponseTooLargeError(f"over {largest} bytes")
        except BaseException:
            response.close()  # otherwise the next call would read the rest
            raise
        response.release_conn()
        return urllib3.HTTPResponse(
            body.getvalue() or io.BytesIO(),  # urllib3 treats b"" as no body and returns None
            response.headers,
            response.status,
            reason=response.reason,
        )


class _DeadlineReader(io.RawIOBase):
    """Read a socket. The timeout that it has at the start limits all reads together."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response is still arriving")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response whose headers and body share one deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = SecureConnection
