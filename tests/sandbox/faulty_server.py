"""A small app behind `Faults`, and the rules that its tests send."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask, request
from werkzeug.serving import ThreadedWSGIServer

from sandbox.faults import Faults

SYNC = "/transactions/sync"
ACCOUNTS = "/accounts/get"
PAGE = b'{"added": [{"amount": 23631.98050000}], "has_more": true, "next_cursor": "c1", "x": null}'

# Longer than any timeout: a test that waits for it fails.
FOREVER = 3600


@dataclass(frozen=True)
class FaultyServer:
    """A small app behind `Faults`, served over HTTP.

    `received` lists the paths that reached the app, `mutated` the tokens passed to `mutate`.
    """

    url: str
    received: list[str]
    mutated: list[str]

    def call(self, path: str = SYNC, timeout: float = 10, **body: str) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=timeout)

    def set(self, *rules: dict[str, Any]) -> requests.Response:
        return requests.post(self.url + "/_control/faults", json=rules, timeout=10)

    def clear(self) -> None:
        requests.delete(self.url + "/_control/faults", timeout=10).raise_for_status()

    def report(self) -> Any:
        return requests.get(self.url + "/_control/faults", timeout=10).json()

    def fired(self) -> list[int]:
        return [entry["fired"] for entry in self.report()["rules"]]

    def statuses(self, count: int, path: str = SYNC) -> list[int]:
        return [self.call(path).status_code for _ in range(count)]


def small_app(received: list[str]) -> Flask:
    app = Flask(__name__)

    @app.post("/<path:path>")
    def answer(path: str) -> tuple[bytes, dict[str, str]]:
        received.append(f"/{path}")
        got = request.get_data().decode("latin-1")
        return PAGE, {"Content-Type": "application/json", "X-Got": got}

    @app.get("/page")
    def page() -> str:
        return "not JSON"

    @app.get("/empty")
    def empty() -> str:
        return ""

    return app


@contextmanager
def serve_with_faults(
    mutate: Callable[[str], object] | None = None, **options: Any
) -> Iterator[FaultyServer]:
    received: list[str] = []
    mutated: list[str] = []
    app = small_app(received)
    faults = Faults(app.wsgi_app, mutate=mutate or mutated.append, **options)
    app.wsgi_app = faults  # type: ignore[method-assign]
    server = ThreadedWSGIServer("127.0.0.1", 0, app)
    server.daemon_threads = False  # so that closing waits for open calls
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield FaultyServer(f"http://127.0.0.1:{server.port}", received, mutated)
    finally:
        faults.rulebook.clear()
        server.shutdown()
        thread.join()
        server.server_close()


def error_rule(**more: Any) -> dict[str, Any]:
    return {
        "kind": "error",
        "path": SYNC,
        "status": 400,
        "error_type": "ITEM_ERROR",
        "error_code": "ITEM_LOGIN_REQUIRED",
        **more,
    }


def rule(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "path": SYNC, **more}


def wait_until_fired(server: FaultyServer) -> None:
    """Wait until the first rule has fired."""
    deadline = time.monotonic() + 10
    while server.fired()[0] == 0:
        assert time.monotonic() < deadline, "the rule never fired"
