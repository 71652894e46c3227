"""The first page of /ops: whether everything runs, what waits, and what needs the operator."""

from dataclasses import dataclass

import redis
from flask import current_app, render_template

from plaidapp import schema
from plaidapp.htmx import is_htmx
from plaidapp.jobs import presence
from plaidapp.store.base import bounded
from plaidapp.store.connections import overview as items
from plaidapp.store.health import counts
from plaidapp.store.pulls import overview as pulls
from plaidapp.store.webhooks import deliveries

from .blueprint import blueprint


@dataclass(frozen=True)
class Workers:
    """`kinds` are those of the pulls that they work on, by id."""

    running: list[presence.Worker]
    kinds: dict[int, str]


@blueprint.get("/")
def overview() -> str:
    """The page; for HTMX, which asks every few seconds, the part that changes."""
    latest = deliveries.latest(1)
    return render_template(
        "operate/_overview.html" if is_htmx() else "operate/overview.html",
        workers=_workers(),
        last_tick=presence.last_tick(),
        clock_is_alive=presence.clock_is_alive(),
        late_duties=presence.late_duties(),
        classes=pulls.by_class(),
        most=bounded.MOST,
        failed=pulls.failed_count(),
        states=items.by_state(),
        last_webhook=latest[0].received_at if latest else None,
        waiting_webhooks=counts.waiting_webhooks(),
        current=schema.current(),
        newest=schema.newest(),
    )


def _workers() -> Workers | None:
    """None if Redis is away."""
    try:
        running = presence.workers(current_app.extensions["redis"])
    except redis.RedisError:
        return None
    return Workers(running, pulls.running([each.pull_id for each in running if each.pull_id]))
