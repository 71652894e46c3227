"""How long is it from the click to the panel that is done, above what the bank itself takes?

Through the Procfile's processes, by HTTP. What the bank itself takes is measured in the same
rounds, by asking it directly. Then other pages while people wait, and polls without news.
"""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

from benchmarks import rig, status_poll
from benchmarks.browser import SMALL_BANK, Browser, Pace
from tests.e2e.processes import Deployment

BALANCES = "/accounts/balance/get"
MUST = {0.0: "25", 0.2: "40"}
"""Milliseconds above the bank's, by its seconds."""
PACES: dict[str, Pace | None] = {
    "ours": None,
    "asking after 25 ms, then ever twice as long": lambda asked: min(0.025 * 2**asked, 1),
    "asking each second": lambda _asked: 1.0,
}


def main() -> None:
    arguments = rig.arguments(__doc__ or "")
    rounds = 3 if arguments.quick else 40
    people = 8 if arguments.quick else 50
    clicks: list[list[object]] = []
    pages: list[list[object]] = []
    polls: list[list[object]] = []
    for kind in rig.DATABASES:
        with rig.deployment(kind) as deployment:
            anna = Browser(deployment.url)
            anna.follow(anna.click("/finance/items/sandbox", SMALL_BANK))
            for seconds in MUST:
                clicks += measure_clicks(kind, deployment, anna, seconds, rounds)
            pages += measure_pages(kind, deployment, anna, people, rounds)
            polls += status_poll.measure(kind, deployment, arguments.quick)
    header = ("the panel", "bank", "p50, ms above", "p95, ms above", "must be", "requests a click")
    rig.table("Click to panel, above the bank's own time", header, clicks)
    header = ("a page meanwhile", "p50, ms", f"with {people} waiting", "ratio", "must be")
    rig.table(f"Other pages from when {people} people have clicked and wait", header, pages)
    rig.table("Polls without news", status_poll.HEADER, polls)


def measure_clicks(
    kind: str, deployment: Deployment, anna: Browser, seconds: float, rounds: int
) -> list[list[object]]:
    """The slowest way takes its turn in a few rounds only."""
    deployment.bank.misbehave("delay", BALANCES, seconds=seconds)
    token = deployment.newest_access_token()
    requests: dict[str, list[int]] = {name: [] for name in PACES}

    def click(name: str) -> float:
        before = anna.asked
        begun = time.perf_counter()
        anna.follow(anna.click("/finance/pulls/accounts"), PACES[name])
        taken = time.perf_counter() - begun
        requests[name].append(anna.asked - before)
        return taken

    keys = {"client_id": "local", "secret": "local", "access_token": token}
    connection = http.client.HTTPConnection(urlsplit(deployment.bank.url).netloc)

    def bank() -> float:
        begun = time.perf_counter()
        connection.request("POST", BALANCES, json.dumps(keys), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        return time.perf_counter() - begun

    ways: dict[str, Callable[[], float]] = {name: partial(click, name) for name in PACES}
    found = rig.alternate({**ways, "bank": bank}, max(2, rounds // 5))
    del ways["asking each second"]
    for name, more in rig.alternate({**ways, "bank": bank}, rounds).items():
        found[name] += more
    deployment.bank.behave()
    own = rig.median(found.pop("bank"))
    above = {name: [1000 * (taken - own) for taken in times] for name, times in found.items()}
    return [
        [
            f"{kind}, {name}",
            f"{1000 * seconds:.0f} ms",
            rig.median(times),
            p95(times),
            MUST[seconds] if name == "ours" else "",
            statistics.mean(requests[name]),
        ]
        for name, times in above.items()
    ]


def measure_pages(
    kind: str, deployment: Deployment, anna: Browser, people: int, rounds: int
) -> list[list[object]]:
    """The dashboard and the explorer of somebody else, before people wait and while they do."""
    paths = ("/finance/", "/finance/transactions")
    ways = {path: partial(time_page, anna, path) for path in paths}
    rounds *= 3
    alone = rig.alternate(ways, rounds)
    waiting = [Browser(deployment.url) for _ in range(people)]
    deployment.bank.misbehave("delay", "/sandbox/public_token/create", seconds=600)
    clicked = threading.Barrier(people + 1)
    threads = [threading.Thread(target=wait_for_bank, args=(who, clicked)) for who in waiting]
    for thread in threads:
        thread.start()
    clicked.wait()
    crowded = rig.alternate(ways, rounds)
    assert all(thread.is_alive() for thread in threads)
    deployment.bank.behave()
    for thread in threads:
        thread.join()
    return [
        [
            f"{kind}, {path}, {name}",
            1000 * of(alone[path]),
            1000 * of(crowded[path]),
            of(crowded[path]) / of(alone[path]),
            "2",
        ]
        for path in paths
        for name, of in (("p50", rig.median), ("p95", p95))
    ]


def p95(values: Sequence[float]) -> float:
    return rig.percentile(values, 95)


def time_page(browser: Browser, path: str) -> float:
    begun = time.perf_counter()
    browser.ask("GET", path)
    return time.perf_counter() - begun


def wait_for_bank(person: Browser, clicked: threading.Barrier) -> None:
    panel = person.click("/finance/items/sandbox", SMALL_BANK)
    clicked.wait()
    person.follow(panel)


if __name__ == "__main__":
    main()
