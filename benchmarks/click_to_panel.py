"""How long does it take from a click to the finished panel, without the bank's own time?

The clicks go over HTTP to the Procfile's processes. The bank's own time is measured by direct
calls in the same rounds. Then come the speed of other pages while people wait for their bank, and
the cost of polls that find no change.
"""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import update

from benchmarks import harness, status_poll
from benchmarks.htmx_client import SMALL_BANK, HtmxClient, PollDelay
from config import Config
from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from tests.e2e.processes import Deployment

BALANCES = "/accounts/balance/get"
LIMITS = {0.0: "25", 0.2: "40"}
"""Milliseconds allowed above the bank's own time, keyed by that time in seconds."""
POLLING: dict[str, PollDelay | None] = {
    "ours": None,
    "polls after 25 ms, then twice as long each time": lambda polls: min(0.025 * 2**polls, 1),
    "polls every second": lambda _polls: 1.0,
}


def main() -> None:
    arguments = harness.arguments(__doc__ or "")
    rounds = 3 if arguments.quick else 40
    people = 8 if arguments.quick else 50
    clicks: list[list[object]] = []
    pages: list[list[object]] = []
    polls: list[list[object]] = []
    for kind in harness.DATABASES:
        with harness.deployment(kind) as deployment:
            anna = HtmxClient(deployment.url)
            anna.follow(anna.click("/finance/items/sandbox", SMALL_BANK))
            for bank_seconds in LIMITS:
                clicks += measure_clicks(kind, deployment, anna, bank_seconds, rounds)
            pages += measure_pages(kind, deployment, anna, people, rounds)
            polls += status_poll.measure(kind, deployment, arguments.quick)
    harness.table(
        "From click to panel, above the bank's own time",
        ("panel", "bank", "p50, ms above", "p95, ms above", "at most", "requests per click"),
        clicks,
    )
    harness.table(
        f"Other pages while {people} people wait for their bank",
        ("page", "nobody waits, ms", f"{people} people wait, ms", "ratio", "at most"),
        pages,
    )
    harness.table("Polls that find no change", status_poll.HEADER, polls)


def measure_clicks(
    kind: str, deployment: Deployment, anna: HtmxClient, bank_seconds: float, rounds: int
) -> list[list[object]]:
    """Time clicks with each way of polling. The slowest way gets only a few rounds."""
    deployment.bank.misbehave("delay", BALANCES, seconds=bank_seconds)
    token = deployment.newest_access_token()
    app = create_app(Config.from_env(deployment.env))
    requests: dict[str, list[int]] = {name: [] for name in POLLING}

    def click(name: str) -> float:
        forget_clicks(app)
        before = anna.requests
        start = time.perf_counter()
        anna.follow(anna.click("/finance/pulls/accounts"), POLLING[name])
        seconds = time.perf_counter() - start
        requests[name].append(anna.requests - before)
        return seconds

    keys = {"client_id": "local", "secret": "local", "access_token": token}
    connection = http.client.HTTPConnection(urlsplit(deployment.bank.url).netloc)

    def bank() -> float:
        start = time.perf_counter()
        connection.request("POST", BALANCES, json.dumps(keys), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
        return time.perf_counter() - start

    ways: dict[str, Callable[[], float]] = {name: partial(click, name) for name in POLLING}
    timings = harness.alternate({**ways, "bank": bank}, max(2, rounds // 5))
    del ways["polls every second"]
    for name, more in harness.alternate({**ways, "bank": bank}, rounds).items():
        timings[name] += more
    deployment.bank.behave()
    own = harness.median(timings.pop("bank"))
    above = {name: [1000 * (seconds - own) for seconds in times] for name, times in timings.items()}
    return [
        [
            f"{kind}, {name}",
            f"{1000 * bank_seconds:.0f} ms",
            harness.median(times),
            p95(times),
            LIMITS[bank_seconds] if name == "ours" else "",
            statistics.mean(requests[name]),
        ]
        for name, times in above.items()
    ]


def forget_clicks(app: Flask) -> None:
    """What Plaid bills is limited by the hour: all clicks were long ago."""
    with app.app_context():
        db.session.execute(update(Pull).values(created_at=now() - policy.BILLED_WITHIN))
        db.session.commit()


def measure_pages(
    kind: str, deployment: Deployment, anna: HtmxClient, people: int, rounds: int
) -> list[list[object]]:
    """Time another person's dashboard and explorer, before people wait and while they wait."""
    paths = ("/finance/", "/finance/transactions")
    ways = {path: partial(time_page, anna, path) for path in paths}
    rounds *= 3
    alone = harness.alternate(ways, rounds)
    waiting = [HtmxClient(deployment.url) for _ in range(people)]
    deployment.bank.misbehave("delay", "/sandbox/public_token/create", seconds=600)
    clicked = threading.Barrier(people + 1)
    threads = [threading.Thread(target=wait_for_bank, args=(who, clicked)) for who in waiting]
    for thread in threads:
        thread.start()
    clicked.wait()
    crowded = harness.alternate(ways, rounds)
    assert all(thread.is_alive() for thread in threads)
    deployment.bank.behave()
    for thread in threads:
        thread.join()
    return [
        [
            f"{kind}, {path}, {name}",
            1000 * summary(alone[path]),
            1000 * summary(crowded[path]),
            summary(crowded[path]) / summary(alone[path]),
            "2",
        ]
        for path in paths
        for name, summary in (("p50", harness.median), ("p95", p95))
    ]


def p95(values: Sequence[float]) -> float:
    return harness.percentile(values, 95)


def time_page(client: HtmxClient, path: str) -> float:
    start = time.perf_counter()
    client.request("GET", path)
    return time.perf_counter() - start


def wait_for_bank(person: HtmxClient, clicked: threading.Barrier) -> None:
    panel = person.click("/finance/items/sandbox", SMALL_BANK)
    clicked.wait()
    person.follow(panel)


if __name__ == "__main__":
    main()
