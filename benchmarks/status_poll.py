"""What a poll without news costs, against a route that does nothing.

One gunicorn worker each, with the settings of production. A core is not always there on a shared
machine, so what counts is requests by the processor time that the worker took.
"""

import http.client
import re
import threading
import time
from functools import partial
from html import unescape
from urllib.parse import urlsplit

from benchmarks import rig
from benchmarks.browser import SMALL_BANK, Browser
from tests.e2e.processes import Deployment, free_port

CONNECTIONS = 4
EMPTY, HEALTHZ = "an empty Flask app's route", "this app's empty route, /healthz"
MUST = "0.55"
HEADER = ("route", "requests a second a core", "of an empty app's", "of /healthz", "must be")


class Server:
    """One worker process."""

    def __init__(self, deployment: Deployment, app: str, path: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        # The same process to the end: its processor time is what counts.
        command = f"gunicorn {app} --workers 1 --max-requests 0 --bind 127.0.0.1:{port}"
        running = deployment.run(app, command)
        running.wait_for(self.url + path)
        self._processes = running.family()

    def served(self, path: str, cookie: str, seconds: float) -> float:
        """Requests a second of processor time, over connections that are kept open."""
        until = time.monotonic() + seconds
        counts: list[int] = []
        threads = [
            threading.Thread(target=self._ask, args=(path, cookie, until, counts))
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

    def _ask(self, path: str, cookie: str, until: float, counts: list[int]) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        headers = {
            "Cookie": cookie,
            "HX-Request": "true",
            "Accept-Language": "en-US,en;q=0.9",
            "Accept-Encoding": "gzip, deflate, br, zstd",
        }
        count = 0
        while time.monotonic() < until:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status < 300, answer.status
            count += 1
        counts.append(count)
        connection.close()


def measure(kind: str, deployment: Deployment, quick: bool) -> list[list[object]]:
    ours = Server(deployment, "wsgi:app", "/healthz")
    empty = Server(deployment, "benchmarks.empty:app", "/empty")
    anna = Browser(ours.url)
    panel = waiting_panel(deployment, anna)
    asked = {"cookie": anna.cookie, "seconds": 0.3 if quick else 1}
    ways = {
        EMPTY: partial(empty.served, "/empty", **asked),
        HEALTHZ: partial(ours.served, "/healthz", **asked),
        "the lists' poll": partial(ours.served, "/finance/live?revision=0", **asked),
        "a panel's poll": partial(ours.served, panel, **asked),
    }
    found = rig.alternate(ways, 3 if quick else 7)
    deployment.bank.behave()
    of = {name: rig.median(rates) for name, rates in found.items()}
    return [
        [
            f"{kind}, {name}",
            rate,
            rate / of[EMPTY],
            rate / of[HEALTHZ],
            MUST if "poll" in name else "",
        ]
        for name, rate in of.items()
    ]


def waiting_panel(deployment: Deployment, anna: Browser) -> str:
    """What a pull's panel asks while the bank does not answer. One poll waits, others do not."""
    deployment.bank.misbehave("delay", "/sandbox/public_token/create", seconds=600)
    panel = anna.click("/finance/items/sandbox", SMALL_BANK)
    while 'data-state="running"' not in panel:
        path = re.search(r'hx-get="([^"?]+)', panel)
        assert path
        panel = anna.ask("GET", path[1], htmx=True)[1]
    found = re.search(r'hx-get="([^"]+)"', panel)
    assert found
    return unescape(found[1])
