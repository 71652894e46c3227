"""The app behind PgBouncer in transaction mode: each transaction may run on another connection."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from database_settings import TRANSACTION, DatabaseSettings
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Item, Pull, Transaction
from tests import stored
from tests.conftest import PASSWORD, Person, make_config

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
SERVER_CONNECTIONS = 3
SETTINGS = text(
    "SELECT pg_backend_pid() AS pid, count(*) AS changed FROM pg_settings WHERE source = 'session'"
    " AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',"
    " 'standard_conforming_strings')"  # which PgBouncer keeps for each client
)

pytestmark = [
    pytest.mark.skipif(
        PGBOUNCER is None and os.environ.get("CI") != "true",
        reason="PgBouncer is not installed",
    ),
]


@pytest.fixture
def pooled_url(migrated_postgres, poll):
    """The URL of PgBouncer, which has few connections to the tests' database."""
    url = make_url(migrated_postgres)
    sockets = Path(url.query["host"])
    place = Path(tempfile.mkdtemp(prefix="pooler"))
    settings = place / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{url.database} = host={sockets} user={url.username}\n"
        f"[pgbouncer]\npool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n"
        f"auth_type = any\nlisten_port = 6432\nunix_socket_dir = {place}\n"
        "server_round_robin = 1\n"
    )
    command = [PGBOUNCER, str(settings)]
    if os.getuid() == 0:  # PgBouncer refuses to run as root
        owner = sockets.owner()
        os.chown(place, pwd.getpwnam(owner).pw_uid, -1)
        command = [PGBOUNCER, "--user", owner, str(settings)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        poll((place / ".s.PGSQL.6432").exists, what="the socket of PgBouncer")
        query = {"host": str(place), "port": "6432"}
        yield url.set(query=query).render_as_string(hide_password=False)
        server.terminate()
    shutil.rmtree(place)


@pytest.fixture
def app(pooled_url, redis_url, bank_server, _cheap_passwords):
    config = make_config(pooled_url, redis_url, bank_server.url)
    app = create_app(replace(config, database=DatabaseSettings(pooler=TRANSACTION)))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["redis"].flushall()
    with app.app_context():
        stored.empty_postgresql()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def test_pages_edits_syncs_and_the_clock_work(app, connect, work, small_user, ask, bank_server):
    alice, bob = Person(app, "alice"), Person(app, "bob")
    connect(alice, **small_user)
    connect(bob, **small_user)
    row = ask(Transaction)[0]
    for number in range(7):  # the driver prepares what it runs a sixth time
        for path in ("/finance/", "/finance/transactions", "/finance/transactions.json"):
            assert alice.client.get(path).status_code == 200
        form = {"note": f"lunch {number}"}
        edited = alice.client.post(f"/finance/transactions/{row.id}", data=form)
        assert edited.status_code in (200, 302), edited.text
        alice.client.post("/finance/pulls/transactions")
        with app.app_context():
            clock.tick(number)
        work()

    assert {pull.state for pull in ask(Pull)} == {"done"}
    assert [len(ask(what)) for what in (Item, Transaction)] == [2, 6]


def test_no_setting_of_a_transaction_outlives_it(app, connect, small_user):
    """Each connection of the server has had jobs, pages and jots, when it is asked."""
    alice = Person(app, "alice")
    with app.app_context(), ExitStack() as opened:
        for _ in range(SERVER_CONNECTIONS):
            opened.enter_context(db.engine.connect()).execute(text("SELECT 1"))
    connect(alice, **small_user)
    browser = app.test_client()
    browser.post("/auth/login", data={"username": "alice", "password": PASSWORD})
    for _ in range(SERVER_CONNECTIONS):
        for path in ("/finance/", "/finance/transactions", "/auth/account"):
            assert alice.client.get(path).status_code == 200

    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        seen = {connection.execute(SETTINGS).one() for _ in range(4 * SERVER_CONNECTIONS)}
    assert len({row.pid for row in seen}) == SERVER_CONNECTIONS
    assert {row.changed for row in seen} == {0}
