"""A bank that gives one prepared answer, for what the sandbox never says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Canned:
    """Answers each call with the same `status`, `headers` and `body`. `asked` is the last call."""

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
