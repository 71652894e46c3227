"""/metrics shows what happens, to Prometheus and nobody else. Every metric is moved here."""

import json
import re
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.jobs.diary import Diary
from plaidapp.jobs.pull_job import QUEUE
from plaidapp.jobs.runner import Runner
from plaidapp.metrics import counted, sending
from plaidapp.store import Item, Pull, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.pulls import pulls, transitions
from plaidapp.store.webhooks import deliveries
from tests.ports import free_port
from tests.sandbox_control import Control

TOKEN = secrets.token_urlsafe(32)
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
SYNC = "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"
DASHBOARD = Path(__file__).parents[2] / "docs/grafana/plaidapp.json"
GUIDE = Path(__file__).parents[2] / "docs/monitoring.md"
NAME = re.compile(r"plaidapp_\w+")
ALARM = re.compile(r"Plaidapp[A-Z]\w+")
OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
RULES = Path(__file__).parents[2] / "docs/prometheus-rules.yml"


@pytest.fixture(autouse=True)
def _token(app):
    prices = (("balance", 0.1),)
    config = replace(app.config["PLAIDAPP"], metrics_token=TOKEN, plaid_prices=prices)
    app.config["PLAIDAPP"] = config


@pytest.fixture
def read(client):
    """Return the samples: their values by name and labels."""

    def samples():
        answer = client.get("/metrics", headers=ALLOWED)
        assert answer.status_code == 200
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return samples


@pytest.fixture
def moves(read):
    """Do something, and see that it changes these samples by so much; None is by anything."""
    seen = set()

    def check(act, **changes):
        before = read()
        act()
        after = read()
        for key, change in changes.items():
            name, *labels = key.split(" ")
            sample = (f"plaidapp_{name}", *sorted(labels))
            moved = after.get(sample, 0.0) - before.get(sample, 0.0)
            assert moved == change if change is not None else moved != 0, (sample, moved)
            seen.add(base(sample[0]))

    check.seen = seen
    return check


@pytest.mark.both_databases
def test_every_metric_is_moved(
    app, client, alice, connect, small_user, work, tell, ask, bank_server, read, moves
):
    redis_client = app.extensions["redis"]

    moves(
        lambda: connect(alice, **small_user),
        **{
            "http_requests_total /finance/items/sandbox 3xx": 1,
            "http_request_duration_seconds_count /finance/items/sandbox": 1,
            "job_wait_seconds_count link person": 1,
            "jobs_total link done": 1,
            "job_duration_seconds_count link": 1,
            "plaid_requests_total /item/public_token/exchange": 1,
            "plaid_request_duration_seconds_sum /transactions/sync": None,
            "rows_changed_total added": 3,
            "rows_changed_total removed": 0,
            "items good": 1,
        },
    )
    [item] = ask(Item)
    moves(
        lambda: (alice.client.post("/finance/pulls/accounts"), work()),
        **{"plaid_billed_requests_total /accounts/balance/get balance": 1},
    )
    moves(
        lambda: tell(item, *SYNC),
        **{
            "webhooks_total SYNC_UPDATES_AVAILABLE kept": 1,
            "webhook_delay_seconds_count": 1,
            "webhook_last_timestamp_seconds": None,
            "pulls_waiting webhook": 1,
            "pulls_waiting_longest_seconds webhook": None,
            "sync_lag_seconds": None,
            f"queue_jobs {QUEUE}": 1,
        },
    )
    Control(bank_server.url).change(item.plaid_item_id, error="ITEM_LOGIN_REQUIRED")
    moves(
        work,
        **{
            "plaid_errors_total /transactions/sync ITEM_LOGIN_REQUIRED": 1,
            "items login_required": 1,
            "items good": -1,
            "pulls_waiting webhook": -1,
        },
    )
    moves(
        lambda: set_state(app, pulls.RUNNING),
        **{"pulls_running": 1},
    )
    moves(lambda: put_off(app), **{"webhooks_waiting": 1})
    moves(
        lambda: tick(app),
        **{
            "clock_last_tick_timestamp_seconds": None,
            "clock_duty_last_run_timestamp_seconds reclaim": None,
            "clock_duty_last_run_seconds reclaim": None,
        },
    )
    sender = sending.Sender(redis_client, "worker")
    moves(
        sender.send,
        **{
            "processes worker": 1,
            "process_resident_memory_bytes worker": None,
            "process_cpu_seconds_total worker": None,
        },
    )
    moves(Runner([QUEUE], connection=redis_client).register_birth, **{"workers idle": 1})
    moves(
        lambda: app.extensions.update(redis=queue.connect(f"redis://127.0.0.1:{free_port()}")),
        **{"service_up redis": -1},
    )

    app.extensions["redis"] = redis_client
    samples = read()
    assert samples["plaidapp_plaid_price", "balance"] == 0.1
    names = {base(name) for name, *_ in samples}
    assert names == moves.seen | {"plaidapp_plaid_price"}
    assert families(client) == names, "one without a sample was never moved"
    counts = (counted.Counter, counted.Histogram)
    assert set(counted.ALL) == {each for each in vars(counted).values() if isinstance(each, counts)}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    drawn = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert {base(name) for name in NAME.findall(" ".join(drawn))} == names
    rules = RULES.read_text()
    assert {base(name) for name in NAME.findall(rules)} <= names
    assert set(ALARM.findall(rules)) == set(ALARM.findall(OPERATIONS.read_text()))
    described = GUIDE.read_text()
    assert [name for name in names if f"`{name.removeprefix('plaidapp_')}`" not in described] == []


def families(client):
    """The name of every metric that /metrics knows, moved or not."""
    text = client.get("/metrics", headers=ALLOWED).text
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(text)
    }


def base(name):
    """A metric without the suffix of a histogram's parts."""
    return re.sub("_(bucket|sum|count)$", "", name)


def set_state(app, state):
    with app.app_context():
        last = db.select(db.func.max(Pull.id)).scalar_subquery()
        db.session.execute(
            update(Pull).where(Pull.id == last).values(state=state, heartbeat_at=now())
        )
        db.session.commit()


def put_off(app):
    with app.app_context():
        deliveries.put_off(db.session.scalar(db.select(Webhook.token)))
        db.session.commit()


def tick(app):
    with app.app_context():
        diary = Diary()
        with diary.duty("reclaim"):
            transitions.reclaim_orphans()
        diary.save()


def test_only_the_token_opens_it(app, client):
    def status(**headers):
        return client.get("/metrics", headers=headers).status_code

    assert status(**ALLOWED) == 200
    for wrong in ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \xe9"):
        assert status(Authorization=wrong) == 401, wrong
    refused = client.get("/metrics")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="metrics"',
    )
    assert "plaidapp_" not in refused.text

    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], metrics_token=None)
    assert status(**ALLOWED) == 404


def test_prometheus_gets_the_format_that_it_asks_for(client):
    formats = {
        "application/openmetrics-text; version=1.0.0": "application/openmetrics-text",
        "": "text/plain",
    }
    for accept, wanted in formats.items():
        answer = client.get("/metrics", headers=ALLOWED | {"Accept": accept})
        assert answer.content_type.startswith(wanted)
        assert "Set-Cookie" not in answer.headers


def test_a_log_in_shows_no_names_in_labels(alice, connected, read):
    """Routes are named by their rule, and an address that leads nowhere is not named."""
    alice.client.get("/finance/items/1")
    alice.client.get("/secret-path-4711")

    samples = read()

    assert samples["plaidapp_http_requests_total", "/finance/items/<int:item_id>", "2xx"] >= 1
    assert samples["plaidapp_http_requests_total", "4xx", "none"] >= 1
    series = str(list(samples))
    assert "4711" not in series
    assert "alice" not in series


def test_without_the_database_the_rest_is_shown(app):
    away = f"postgresql+psycopg://a:b@127.0.0.1:{free_port()}/c"
    other = create_app(replace(app.config["PLAIDAPP"], database_url=away))

    answer = other.test_client().get("/metrics", headers=ALLOWED)

    other.extensions["redis"].close()
    with other.app_context():
        db.engine.dispose()
    assert answer.status_code == 200
    assert 'plaidapp_service_up{service="database"} 0.0' in answer.text
    assert 'plaidapp_service_up{service="redis"} 1.0' in answer.text
    assert "plaidapp_http_requests_total" in answer.text
    assert "plaidapp_items" not in answer.text
