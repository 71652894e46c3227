"""How long does Plaid wait for its answer when 100 webhooks a second come while the workers sync?

PostgreSQL, Redis, the bank, two workers, the web process and the sender share the machine. Each
webhook begins a sync. The script fails if the slowest percent takes longer than LIMIT, or if a
webhook, a sync or a row is lost.
"""

import asyncio
import sys

from flask import Flask
from sqlalchemy import func, select

from benchmarks import harness, many_items
from benchmarks.webhook_sender import Result, Sender, Signer
from plaidapp.extensions import db
from plaidapp.store import PullItem, Webhook
from tests.e2e.processes import Deployment

RATE = 100
"""Webhooks a second."""
LIMIT = 0.5
"""Seconds that 99 of 100 webhooks may take."""
PATIENCE = 180
"""Seconds for the workers to finish afterwards."""


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    count, people, rows = (200, 10, 20) if quick else (1_000, 50, 200)
    with harness.deployment("PostgreSQL") as deployment:
        deployment.run("worker2", deployment.procfile["worker"])
        app = many_items.app_of(deployment)
        many_items.connect(app, many_items.add_people(app, people), each=4, rows=rows)
        many_items.wait_until_idle(app, PATIENCE)
        first = flood(deployment, app, 1)  # the app asks Plaid for the key
        alone = flood(deployment, app, count // 5)
        many_items.wait_until_idle(app, PATIENCE)
        before = syncs(app)
        with many_items.BusyBank(deployment, app):
            loaded = flood(deployment, app, count)
            during = syncs(app) - before
        last = flood(deployment, app, 4 * people)  # so that Plaid has told of every change
        many_items.wait_until_idle(app, PATIENCE)
        sent = [*first, *alone, *loaded, *last]
        lost = [*lost_webhooks(app, len(sent)), *many_items.differing(app, deployment)]
    harness.table(
        f"Answers to webhooks, {RATE} a second, PostgreSQL",
        ("", "webhooks", "p50, ms", "p95, ms", "p99, ms", "longest, ms", "not 200"),
        [row("workers idle before", alone), row(f"{during} syncs meanwhile", loaded)],
    )
    slowest = harness.percentile([each.seconds for each in loaded], 99)
    problems = [f"lost: {each}" for each in lost]
    problems += [f"p99 is {slowest:.3f} s"] if slowest > LIMIT else []
    problems += ["answers other than 200"] if any(each.status != 200 for each in sent) else []
    sys.exit(f"Broken: {problems}" if problems else 0)


def flood(deployment: Deployment, app: Flask, count: int) -> list[Result]:
    ids = many_items.plaid_ids(app)
    signer = Signer(deployment.bank_state)
    deliveries = [
        signer.delivery(deployment.url, ids[number % len(ids)]) for number in range(count)
    ]
    return asyncio.run(Sender(deployment.url).send_all(deliveries, RATE))


def syncs(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(PullItem.id))) or 0


def lost_webhooks(app: Flask, sent: int) -> list[str]:
    with app.app_context():
        stored = db.session.scalar(select(func.count(Webhook.id))) or 0
    return [f"{sent - stored} webhooks"] if stored != sent else []


def row(name: str, results: list[Result]) -> list[object]:
    times = [1000 * each.seconds for each in results]
    percentiles = [harness.percentile(times, percent) for percent in (50, 95, 99)]
    refused = sum(each.status != 200 for each in results)
    return [name, len(times), *percentiles, max(times), refused]


if __name__ == "__main__":
    main()
