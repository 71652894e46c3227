"""No bad request is a 5xx, and one that is refused leaves everything as it was.

The long form sends 5,000 requests on each database.
"""

import os
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import run_wsgi_app

from plaidapp.extensions import db
from plaidapp.store import Account, Edit, LinkSession, Transaction
from plaidapp.store.pulls import kinds, pulls
from tests.pages import token_of
from tests.stored import delete_everything, stream_of

from .bad_requests import requests_to

LONG = os.environ.get("CHAOS") == "long"
REQUESTS = 5_000 if LONG else 90
CHANGED_BY_REFUSALS = {"webhook_key"}
"""Tables that remember a refusal: an unknown key id of a webhook."""
QUEUE = "rq:queue:default"


class World:
    """Alice has a bank, and something of each kind that an address can name."""

    def __init__(self, app, alice, dump):
        self.app, self.dump = app, dump
        app.config["WTF_CSRF_ENABLED"] = True
        app.testing = False
        nobody = app.test_client()
        self.sessions = [
            (token_of(answer), f"session={client.get_cookie('session').value}")
            for client, answer in (
                (alice.client, alice.client.get("/finance/items")),
                (nobody, nobody.get("/auth/login")),
            )
        ]
        with app.app_context():
            self.ids = self._add(alice.id)
            tables = db.metadata.sorted_tables
            self.rows = {
                table: db.session.execute(table.select()).mappings().all() for table in tables
            }
            db.session.remove()
        self.before = dump()

    def _add(self, user_id):
        account = db.session.scalar(db.select(Account).limit(1))
        row = db.session.scalar(db.select(Transaction).limit(1))
        failed = pulls.add(user_id, kinds.ACCOUNTS, [], state=pulls.FAILED, error_message="No.")
        edit = Edit(user_id=user_id)
        link = LinkSession(user_id=user_id, purpose="connect", pull_id=failed.id)
        stream = stream_of(account)
        db.session.add_all([edit, link, stream])
        db.session.commit()
        ids = {"transaction_id": row.id, "account_id": account.id, "item_id": account.item_id}
        ids |= {"pull_id": failed.id, "edit_id": edit.id, "stream_id": stream.id}
        return ids | {"session_id": link.id}

    def send(self, request, *, as_alice):
        token, cookie = self.sessions[not as_alice]
        environ = request.environ(cookie, token)
        _parts, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return int(status[:3]), headers

    def changed(self):
        """Return the tables that are not as at first, and restore them."""
        after = self.dump()
        tables = {name for name in after if after[name] != self.before[name]}
        if tables:
            with self.app.app_context():
                self._restore()
        return tables

    def _restore(self):
        sqlite = db.engine.dialect.name == "sqlite"
        late = (
            "PRAGMA defer_foreign_keys = ON" if sqlite else "SET session_replication_role = replica"
        )
        db.session.execute(text(late))
        delete_everything()
        for table, rows in self.rows.items():
            stored = [name for name, column in table.columns.items() if not column.computed]
            if rows:
                db.session.execute(table.insert(), [{n: row[n] for n in stored} for row in rows])
        if not sqlite:
            db.session.execute(text("SET session_replication_role = DEFAULT"))
        db.session.commit()
        db.session.remove()


@pytest.fixture
def world(app, connected, dump, set_clock, mailbox):
    set_clock(str(datetime.now(UTC)))  # or a session would note when it was last used
    return World(app, connected, dump)


@pytest.mark.both_databases
def test_no_bad_request_breaks_anything(world):
    statuses = Counter()

    @settings(
        max_examples=REQUESTS,
        deadline=None,
        derandomize=not LONG,  # the short form is the same each time
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(request=requests_to(world.app, world.ids), as_alice=st.booleans() | st.just(True))
    def check(request, as_alice):
        waiting = world.app.extensions["redis"].llen(QUEUE)
        status, headers = world.send(request, as_alice=as_alice)
        changed = world.changed() - CHANGED_BY_REFUSALS
        statuses[status] += 1
        assert status < 500, request
        assert "Content-Security-Policy" in dict(headers)
        if status >= 400:
            assert changed == set()
            assert world.app.extensions["redis"].llen(QUEUE) == waiting

    check()
    assert statuses.keys() >= {200, 302, 404, 422}, statuses
