"""Syncs and edits at the same time: whichever commits last, the totals fit the rows."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.connections import accounts
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from plaidapp.store.transactions import edits, monthly_refresh
from plaidapp.store.transactions.filters import Filter
from tests import stored

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class AtOnce:
    """Runs functions in threads, each until it is over or waits for a lock."""

    def __init__(self, app, poll):
        self._app, self._poll = app, poll
        self._threads = ThreadPoolExecutor(8)
        self._started = []

    def __call__(self, work):
        before = self._waiting()
        started = self._threads.submit(self._run, work)
        self._started.append(started)
        self._poll(lambda: started.done() or self._waiting() > before, what="the end or a lock")

    def finish(self):
        for started in self._started:
            started.result(30)

    def _run(self, work):
        with self._app.app_context():
            work()

    def _waiting(self):
        with db.engine.connect() as connection:
            return connection.scalar(WAITING)


@pytest.fixture
def at_once(app, poll):
    return AtOnce(app, poll)


@pytest.fixture
def sync(owner, account, transaction):
    """Store a row of an Item's account, as a sync does."""

    def store(item, plaid_id):
        users.lock_ledger(owner)
        accounts.save(owner, item.id, [account()])
        row, ids = transaction(plaid_id), accounts.ids_of_item(item.id)
        stored.save(owner, item.id, ids, [row])
        derived.refresh({(ids[row.account_id], row.date)}, ())
        db.session.commit()

    return store


@pytest.fixture
def held(app, owner):
    """A lock of the person's row, for which an edit or undo waits while it is at work."""
    with db.engine.connect() as connection:
        connection.execute(select(User.id).where(User.id == owner).with_for_update())
        yield connection


def drift(owner):
    db.session.rollback()
    return monthly_refresh.wrong([row.id for row in accounts.of_user(owner)])


def test_a_bulk_edit_between_two_syncs_leaves_the_totals_right(
    owner, item, another_item, sync, held, at_once
):
    """The first sync stores a row of an account that had none when the edit began."""
    sync(item, "a1")
    edited, go_on = threading.Event(), threading.Event()

    def edit():
        edits.apply(owner, Filter(owner).conditions(), {"own_category": "TRAVEL"})
        edited.set()
        assert go_on.wait(30)
        db.session.commit()

    at_once(edit)
    at_once(lambda: sync(another_item, "b1"))
    held.rollback()
    assert edited.wait(30)
    at_once(lambda: sync(another_item, "b2"))
    go_on.set()
    at_once.finish()

    assert drift(owner) == set()


def test_two_undos_at_once_restore_each_row_once(owner, item, sync, held, at_once):
    sync(item, "a1")
    held.rollback()
    edit = edits.apply(owner, Filter(owner).conditions(), {"hidden": True}).edit
    db.session.commit()
    held.execute(select(User.id).where(User.id == owner).with_for_update())
    undone = []

    def undo():
        undone.append(edits.undo(edits.owned(edit.id, owner)).rows)
        db.session.commit()

    at_once(undo)
    at_once(undo)
    held.rollback()
    at_once.finish()

    assert sorted(undone) == [0, 1]
    assert drift(owner) == set()
