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

from flask import Flask
from sqlalchemy import func, select, update

from benchmarks import harness, many_items
from benchmarks.crowd import BUTTONS, Figures, Person
from benchmarks.htmx_client import HtmxClient
from benchmarks.webhook_sender import Result, Sender, Signer
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Item, Pull, PullItem, User, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.pulls import pulls
from tests.e2e.processes import Deployment
from tests.sandbox_control import Control

PAGE_LIMIT = 200
"""Milliseconds that 95 of 100 pages may take."""
CLICK_RATIO = 1.5
WEBHOOKS = 50
"""Webhooks a second."""
EACH = 2
"""Items of each person."""
NEWS = 0.15
"""How likely something new comes to every Item of a person before a click that is alone. The button
for accounts leaves it to the next click. So one in seven stores something, and in the crowd one in
five to seven: that takes twice as long as finding nothing, so the p95 is that of such clicks. The
report counts them.
"""
BANK = 0.02
"""Seconds in which the bank answers a call. Plaid takes longer: then its time counts for more."""
NIGHT = policy.SYNC_INTERVAL
PATIENCE = 900
"""Seconds for the workers to finish before and afterwards."""


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
        # Half of the clicks alone come after the crowd: the machine may be faster or slower then.
        idle, rounds = Figures(), 1 if quick else 8
        clicks_alone(deployment, app, clients[:10], rounds, idle)
        figures, answers, lost = everything_at_once(deployment, app, clients, seconds)
        clicks_alone(deployment, app, clients[:10], rounds, idle)
    report(idle, figures, answers, lost)


def ids_of(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(User.id).order_by(User.id)))


def clicks_alone(
    deployment: Deployment, app: Flask, clients: list[HtmxClient], rounds: int, figures: Figures
) -> None:
    """Press each button while nothing else happens but NEWS at the banks."""
    over = threading.Event()
    control, chance = Control(deployment.bank.url), random.Random(5)
    items = many_items.plaid_ids(app)  # the first are those of the clients, in their order
    for _ in range(rounds):
        for number, client in enumerate(clients):
            for button in BUTTONS:
                if chance.random() < NEWS:
                    for plaid_id in items[EACH * number : EACH * (number + 1)]:
                        control.change(plaid_id, activity=True)
                Person(client, figures, over).press(button)
    figures.news += news_of_clicks(app)
    forget_clicks(app)


def news_of_clicks(app: Flask) -> list[int]:
    """Return at how many Items each click has stored something new, before it is forgotten."""
    is_new = PullItem.added + PullItem.modified + PullItem.removed > 0
    lately = Pull.created_at > now() - policy.BILLED_WITHIN / 2
    query = select(func.count().filter(is_new)).join(Pull.items).group_by(Pull.id)
    with app.app_context():
        return list(db.session.scalars(query.where(Pull.asked_by == pulls.PERSON, lately)))


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
    figures.news = news_of_clicks(app)
    forget_clicks(app)
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
    for where, news in ("alone", idle.news), ("in the crowd", figures.news):
        some = [number for number in news if number]
        print(f"\nOf {len(news):,} clicks {where}, {len(some):,} stored something new, "
              f"at {sum(some) / max(len(some), 1):.1f} Items each.")  # fmt: skip
    print(f"\nA click's p95 is {ratio:.2f} times its idle p95, at most {CLICK_RATIO}.")
    problems += [f"clicks take {ratio:.2f} times as long"] if ratio > CLICK_RATIO else []
    refused = sum(each.status != 200 for each in answers)
    problems += [f"{refused} webhooks were not answered 200"] if refused else []
    sys.exit(f"Broken: {problems}" if problems else 0)


def clicks_of(figures: Figures) -> list[float]:
    return [ms for name, times in figures.took.items() if "click" in name for ms in times]


if __name__ == "__main__":
    main()
