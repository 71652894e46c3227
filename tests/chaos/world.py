"""The whole product on this machine, with real processes that talk over loopback."""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests
from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, select

from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Item
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, pulls
from run import find_redis_server
from tests.mailbox import Mailbox
from tests.ports import free_port

from .databases import Postgres, SQLite
from .processes import Formation

ROOT = Path(__file__).parents[2]
WEBHOOK_RETRY = ",".join(["1", "2", *["4"] * 60])
"""Seconds between tries of a webhook: like Plaid's, but much shorter."""
WORKERS = ("worker-1", "worker-2")


def poll(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `condition()` is truthy and return its value; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"{what} was not met within {seconds} s"
        time.sleep(0.05)
    return outcome


class World:
    """gunicorn, two workers, the clock, Redis, a database, and the sandbox as the bank.

    `app` is the same code on the same database, for use in this process; it gets no webhooks.
    `engine` only reads: unlike the app's own engine, it takes no write lock on SQLite.
    """

    def __init__(self, directory: Path, database: Postgres | SQLite) -> None:
        self.directory = directory
        self.database = database
        self.bank_state = directory / "sandbox.db"
        self.url = f"http://127.0.0.1:{self._web_port()}"
        self.bank_url = f"http://127.0.0.1:{free_port()}"
        self.redis_socket = directory / "redis.sock"
        self.redis_port = free_port()
        self.mailbox = Mailbox()
        self.mailbox.start()
        self.env = self._environment()
        self.app = self._local_app()
        self.engine = create_engine(database.url, pool_pre_ping=True)
        self.http = requests.Session()
        self.http.trust_env = False
        self._migrate()
        self.formation = Formation(ROOT, directory, self.env)

    def _web_port(self) -> int:
        return free_port()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": secrets.token_hex(),
            "TOKEN_KEYS": Fernet.generate_key().decode(),
            "PLAID_SECRET": secrets.token_hex(),
            "DATABASE_URL": self.database.url,
            "REDIS_URL": f"unix://{self.redis_socket}",
            "PLAID_BASE_URL": self.bank_url,
            "PUBLIC_URL": self.url,
            "MAIL_URL": self.mailbox.url,
            "MAIL_FROM": "no-reply@example.com",
            "PORT": self.url.rpartition(":")[2],
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "DEBUG",  # test_secrets.py searches what it says
        }

    def _local_app(self) -> Flask:
        return create_app(Config.from_env(self.env | {"PUBLIC_URL": ""}))

    def _migrate(self) -> None:
        with self.app.app_context():
            upgrade()
            db.engine.dispose()

    def start(self) -> None:
        """Start every process and return once pages and everything behind them work."""
        self.start_services()
        python, add, web_port = sys.executable, self.formation.add, self.url.rpartition(":")[2]
        add("web", python, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{web_port}")
        for worker in WORKERS:
            add(worker, python, "worker.py")
        add("clock", python, "-m", "flask", "--app", "wsgi", "clock")
        poll(self.is_ready, 90, "a ready app")

    def start_services(self) -> None:
        """Start Redis and the bank."""
        self.formation.add("redis", *self.redis_command())
        self.formation.add("sandbox", *self.bank_command())

    def bank_command(self, host: str = "127.0.0.1") -> list[str]:
        """Return the command that serves the bank at an address of this machine."""
        port = self.bank_url.rpartition(":")[2]
        return [sys.executable, "-m", "sandbox", "--host", host, "--port", port, "--state",
                str(self.bank_state), "--webhook-retry", WEBHOOK_RETRY,
                "--shuffle-webhooks"]  # fmt: skip

    def redis_command(self, *more_addresses: str) -> list[str]:
        """Return the command that starts Redis, which listens at a socket and at loopback."""
        options = {
            "--port": [str(self.redis_port)],
            "--bind": ["127.0.0.1", *more_addresses],
            "--protected-mode": ["no"],
            "--unixsocket": [str(self.redis_socket)],
            "--dir": [str(self.directory)],
            "--appendonly": ["yes"],
            "--save": [""],
        }
        words = (word for name, values in options.items() for word in (name, *values))
        return [find_redis_server(), *words]

    def is_ready(self) -> bool:
        try:
            return (
                self.http.get(f"{self.url}/readyz", timeout=3).ok
                and self.http.get(f"{self.bank_url}/_control/faults", timeout=3).ok
            )
        except requests.RequestException:
            return False

    def kill_redis(self, *, wiped: bool) -> None:
        """Kill Redis until `bring_back("redis")`. With `wiped` it also loses its data on disk."""
        self.formation.kill("redis", stay_down=True)
        if wiped:
            shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)
            (self.directory / "appendonly.aof").unlink(missing_ok=True)

    def redis_answers(self) -> bool:
        with redis.Redis(unix_socket_path=str(self.redis_socket)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    @contextmanager
    def misbehaving(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Make the bank misbehave by these rules of sandbox/fault_rules.py in the `with` block."""
        address = f"{self.bank_url}/_control/faults"
        answer = self.http.post(address, json=list(rules), timeout=5)
        assert answer.ok, answer.text
        try:
            yield
        finally:
            self.http.post(address, json=[], timeout=5)

    def bank_calls(self, path: str) -> int:
        """Return how often the app has called this path of Plaid's API."""
        report = self.http.get(f"{self.bank_url}/_control/faults", timeout=5).json()
        return report["calls"].get(path, 0)

    def faults_fired(self) -> int:
        """Return how many calls the current rules have made fail."""
        report = self.http.get(f"{self.bank_url}/_control/faults", timeout=5).json()
        return sum(rule["fired"] for rule in report["rules"])

    def token(self, item_id: int) -> str:
        with self.app.app_context():
            sealed = db.session.get_one(Item, item_id).token
            db.session.rollback()
            return self.app.extensions["cipher"].decrypt(sealed)

    def plaid_item_id(self, item_id: int) -> str:
        with self.app.app_context():
            plaid_id = db.session.get_one(Item, item_id).plaid_item_id
            db.session.rollback()
            return plaid_id

    def add_item(self, user_id: int, institution_id: str, username: str, password: str) -> int:
        """Connect an Item without webhooks and enqueue its first pull."""
        bank = self.app.extensions["bank"]
        with self.app.app_context():
            public_token = bank.sandbox_public_token(institution_id, username, password)
            connection = bank.exchange(user_id, public_token)
            item = items.add(
                user_id=user_id,
                plaid_item_id=connection.plaid_item_id,
                institution_id=institution_id,
                access_token=connection.token.value,
                sync_requested=1,
            )
            pull = pulls.add(user_id, kinds.LINK, items=[item])
            db.session.commit()
            queue.ring(pull)
            return item.id

    def request_sync(self, item_id: int) -> None:
        """Request a sync as a webhook does."""
        with self.app.app_context():
            pull = item_requests.sync(db.session.get_one(Item, item_id), pulls.CLOCK)
            db.session.commit()
            if pull:
                queue.ring(pull)

    def plaid_ids(self, item_ids: Sequence[int]) -> list[str]:
        with self.engine.connect() as connection:
            query = select(Item.plaid_item_id).where(Item.id.in_(item_ids)).order_by(Item.id)
            return list(connection.scalars(query))

    def close(self) -> None:
        self.formation.close()
        self.mailbox.stop()
        self.http.close()
        self.engine.dispose()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self.app.extensions["redis"].close()
        self.app.extensions["bank"]._client.close()
        self.database.close()
