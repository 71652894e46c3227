"""What is measured when Prometheus asks: the state of the database, Redis, workers and clock.

What can't be read now is left out, and `plaidapp_service_up` says why.
"""

from collections.abc import Iterator
from datetime import datetime

import redis
from flask import Flask
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from config import Config

from .extensions import db
from .jobs import presence
from .metrics.processes import Process, processes
from .store.base.types import now
from .store.connections import item_states
from .store.connections import overview as items
from .store.health import counts
from .store.pulls import overview as pulls
from .store.pulls.pulls import CLOCK, WEBHOOK
from .store.webhooks import deliveries

Values = dict[str, float]


class Gauges(Collector):
    def __init__(self, app: Flask) -> None:
        self._connection: redis.Redis = app.extensions["redis"]
        config: Config = app.config["PLAIDAPP"]
        self._prices = dict(config.plaid_prices)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = {}
        for service, read, error in (
            ("database", self._of_database, SQLAlchemyError),
            ("redis", self._of_redis, redis.RedisError),
        ):
            try:
                found = [*read()]
            except error:
                up[service] = 0.0
            else:
                up[service] = 1.0
                yield from found
        db.session.rollback()
        yield _gauge("service_up", "Does the service answer?", "service", up)
        yield _gauge(
            "plaid_price",
            "PLAID_PRICES: for one billed call, or for one Item and month.",
            "product",
            self._prices,
        )

    def _of_database(self) -> Iterator[GaugeMetricFamily]:
        states = dict.fromkeys(item_states.ALL, 0.0) | items.by_state()
        yield _gauge("items", "Items by state.", "state", states)
        classes = pulls.by_class()
        waited = {each.asked_by: _age(each.oldest) for each in classes}
        yield _gauge(
            "pulls_waiting",
            "Pulls that are due and that no worker has taken, by who asked for them."
            " They are counted up to 10,001.",
            "asked_by",
            {each.asked_by: float(each.due) for each in classes},
        )
        yield _gauge(
            "pulls_waiting_longest_seconds",
            "How long the first of them has been due.",
            "asked_by",
            waited,
        )
        yield _plain(
            "pulls_running", "Pulls that workers are doing.", sum(each.running for each in classes)
        )
        yield _plain(
            "sync_lag_seconds",
            "How long the oldest sync has been due: the clock has not seen to it, or no worker.",
            max(
                counts.clock_is_behind(),
                waited[WEBHOOK],
                waited[CLOCK],
            ),
        )
        if ticked := presence.last_tick():
            yield _plain(
                "clock_last_tick_timestamp_seconds",
                "When a clock last did something.",
                ticked.timestamp(),
            )
        ran = presence.duties_done().values()
        yield _gauge(
            "clock_duty_last_run_timestamp_seconds",
            "When a clock last did each of its duties.",
            "duty",
            {duty.name: duty.ran_at.timestamp() for duty in ran},
        )
        yield _gauge(
            "clock_duty_last_run_seconds",
            "How long that took.",
            "duty",
            {duty.name: duty.seconds for duty in ran},
        )
        yield _plain(
            "webhooks_waiting",
            "Webhooks that are stored, and handled once a sync has released their Item.",
            counts.waiting_webhooks(),
        )
        for latest in deliveries.latest(1):
            yield _plain(
                "webhook_last_timestamp_seconds",
                "When the last webhook of Plaid came.",
                latest.received_at.timestamp(),
            )

    def _of_redis(self) -> Iterator[GaugeMetricFamily]:
        queues = presence.queues(self._connection)
        yield _gauge("queue_jobs", "Jobs in each queue of RQ.", "queue", queues)
        workers = presence.workers(self._connection)
        busy = sum(worker.is_busy for worker in workers)
        yield _gauge(
            "workers",
            "Workers by what they do.",
            "state",
            {"busy": float(busy), "idle": float(len(workers) - busy)},
        )
        alive = [each for each in processes(self._connection) if each.is_alive]
        roles = {role: [each for each in alive if each.role == role] for role in ROLES}
        yield _gauge(
            "processes",
            "Processes that have sent what they counted lately, by role.",
            "role",
            {role: float(len(those)) for role, those in roles.items()},
        )
        yield _gauge(
            "process_resident_memory_bytes",
            "Memory of these processes, added up by role. What they share counts for each.",
            "role",
            {role: _memory(those) for role, those in roles.items()},
        )


ROLES = ("web", "worker", "clock")


def _age(since: datetime | None) -> float:
    return max((now() - since).total_seconds(), 0.0) if since else 0.0


def _memory(those: list[Process]) -> float:
    return float(sum(each.memory or 0 for each in those))


def _gauge(name: str, help: str, label: str, values: Values) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"plaidapp_{name}", help, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _plain(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"plaidapp_{name}", help, value=value)
