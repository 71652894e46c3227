"""Open pages update automatically, and only with the person's own data."""

import json
import re
from dataclasses import replace
from threading import Thread

import pytest
import requests
from flask import Flask
from markupsafe import escape
from rq import Queue, SimpleWorker
from sqlalchemy import select
from werkzeug.serving import make_server

from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Item, Pull, Transaction, User, Webhook
from plaidapp.webhooks import inbox

DYNAMIC = {"override_username": "user_transactions_dynamic", "override_password": "any"}
LISTS = ("summary", "latest", "accounts", "upcoming", "activity")


@pytest.fixture
def app(app, bank_server):
    """Serve the app on a port of its own, so that the sandbox can deliver webhooks."""
    server = make_server("127.0.0.1", 0, Flask("before"), threaded=True)
    public_url = f"http://127.0.0.1:{server.server_port}"
    public = create_app(replace(app.config["PLAIDAPP"], public_url=public_url))
    public.testing = True
    public.config["WTF_CSRF_ENABLED"] = False
    server.app = public
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield public
    with public.app_context():
        tokens = [access_token(public, item) for item in db.session.scalars(select(Item))]
    for token in tokens:  # the sandbox outlives this port, so it must send nothing there afterwards
        tell_bank(bank_server, "/item/webhook/update", access_token=token, webhook="")
    server.shutdown()
    thread.join()
    server.server_close()
    with public.app_context():
        for engine in db.engines.values():
            engine.dispose()
    public.extensions["redis"].close()


def access_token(app, item):
    return app.extensions["cipher"].decrypt(item.token)


def tell_bank(bank_server, path, **fields):
    body = {"client_id": "local", "secret": "local"} | fields
    answer = requests.post(bank_server.url + path, json=body, timeout=30)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def arrived(app, poll):
    """Wait for webhooks of these codes, each as often as it is named. Return all webhooks."""

    def wait(*codes):
        def kept():
            with app.app_context():
                return db.session.scalars(select(Webhook.code).order_by(Webhook.id)).all()

        return poll(
            lambda: all(kept().count(code) >= codes.count(code) for code in codes) and kept(),
            seconds=60,  # one that was answered 503 is sent again, but not at once
            what=f"the arrival of {codes}",
        )

    return wait


@pytest.fixture
def burst(app):
    """Do the jobs on the queue, without the pulls that the clock would add.

    A webhook that met another one of its Item may have been stored to be handled later.
    """

    def run():
        queue = Queue("default", connection=app.extensions["redis"])
        with app.app_context():
            inbox.handle_waiting()
            SimpleWorker([queue], connection=queue.connection).work(
                burst=True, logging_level="ERROR"
            )

    return run


@pytest.fixture
def settle(app, work, bank_server, poll):
    """Wait for every webhook that is on its way, and do its jobs."""
    store = bank_server.app.extensions["sandbox"].store
    here = f"{app.config['PLAIDAPP'].public_url}%"

    def delivered():
        with store.read() as bank:
            # The end of a permission or of a session of Link that a test left comes much later.
            coming = (
                "SELECT 1 FROM moment WHERE code LIKE '%_UPDATE'"
                " UNION ALL SELECT 1 FROM delivery WHERE url LIKE ?"
            )
            return bank.execute(coming, (here,)).fetchone() is None

    def wait():
        poll(delivered, seconds=60, what="the delivery of every webhook")
        with app.app_context():
            inbox.handle_waiting()
        work()

    return wait


@pytest.fixture
def linked(app, alice, connect, settle):
    """Connect an Item and handle its first webhooks."""

    def link(person=alice):
        connect(person, **DYNAMIC)
        settle()
        with app.app_context():
            return db.session.scalars(select(Item).filter_by(user_id=person.id)).one()

    return link


def revision_of(page):
    """The revision that an open page sends next."""
    return re.search(r"/finance/live\?revision=([\d-]+)", page.text)[1]


def look(person, revision):
    return person.htmx("GET", f"/finance/live?revision={revision}")


def test_new_transactions_arrive_by_webhook(app, linked, arrived, burst, bank_server):
    item = linked()
    with app.app_context():
        before = set(db.session.scalars(select(Transaction.plaid_transaction_id)))

    for round_number in (1, 2):
        token = access_token(app, item)
        tell_bank(bank_server, "/transactions/refresh", access_token=token)
        codes = ["SYNC_UPDATES_AVAILABLE", "TRANSACTIONS_REMOVED", "DEFAULT_UPDATE"]
        arrived(*codes * round_number)
        burst()

        with app.app_context():
            after = set(db.session.scalars(select(Transaction.plaid_transaction_id)))
            assert after > before
            assert bank_comparison.compare(db.session.get(Item, item.id)) == []
            syncs = select(Pull.asked_by).where(Pull.kind == "transactions")
            assert set(db.session.scalars(syncs)) == {"webhook"}
        before = after


def test_an_open_page_shows_new_transactions(app, linked, alice, arrived, burst, bank_server):
    item = linked()
    page = alice.client.get("/finance/")
    revision = revision_of(page)
    assert look(alice, revision).status_code == 204

    tell_bank(bank_server, "/transactions/refresh", access_token=access_token(app, item))
    arrived("SYNC_UPDATES_AVAILABLE", "TRANSACTIONS_REMOVED", "DEFAULT_UPDATE")
    burst()

    fragment = look(alice, revision)
    assert fragment.status_code == 200
    for name in LISTS:
        assert f'<hx-partial hx-target="#{name}"' in fragment.text
        assert f'id="{name}"' in fragment.text
    with app.app_context():
        newest = db.session.scalars(
            select(Transaction)
            .where(Transaction.removed_at.is_(None))
            .order_by(Transaction.date.desc(), Transaction.id.desc())
        ).first()
    assert str(escape(newest.merchant_name or newest.name)) in fragment.text
    assert "<html" not in fragment.text
    assert revision_of(fragment) != revision
    assert look(alice, revision_of(fragment)).status_code == 204


def test_another_persons_changes_do_not_reach_the_page(
    app, linked, alice, charlie, arrived, burst, bank_server
):
    item = linked(charlie)
    mine = revision_of(alice.client.get("/finance/"))
    theirs = revision_of(charlie.client.get("/finance/"))

    tell_bank(bank_server, "/transactions/refresh", access_token=access_token(app, item))
    arrived("SYNC_UPDATES_AVAILABLE", "TRANSACTIONS_REMOVED", "DEFAULT_UPDATE")
    burst()

    assert look(charlie, theirs).status_code == 200
    assert look(alice, mine).status_code == 204
    assert "First Platypus Bank" not in look(alice, "0").text


@pytest.mark.parametrize("revision", ["", "nonsense", "-1", "99999999999999999999", "1&revision=2"])
@pytest.mark.both_databases
def test_a_poll_without_a_valid_revision_gets_everything(alice, revision):
    fragment = look(alice, revision)
    assert fragment.status_code == 200
    assert all(f'id="{name}"' in fragment.text for name in LISTS)


def test_reading_pages_changes_nothing_that_is_stored(app, connect, settle, alice):
    connect(alice)
    settle()

    def everything():
        with app.app_context(), db.engine.connect() as connection:
            return [connection.execute(table.select()).all() for table in db.metadata.sorted_tables]

    before = everything()
    for revision in (0, revision_of(alice.client.get("/finance/"))):
        look(alice, revision)
        alice.client.get(f"/finance/live?revision={revision}")
    assert everything() == before


def test_a_poll_without_a_session_gets_the_log_in(client):
    answer = client.get("/finance/live?revision=0", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/auth/login")


def test_an_open_page_shows_that_a_connection_needs_a_log_in(
    app, linked, alice, arrived, bank_server
):
    item = linked()
    revision = revision_of(alice.client.get("/finance/"))

    tell_bank(bank_server, "/sandbox/item/reset_login", access_token=access_token(app, item))
    arrived("ERROR")

    assert "First Platypus Bank needs you to log in." in look(alice, revision).text
    with app.app_context():
        (kept,) = db.session.scalars(select(Webhook).filter_by(code="ERROR"))
        assert json.loads(kept.body)["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
        before = int(revision.partition("-")[0])
        assert db.session.scalars(select(User.ledger_revision)).one() == before + 1
