"""How long does /metrics take with 100,000 Items, 10,000 pulls that wait, and every route, kind of
pull and endpoint in use? The script fails if an answer takes more than 50 ms.
"""

import random
import secrets
import statistics
import sys
import time
from dataclasses import replace
from datetime import timedelta

import redis
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, text

from benchmarks import harness
from benchmarks.growth import private_redis
from benchmarks.sweep import _config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.metrics import counted, sending
from plaidapp.store import Item, Pull, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.pulls.overview import ASKED_BY

SCRAPES = 50
MOST = 0.05
"""Seconds that the middle one of the answers may take."""
PROCESSES = 30
TOKEN = secrets.token_urlsafe(32)


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    count = 3_000 if quick else 100_000
    rows: list[list[object]] = []
    slow: list[str] = []
    with private_redis() as connection:
        for kind in harness.DATABASES:
            connection.flushall()
            with harness.database(kind) as url:
                app = create_app(replace(_config(url), metrics_token=TOKEN))
                app.extensions["redis"] = connection
                with app.app_context():
                    upgrade()
                    seed(count)
                    count_everything(app, connection)
                    db.session.remove()
                    seconds, size = scrape(app)
                    db.engine.dispose()
            middle, worst = statistics.median(seconds), max(seconds)
            rows.append([kind, f"{size:,}", f"{middle * 1000:.0f}", f"{worst * 1000:.0f}"])
            slow += [kind] if middle > MOST else []
    title = f"/metrics, {count:,} Items, {SCRAPES} times"
    harness.table(title, ["", "series", "middle, ms", "longest, ms"], rows)
    sys.exit(f"Longer than {MOST * 1000:.0f} ms: {slow}" if slow and not quick else 0)


def seed(count: int) -> None:
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.flush()
    chance, moment = random.Random(5), now()
    states = [item_states.GOOD] * 30 + list(item_states.ALL)
    items = [
        {
            "user_id": user.id,
            "plaid_item_id": f"{number:037}",
            "institution_id": "ins_109508",
            "institution_name": "First Platypus Bank",
            "access_token": bytes(200),
            "cursor": "c" * 80,
            "state": chance.choice(states),
            "next_look": moment + timedelta(seconds=chance.randrange(86_400)),
        }
        for number in range(count)
    ]
    waiting = [
        {
            "user_id": user.id,
            "kind": kinds.TOTAL,
            "asked_by": chance.choice(ASKED_BY),
            "state": chance.choice((pulls.QUEUED, *[pulls.DONE] * 29)),
            "run_after": moment - timedelta(seconds=chance.randrange(3_600)),
        }
        for _ in range(3 * count)
    ]
    webhooks = [{"token": str(number), "body": "{}"} for number in range(count)]
    for model, rows in ((Item, items), (Pull, waiting), (Webhook, webhooks)):
        db.session.execute(insert(model), rows)
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as it does on its own


def count_everything(app: Flask, connection: redis.Redis) -> None:
    """Count each route, kind of pull and endpoint, in each bucket."""
    routes = [rule.rule for rule in app.url_map.iter_rules()]
    for route in routes:
        for status in ("2xx", "4xx"):
            counted.REQUESTS.add(route, status)
    everywhere: dict[counted.Histogram, list[tuple[str, ...]]] = {
        counted.REQUEST_SECONDS: [(route,) for route in routes],
        counted.JOB_WAIT: [(kind, asker) for kind in kinds.KINDS for asker in ("person", "clock")],
        counted.JOB_SECONDS: [(kind,) for kind in kinds.KINDS],
        counted.PLAID_SECONDS: [(f"/endpoint/{number}",) for number in range(14)],
        counted.WEBHOOK_DELAY: [()],
    }
    for metric, series in everywhere.items():
        for labels in series:
            for bound in (*metric.bounds, 1e6):
                metric.observe(bound, *labels)
    for _ in range(PROCESSES):
        sending.Sender(connection, "worker").send()


def scrape(app: Flask) -> tuple[list[float], int]:
    """Return the seconds of each answer, and the number of series."""
    client, seconds = app.test_client(), []
    for _ in range(SCRAPES):
        begun = time.perf_counter()
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        seconds.append(time.perf_counter() - begun)
        assert answer.status_code == 200
    return seconds, sum(not line.startswith("#") for line in answer.text.splitlines())


if __name__ == "__main__":
    main()
