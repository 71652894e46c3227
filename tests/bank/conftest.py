"""Bank clients without an app: against the sandbox, and against a server that says anything."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.fernet import Fernet, MultiFernet

from plaidapp.bank.client import Bank

CIPHER = MultiFernet([Fernet(Fernet.generate_key())])


@pytest.fixture
def cipher() -> MultiFernet:
    return CIPHER


@pytest.fixture
def client_for() -> Iterator[Callable[..., Bank]]:
    """Bank clients by URL; their connections are closed after the test."""
    made = []

    def make(url: str, timeout: float = 5, secret: str | None = None, cipher=CIPHER) -> Bank:
        made.append(Bank(url, "local", secret or "local", cipher, timeout))
        return made[-1]

    yield make
    for bank in made:
        bank._client.rest_client.pool_manager.clear()


@pytest.fixture
def bank(client_for, bank_server) -> Bank:
    return client_for(bank_server.url)


@pytest.fixture
def custom_user() -> Callable[..., str]:
    """A custom user's JSON with one checking account; amounts are texts, put in digit by digit."""

    def build(*amounts: str, day: str, balance: str = "100") -> str:
        rows = ",".join(
            f'{{"date_transacted":"{day}","date_posted":"{day}","amount":{amount},'
            f'"description":"row {number}"}}'
            for number, amount in enumerate(amounts)
        )
        return (
            '{"override_accounts":[{"type":"depository","subtype":"checking",'
            f'"starting_balance":{balance},"transactions":[{rows}]}}]}}'
        )

    return build


class Canned:
    """Answers every call with the same `status`, `headers` and `body`; `asked` was the last."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, {"Content-Type": "application/json"}, b"{}"
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                canned.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(canned.status)
                for name, value in canned.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(canned.body)))
                self.end_headers()
                self.wfile.write(canned.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def says(self, body: object, status: int = 200, **headers: str) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers |= headers


@pytest.fixture
def canned() -> Iterator[Canned]:
    canned = Canned()
    thread = threading.Thread(target=canned.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield canned
    canned.server.shutdown()
    thread.join()
    canned.server.server_close()


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
