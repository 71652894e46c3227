"""How much does a poll that finds no change cost, compared with a route that does nothing?

Each app has one gunicorn worker with the production settings. On a shared machine a core is not
always free, so the benchmark counts requests per second of the worker's processor time.
"""

import http.client
import re
import threading
import time
from functools import partial
from html import unescape
from urllib.parse import urlsplit

from benchmarks import harness
from benchmarks.htmx_client import SMALL_BANK, HtmxClient
from tests.e2e.processes import Deployment
from tests.ports import free_port

CONNECTIONS = 4
EMPTY, HEALTHZ = "the route of an empty Flask app", "this app's /healthz"
MINIMUM = "0.55"
"""The rate of a poll, as a share of the empty app's."""
HEADER = ("route", "requests per second of a core", "of an empty app's", "of /healthz", "at least")


class Server:
    """A gunicorn with one worker process."""

    def __init__(self, deployment: Deployment, app: str, path: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        # No --max-requests: the benchmark reads the processor time of this one process.
        command = f"gunicorn {app} --workers 1 --max-requests 0 --bind 127.0.0.1:{port}"
        running = deployment.run(app, command)
        running.wait_for(self.url + path)
        self._processes = running.family()

    def rate(self, path: str, cookie: str, seconds: float) -> float:
        """Return requests per second of processor time, over open connections."""
        deadline = time.monotonic() + seconds
        counts: list[int] = []
        threads = [
            threading.Thread(target=self._send_requests, args=(path, cookie, deadline, counts))
            for _ in range(CONNECTIONS)
        ]
        before = self._processor_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (self._processor_time() - before)

    def _processor_time(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._processes)

    def _send_requests(self, path: str, cookie: str, deadline: float, counts: list[int]) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        headers = {
            "Cookie": cookie,
            "HX-Request": "true",
            "Accept-Language": "en-US,en;q=0.9",
            "Accept-Encoding": "gzip, deflate, br, zstd",
        }
        count = 0
        while time.monotonic() < deadline:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
            assert response.status < 300, response.status
            count += 1
        counts.append(count)
        connection.close()


def measure(kind: str, deployment: Deployment, quick: bool) -> list[list[object]]:
    """Return the rows of the table, see HEADER."""
    ours = Server(deployment, "wsgi:app", "/healthz")
    empty = Server(deployment, "benchmarks.empty_app:app", "/empty")
    anna = HtmxClient(ours.url)
    panel = waiting_panel(deployment, anna)
    lists = address_in(anna.request("GET", "/finance/")[1], 'id="live"[^>]+')
    cookie, seconds = anna.cookie, 0.3 if quick else 1
    routes = {
        EMPTY: partial(empty.rate, "/empty", cookie, seconds),
        HEALTHZ: partial(ours.rate, "/healthz", cookie, seconds),
        "the lists' poll": partial(ours.rate, lists, cookie, seconds),
        "a panel's poll": partial(ours.rate, panel, cookie, seconds),
    }
    measured = harness.alternate(routes, 3 if quick else 7)
    deployment.bank.behave()
    medians = {name: harness.median(rates) for name, rates in measured.items()}
    return [
        [
            f"{kind}, {name}",
            rate,
            rate / medians[EMPTY],
            rate / medians[HEALTHZ],
            MINIMUM if "poll" in name else "",
        ]
        for name, rate in medians.items()
    ]


def waiting_panel(deployment: Deployment, anna: HtmxClient) -> str:
    """Return the address that a pull's panel polls while the bank does not respond."""
    deployment.bank.misbehave("delay", "/sandbox/public_token/create", seconds=600)
    panel = anna.click("/finance/items/sandbox", SMALL_BANK)
    while 'data-state="running"' not in panel:
        path = re.search(r'hx-get="([^"?]+)', panel)
        assert path
        panel = anna.request("GET", path[1], htmx=True)[1]
    return address_in(panel)


def address_in(html: str, before: str = "") -> str:
    """Return the first address that `html` polls after what the pattern `before` matches."""
    address = re.search(before + r'hx-get="([^"]+)"', html)
    assert address
    return unescape(address[1])
