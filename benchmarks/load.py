"""Do pages stay fast while everything happens at once?

50 people click for ten minutes, next to 50 webhooks a second and the nightly sync of many Items.
Their browsers poll as the pages say. PostgreSQL, Redis, the bank, the web process, two workers, the
clock and this script share the machine. The script fails if a page's p95 is over PAGE_LIMIT, if a
click takes longer than CLICK_RATIO times the p95 of clicks while nothing else happens, if an answer
is a 5xx, or if a webhook or a row is lost.
"""

import asyncio
import random
import sys
import threading
import time
from collections import defaultdict

from flask import Flask
from sqlalchemy import func, select, update

from benchmarks import harness, many_items
from benchmarks.htmx_client import HtmxClient, poll_of
from benchmarks.webhook_sender import Result, Sender, Signer
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Item, Pull, User, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.pulls import pulls
from tests.e2e.processes import Deployment
from tests.sandbox_control import Control

PAGE_LIMIT = 200
"""Milliseconds that 95 of 100 pages may take."""
CLICK_RATIO = 1.5
WEBHOOKS = 50
"""Webhooks a second."""
THINKING = (3.0, 9.0)
"""Seconds that a person looks at a page."""
PRESSES = 0.3
"""How likely a person presses a button on a page."""
PAGES = (
    "/finance/",
    "/finance/accounts",
    "/finance/items",
    "/finance/spending",
    "/finance/recurring",
    "/finance/recurring/calendar",
    "/finance/transactions",
    "/finance/transactions?q=shop",
)
DAYS = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
BUTTONS: dict[str, dict[str, str]] = {
    "/finance/pulls/sync": {},
    "/finance/pulls/accounts": {},
    "/finance/pulls/total": DAYS,
    "/finance/pulls/transactions": DAYS,
}
POLL = 2.0
"""Seconds between two polls of a page."""
EACH = 2
"""Items of each person."""
NEWS = 0.2
"""How many of the clicks that are alone find something new at the bank. Of those in the crowd, a
fourth does in the first minute, and a tenth later: webhooks are sooner."""
BANK = 0.02
"""Seconds in which the bank answers a call. Plaid takes longer: then its time counts for more."""
NIGHT = policy.SYNC_INTERVAL
PATIENCE = 900
"""Seconds for the workers to finish before and afterwards."""


class Figures:
    """Milliseconds by what was done, and what went wrong. All people share them."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []

    def note(self, name: str, begun: float) -> None:
        self.took[name].append(1000 * (time.perf_counter() - begun))


class Person(threading.Thread):
    """A browser: it opens a page, polls while its person looks at it, and presses a button."""

    def __init__(self, client: HtmxClient, figures: Figures, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client, self._figures, self._over = client, figures, over
        self._chance = random.Random(id(client))

    def run(self) -> None:
        self._over.wait(self._chance.uniform(0, THINKING[1]))  # people don't come all at once
        while not self._over.wait(self._chance.uniform(0, 1)):
            try:
                self._look(self._chance.choice(PAGES))
                if self._over.is_set():  # for all at once: their clicks would be a crowd
                    return
                if self._chance.random() < PRESSES:
                    self.press(self._chance.choice(list(BUTTONS)))
            except (AssertionError, OSError) as problem:
                self._figures.wrong.append(f"{type(problem).__name__}: {str(problem)[:200]}")

    def _look(self, path: str) -> None:
        begun = time.perf_counter()
        _, html, _ = self._client.request("GET", path)
        self._figures.note(f"page {path}", begun)
        until = time.monotonic() + self._chance.uniform(*THINKING)
        address = poll_of(html)
        while not self._over.wait(min(POLL, max(until - time.monotonic(), 0))):
            if time.monotonic() >= until:
                return
            if address:
                begun = time.perf_counter()
                status, html, _ = self._client.request("GET", address, htmx=True)
                self._figures.note("poll", begun)
                address = poll_of(html) if status == 200 else address

    def press(self, button: str) -> None:
        """Time a click until its panel says that it is done."""
        begun = time.perf_counter()
        self._client.follow(self._client.click(button, BUTTONS[button]))
        self._figures.note(f"click {button}", begun)


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    seconds, people, sleepers = (30, 10, 10) if quick else (600, 50, 200)
    with harness.deployment("PostgreSQL") as deployment:
        deployment.run("worker2", deployment.procfile["worker"])
        app = many_items.app_of(deployment)
        clients = [HtmxClient(deployment.url) for _ in range(people)]
        many_items.connect(app, ids_of(app), each=EACH, rows=200)
        many_items.connect(app, many_items.add_people(app, sleepers), each=5, rows=50)
        many_items.wait_until_idle(app, PATIENCE)
        flood(deployment, app, 1)
        deployment.bank.misbehave("delay", seconds=BANK)
        idle = clicks_alone(deployment, app, clients[:10], rounds=1 if quick else 4)
        figures, answers, lost = everything_at_once(deployment, app, clients, seconds)
    report(idle, figures, answers, lost)


def ids_of(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(User.id).order_by(User.id)))


def clicks_alone(
    deployment: Deployment, app: Flask, clients: list[HtmxClient], rounds: int
) -> Figures:
    """Press each button while nothing else happens. NEWS of the clicks find something new."""
    figures, over = Figures(), threading.Event()
    control, chance = Control(deployment.bank.url), random.Random(5)
    items = many_items.plaid_ids(app)  # the first are those of the clients, in their order
    for _ in range(rounds):
        for number, client in enumerate(clients):
            for button in BUTTONS:
                if chance.random() < NEWS:
                    control.change(items[EACH * number], activity=True)
                Person(client, figures, over).press(button)
    forget_clicks(app)
    return figures


def forget_clicks(app: Flask) -> None:
    """What Plaid bills is limited by the hour: all clicks were long ago."""
    with app.app_context():
        long_ago = now() - policy.BILLED_WITHIN
        db.session.execute(update(Pull).values(created_at=long_ago))
        db.session.commit()


def everything_at_once(
    deployment: Deployment, app: Flask, clients: list[HtmxClient], seconds: float
) -> tuple[Figures, list[Result], list[str]]:
    figures, over = Figures(), threading.Event()
    answers: list[Result] = []
    crowd = [Person(client, figures, over) for client in clients]
    busy = many_items.BusyBank(deployment, app)
    with app.app_context():  # the night has come
        a_day_ago = now() - NIGHT
        due = {"next_look": now(), "created_at": a_day_ago, "synced_at": a_day_ago}
        db.session.execute(update(Item).values(due))
        db.session.commit()
    with busy:
        for person in crowd:
            person.start()
        answers += flood(deployment, app, int(seconds * WEBHOOKS))
        over.set()
        for person in crowd:
            person.join()
    answers += flood(deployment, app, len(many_items.plaid_ids(app)))  # tells of every change
    many_items.wait_until_idle(app, PATIENCE)
    lost = [f"rows of {plaid_id}" for plaid_id in many_items.differing(app, deployment)]
    with app.app_context():
        stored = db.session.scalar(select(func.count(Webhook.id))) or 0
        failed = db.session.scalar(select(func.count()).where(Pull.state == pulls.FAILED)) or 0
        night = select(func.count()).where(Item.synced_at < now() - NIGHT / 2)
        unsynced = db.session.scalar(night) or 0
    sent = len(answers) + 1
    lost += [f"{sent - stored} webhooks"] if stored != sent else []
    lost += [f"{failed} pulls failed"] if failed else []
    lost += [f"{unsynced} Items that the night left out"] if unsynced else []
    return figures, answers, lost


def flood(deployment: Deployment, app: Flask, count: int) -> list[Result]:
    """Send webhooks of all Items in turn. Each is signed just before: it may be 5 min old."""
    ids, signer = many_items.plaid_ids(app), Signer(deployment.bank_state)
    deliveries = (signer.delivery(deployment.url, ids[n % len(ids)]) for n in range(count))
    return asyncio.run(Sender(deployment.url).send_all(deliveries, WEBHOOKS))


def report(idle: Figures, figures: Figures, answers: list[Result], lost: list[str]) -> None:
    rows: list[list[object]] = []
    problems = [*lost, *sorted(set(figures.wrong))[:5]]
    for name, times in sorted(figures.took.items()):
        p95 = harness.percentile(times, 95)
        alone = harness.percentile(idle.took[name], 95) if name in idle.took else ""
        if name.startswith("page") and p95 > PAGE_LIMIT:
            problems.append(f"{name}: p95 is {p95:.0f} ms")
        rows.append([name, len(times), harness.median(times), p95, max(times), alone])
    webhooks = [1000 * each.seconds for each in answers]
    rows.append(
        ["webhook", len(webhooks), harness.median(webhooks), harness.percentile(webhooks, 95),
         max(webhooks), ""]
    )  # fmt: skip
    crowded = harness.percentile(clicks_of(figures), 95)
    ratio = crowded / harness.percentile(clicks_of(idle), 95)
    harness.table(
        "Everything at once", ("", "times", "p50, ms", "p95, ms", "longest, ms", "idle p95"), rows
    )
    print(f"\nA click's p95 is {ratio:.2f} times its idle p95, at most {CLICK_RATIO}.")
    problems += [f"clicks take {ratio:.2f} times as long"] if ratio > CLICK_RATIO else []
    refused = sum(each.status != 200 for each in answers)
    problems += [f"{refused} webhooks were not answered 200"] if refused else []
    sys.exit(f"Broken: {problems}" if problems else 0)


def clicks_of(figures: Figures) -> list[float]:
    return [ms for name, times in figures.took.items() if "click" in name for ms in times]


if __name__ == "__main__":
    main()
