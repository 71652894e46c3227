"""Every line of the doctor, red and green: on a real Redis, database, mail server and sandbox."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from cryptography.fernet import Fernet
from flask import has_request_context
from rq import SimpleWorker
from sqlalchemy import event, text, update
from werkzeug.serving import make_server

from plaidapp import create_app, policy
from plaidapp.bank.client import Bank
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.diary import Diary
from plaidapp.operate.doctor import checkup
from plaidapp.operate.doctor.result import Verdict
from plaidapp.sealing import Cipher
from plaidapp.store import Duty, Item, Webhook
from plaidapp.store.base.types import now
from tests.conftest import make_config

GUIDE = Path(__file__).parents[2] / "docs/operations.md"
CHECKS = {check.name: check for group in checkup.GROUPS for check in group}


class World:
    """The site, and what a case can do to it."""

    def __init__(self, request, app, bank_server) -> None:
        self.request, self.app, self.bank_server = request, app, bank_server

    def get(self, fixture):
        return self.request.getfixturevalue(fixture)

    def set(self, **settings) -> None:
        self.app.config["PLAIDAPP"] = replace(self.app.config["PLAIDAPP"], **settings)

    def call_plaid_with(self, url: str, secret: str) -> None:
        self.app.extensions["bank"] = Bank(url, "local", secret, self.app.extensions["cipher"], 5)

    def look(self, name: str) -> Verdict:
        with self.app.app_context():
            verdict = CHECKS[name].look(30)
            db.session.remove()
        return verdict

    def run(self, statement) -> None:
        with self.app.app_context():
            db.session.execute(statement)
            db.session.commit()

    def receive_webhook(self, **fields) -> None:
        with self.app.app_context():
            db.session.add(Webhook(token="t", body="{}", **fields))
            db.session.commit()


def plaid_keys(world):
    yield True
    world.call_plaid_with(world.bank_server.url, "wrong")
    yield False
    world.call_plaid_with("http://127.0.0.1:1", "local")
    yield False


def plaid_products(world):
    yield True
    world.get("connected")
    world.run(update(Item).values(refresh_refusal="INVALID_PRODUCT"))
    assert "transactions_refresh" in str(world.look("plaid_products").sentence)
    error = {"status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_PRODUCT"}
    world.bank_server.misbehave(kind="error", path="/link/token/create", **error)
    yield False
    world.bank_server.faults.rulebook.clear()
    world.call_plaid_with(world.bank_server.url, "wrong")
    yield None


def time(world):
    yield True
    canned = world.get("canned")
    canned.server.RequestHandlerClass.date_time_string = lambda *_: "Thu, 01 Jan 2026 00:00:00 GMT"
    world.call_plaid_with(canned.url, "local")
    yield False
    canned.server.RequestHandlerClass.date_time_string = lambda *_: "later"
    yield None


def plaid_environment(world):
    yield None
    world.get("connected")
    yield True
    world.set(plaid_env="production")
    yield False


def migrations(world):
    yield True
    with world.app.app_context():
        version = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    store = text("UPDATE alembic_version SET version_num = :number")
    world.run(store.bindparams(number="0001"))
    try:
        yield False
    finally:
        world.run(store.bindparams(number=version))


def token_keys(world):
    yield None
    world.get("connected")
    yield True
    world.app.extensions["cipher"] = Cipher([Fernet.generate_key().decode()])
    yield False


def clock_runs(world):
    yield False
    with world.app.app_context():
        diary = Diary()
        clock.tick(1, diary)
        with diary.duty("send_mails"):
            pass
        diary.save()
    yield True
    mails, long_ago = Duty.name == "send_mails", now() - policy.DUTY_LATE
    world.run(update(Duty).where(mails).values(ran_at=long_ago))
    assert "send_mails" in str(world.look("clock").sentence)
    yield False


def last_webhook(world):
    yield None
    world.set(public_url="https://bank.example")
    yield None
    world.get("connected")
    yield None
    world.run(update(Item).values(created_at=now() - timedelta(days=9)))
    yield False
    world.receive_webhook(received_at=now() - timedelta(days=8))
    yield False
    world.run(update(Webhook).values(received_at=now() - timedelta(days=1)))
    yield True


def own_address(world):
    yield None
    world.set(public_url=world.get("site"))
    yield True
    world.set(public_url=f"{world.bank_server.url}")  # answers, but is not this app
    yield False
    world.set(public_url="http://127.0.0.1:1")
    yield False


def plaids_webhook(world):
    yield None
    site = world.get("site")
    world.set(public_url=site)
    yield None
    world.get("connected")
    with world.app.app_context():
        token = world.app.extensions["cipher"].decrypt(
            db.session.scalars(db.select(Item)).one().token
        )
    hook = f"{site}/webhooks/plaid"
    world.bank_server.call("/item/webhook/update", access_token=token, webhook=hook)
    yield True
    world.set(plaid_env="production")
    yield True
    world.set(public_url="https://elsewhere.example")
    yield False


def redis_keeps(world):
    connection = world.app.extensions["redis"]
    yield False
    connection.config_set("save", "3600 1")
    yield True
    connection.config_set("maxmemory-policy", "allkeys-lru")
    yield False
    connection.config_set("maxmemory-policy", "noeviction")
    limited = {"username": "limited", "password": "secret"}
    connection.acl_setuser(
        "limited",
        True,
        passwords=["+secret"],
        keys=["*"],
        categories=["+@all"],
        commands=["-config"],
    )
    kwargs = connection.get_connection_kwargs()
    world.app.extensions["redis"] = redis.Redis(unix_socket_path=kwargs["path"], **limited)
    try:
        yield None
    finally:
        world.app.extensions["redis"].close()
        world.app.extensions["redis"] = connection
        connection.acl_deluser("limited")
        connection.config_set("save", "")


def worker(world):
    yield False
    SimpleWorker(["default"], connection=world.app.extensions["redis"]).register_birth()
    yield True


def mail(world):
    yield None
    world.get("mailbox")
    yield True
    world.set(mail_url="smtp://127.0.0.1:1")
    yield False


def secret_key(world):
    yield True
    world.set(secret_keys=("0" * 64,))
    yield False


def addresses(world):
    yield False
    for exposed in ("http://bank.example", "http://8.8.8.8"):
        world.set(public_url=exposed)
        yield False
    world.set(public_url="https://bank.example")
    yield False
    world.set(trusted_proxies=1)
    yield True
    for near in ("http://localhost:8000", "http://192.168.1.5"):
        world.set(public_url=near, trusted_proxies=0)
        yield True


def disk(world):
    patch = world.get("monkeypatch")
    patch.setattr(policy, "LEAST_DISK", 0)
    yield True
    patch.setattr(policy, "LEAST_DISK", 2**60)
    yield False


CASES: dict[str, Callable[[World], Iterator[bool | None]]] = {
    "plaid_keys": plaid_keys,
    "plaid_products": plaid_products,
    "time": time,
    "plaid_environment": plaid_environment,
    "migrations": migrations,
    "token_keys": token_keys,
    "clock": clock_runs,
    "last_webhook": last_webhook,
    "own_address": own_address,
    "test_webhook": plaids_webhook,
    "redis": redis_keeps,
    "worker": worker,
    "mail": mail,
    "secret_key": secret_key,
    "addresses": addresses,
    "disk": disk,
}
"""What makes a check good, bad or impossible. Each yields what the check has to find next."""


@pytest.fixture
def world(request, app, bank_server):
    return World(request, app, bank_server)


@pytest.fixture
def site(app):
    """The address at which the app is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_guide_says_what_each_check_does():
    guide = GUIDE.read_text()
    assert [name for name in CHECKS if f"`{name}`" not in guide] == []
    assert CASES.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_seen_red_and_green(name, world):
    seen = set()
    with closing(CASES[name](world)) as case:
        for expected in case:
            verdict = world.look(name)
            assert verdict.ok is expected, verdict.sentence
            assert bool(verdict.fix) is (expected is False)
            with world.app.app_context():
                assert str(verdict.sentence).endswith((".", ")"))
            seen.add(expected)
    assert {True, False} <= seen


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_doctor_keeps_nobody_from_writing(world):
    """Least of all the webhook that it waits for: SQLite has one writer at a time."""
    locked = []
    with closing(plaids_webhook(world)) as case:
        for _ in range(3):  # until Plaid sends webhooks to this site
            next(case)
        world.receive_webhook(item_id=1, received_at=now() - timedelta(days=1))
        with world.app.app_context():
            engine = db.engine

        @event.listens_for(engine, "before_cursor_execute")
        def look(_connection, _cursor, statement, *_):
            if statement == "BEGIN IMMEDIATE" and not has_request_context():
                locked.append(statement)

        found = {each.name: each for each in checkup.run(world.app, 30)}

    assert found["test_webhook"].ok, found["test_webhook"].sentence
    assert locked == []


@pytest.fixture
def doctor(app):
    def run(*args):
        return app.test_cli_runner().invoke(args=["doctor", *args])

    return run


def test_the_command_prints_a_line_for_each_check_and_no_secret(app, doctor, connected):
    config = app.config["PLAIDAPP"]
    hidden = "hunter-seven-two"
    app.config["PLAIDAPP"] = replace(config, mail_url=f"smtp://mailer:{hidden}@127.0.0.1:1")
    with app.app_context():
        token = app.extensions["cipher"].decrypt(db.session.scalars(db.select(Item)).one().token)

    plain, as_json = doctor(), doctor("--json")

    assert plain.exit_code == as_json.exit_code == 1
    assert len(plain.output.splitlines()) == len(CHECKS)
    assert (
        "FAILED  Mail: The mail server takes no mail: ConnectionRefusedError. Look at"
        in plain.output
    )
    assert "ok      Plaid’s keys: Plaid accepts the keys for sandbox.\n" in plain.output
    assert "-       Test webhook: PUBLIC_URL is not set" in plain.output
    rows = json.loads(as_json.output)
    assert {row["check"]: row["ok"] for row in rows}["mail"] is False
    assert [set(row) for row in rows] == [{"check", "ok", "sentence", "fix"}] * len(CHECKS)
    for secret in (hidden, token, *config.secret_keys, *config.token_keys):
        assert secret not in plain.output + as_json.output


def test_with_nothing_wrong_the_command_exits_with_0(app, doctor, world, monkeypatch):
    good = [clock_runs(world), worker(world), redis_keeps(world)]
    for case in good:
        while not next(case):
            pass
    world.set(public_url="http://localhost")
    monkeypatch.setattr(policy, "LEAST_DISK", 0)

    result = doctor()

    lines = [line for line in result.output.splitlines() if line.startswith("FAILED")]
    assert [line for line in lines if "Public address" not in line] == []
    world.set(public_url=None, allowed_hosts=("localhost",))
    assert (doctor().exit_code, result.exit_code) == (0, 1)
    redis_is = app.extensions["redis"]
    redis_is.config_set("save", "")


def test_with_everything_away_each_check_says_so():
    """No check fails for a reason of its own, and none prints the passwords in addresses."""
    away = "127.0.0.1:1"
    config = make_config(
        f"postgresql+psycopg://me:hidden@{away}/x", f"redis://:hidden@{away}", f"http://{away}"
    )
    results = checkup.run(create_app(config), 30)

    found = {each.name: each for each in results}
    broken = [
        name for name, each in found.items() if each.sentence in (checkup.BROKEN, checkup.LATE)
    ]
    assert broken == []
    assert {name for name, each in found.items() if each.ok is False} >= {
        *("plaid_keys", "migrations", "redis", "worker", "addresses")
    }
    assert found["token_keys"].ok is found["clock"].ok is None


def test_the_page_shows_what_has_failed_first(operator, bank_server, monkeypatch):
    monkeypatch.setattr(policy, "DOCTOR_DEADLINE", 30)  # however slow the machine is
    bank_server.misbehave(kind="reset", path="/institutions/get")

    fragment = operator.htmx("POST", "/ops/doctor").text

    assert fragment.count("data-check=") == len(CHECKS)
    states = [part.partition('"')[0] for part in fragment.split('data-ok="')[1:]]
    assert states == sorted(states, key=lambda state: state != "no")
    assert "Plaid can’t be reached right now. (BANK_UNREACHABLE)" in fragment
    assert "As an operator, checked this site" in operator.client.get("/auth/activity").text
