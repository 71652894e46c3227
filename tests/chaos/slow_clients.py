"""Clients that open many connections and then do as little as they can."""

import socket
import threading
from contextlib import ExitStack
from typing import Self
from urllib.parse import urlsplit

HOST = b"Host: localhost\r\n"
LOG_IN = b"POST /auth/login HTTP/1.1\r\n" + HOST
FORM = LOG_IN + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
FILE = b"GET /static/fonts/inter.woff2 HTTP/1.1\r\n" + HOST + b"\r\n"
SENT = {
    "send nothing": b"",
    "stop in the header": LOG_IN + b"X-A: b",
    "stop in the body": FORM + b"username=",
    "send a header, a byte a second": LOG_IN + b"X-A: ",
    "send a body, a byte a second": FORM + b"username=",
    "read nothing": FILE * 10,
}
SMALL = 4096
"""Bytes that the system of a client takes before its program reads."""


class SlowClients:
    """`count` connections of one kind. Use it in a `with`, which closes them."""

    def __init__(self, url: str, kind: str, count: int) -> None:
        self._address = urlsplit(url).hostname, urlsplit(url).port
        self._kind = kind
        self._count = count
        self._open = ExitStack()
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()
        self._sender = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        for _ in range(self._count):
            client = self._open.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            client.settimeout(10)
            client.connect(self._address)
            client.sendall(SENT[self._kind])
            self._sockets.append(client)
        self._sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._sender.join()
        self._open.close()

    def _send(self) -> None:
        while "a byte a second" in self._kind and not self._over.wait(1):
            for client in self._sockets:
                client.send(b"x")
