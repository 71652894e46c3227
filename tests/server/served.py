"""A server with an app for tests, and what comes from a socket."""

import contextlib
import os
import socket
import sys

from cryptography.fernet import Fernet

from tests.e2e.processes import Running, clean_env
from tests.ports import free_port

HOST = b"Host: localhost\r\n"
CLOSE = HOST + b"Connection: close\r\n"
PAGE = b"GET /echo HTTP/1.1\r\n" + CLOSE + b"\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n"
PART = 65_536


class Served:
    """gunicorn with the project's settings, one process, and an app for tests."""

    def __init__(self, app, directory, *options):
        self.port = free_port()
        self.log = directory / "gunicorn.log"
        env = clean_env(
            SECRET_KEY=os.urandom(32).hex(),
            TOKEN_KEYS=Fernet.generate_key().decode(),
            DATABASE_URL="sqlite://",
            PLAID_BASE_URL="http://127.0.0.1:1",
            PORT=str(self.port),
            WEB_CONCURRENCY="1",
        )
        command = [sys.executable, "-m", "gunicorn", f"tests.server.{app}", *options]
        self.running = Running(command, self.log, env)
        self.running.wait_for(f"http://127.0.0.1:{self.port}/echo")

    def connect(self, sent=b"", *, receives=None):
        client = socket.socket()
        if receives:  # bytes that the client's system takes before the program reads
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        client.sendall(sent)
        return client

    def ask(self, sent):
        """Send bytes, and return all that comes until the server closes the connection."""
        with self.connect(sent) as client:
            return everything(client)

    def is_answered(self):
        return self.ask(PAGE).startswith(b"HTTP/1.1 200 ")

    def process(self):
        """Return the id of the process that answers."""
        return int(self.ask(PROBE).partition(b"\r\n\r\n")[2])


def long_from(address):
    """Return a request for a long answer."""
    forwarded = f"X-Forwarded-For: {address}\r\n\r\n"
    return b"GET /parts/200 HTTP/1.1\r\n" + CLOSE + forwarded.encode()


def take_part(client):
    """Return how many bytes came: as many as the server sends at once, or fewer at the end."""
    taken = 0
    while taken < PART and (some := client.recv(PART - taken)):
        taken += len(some)
    return taken


def everything(client):
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1_000_000):
            received += part
    return bytes(received)
