"""What PostgreSQL cancels because it takes too long: nothing is lost, and it is tried again."""

from contextlib import contextmanager

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.store import Item, Pull, PullItem, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.conftest import make_config

TOO_LONG = "The database took too long, so nothing was changed. Try again in a moment."


@pytest.fixture
def hasty(app, database_url, redis_url, bank_server, monkeypatch):
    """Make the app again, with limits of its own on the same database."""
    made = []

    def make(**limits):
        for name, seconds in limits.items():
            monkeypatch.setattr(policy, name, seconds)
        hasty = create_app(make_config(database_url, redis_url, bank_server.url))
        hasty.testing = True
        hasty.config["WTF_CSRF_ENABLED"] = False
        made.append(hasty)
        return hasty

    yield make
    for each in made:
        with each.app_context():
            db.session.remove()
            db.engine.dispose()
        each.extensions["redis"].close()


@pytest.fixture
def hold(app):
    """`with hold(person):` keeps the ledger, as another sync of the person does."""

    @contextmanager
    def held(person):
        with app.app_context():
            users.lock_ledger(person.id)
            yield
            db.session.rollback()

    return held


def browser_of(person, app):
    """The same browser, at another app."""
    client = app.test_client()
    cookie = person.client.get_cookie("session")
    client.set_cookie("session", cookie.value)
    return client


@pytest.mark.parametrize("limit", ["LOCK_TIMEOUT", "STATEMENT_TIMEOUT"])
def test_an_edit_that_waits_too_long_is_answered_503_and_changes_nothing(
    connected, hasty, hold, ask, limit
):
    browser = browser_of(connected, hasty(**{limit: 0.1}))
    [row, *_] = ask(Transaction)
    path, form = f"/finance/transactions/{row.id}", {"note": "lunch"}
    with hold(connected):
        answer = browser.post(path, data=form)
        swapped = browser.post(path, data=form, headers={"HX-Request": "true"})
        page = connected.client.get("/finance/transactions")
    assert [answer.status_code, swapped.status_code, page.status_code] == [503, 503, 200]
    assert TOO_LONG in answer.text
    assert TOO_LONG in swapped.text
    assert {each.note for each in ask(Transaction)} == {None}
    assert connected.client.post(path, data=form).status_code == 302
    assert "lunch" in {each.note for each in ask(Transaction)}


def test_a_sync_that_waits_too_long_is_tried_again_and_loses_nothing(connected, hasty, hold, ask):
    before = {row.plaid_transaction_id for row in ask(Transaction)}
    app = hasty(JOB_LOCK_TIMEOUT=0.1)
    with app.app_context():
        pull_id = pulls.add(connected.id, kinds.REPAIR, [db.session.get(Item, 1)]).id
        db.session.commit()
    with hold(connected), app.app_context():
        jobs.run(pull_id)
    [pull] = [pull for pull in ask(Pull) if pull.id == pull_id]
    assert (pull.state, pull.failures, pull.lost_workers) == ("queued", 1, 0)
    assert pull.error_message == "The database took too long. Your stored data is safe."
    assert {each.phase for each in ask(PullItem) if each.pull_id == pull_id} == {"queued"}

    with app.app_context():
        db.session.execute(update(Pull).values(run_after=now()))
        db.session.commit()
        jobs.run(pull_id)
    [pull] = [pull for pull in ask(Pull) if pull.id == pull_id]
    assert (pull.state, pull.error_message) == ("done", None)
    assert {row.plaid_transaction_id for row in ask(Transaction)} == before


def test_a_transaction_that_is_forgotten_is_ended_and_what_it_holds_is_free(connected, hasty, ask):
    [row, *_] = ask(Transaction)
    edit = f"/finance/transactions/{row.id}"

    def forget():
        users.lock_ledger(connected.id)
        connected.client.post(edit, data={"note": "lunch"})  # waits for the ledger
        db.session.execute(text("SELECT 1"))

    with hasty(IDLE_TIMEOUT=0.1).app_context():
        with pytest.raises(OperationalError) as ended:
            forget()
        assert ended.value.connection_invalidated
    answer = connected.client.post(edit, data={"note": "dinner"})
    assert answer.status_code == 302
    assert "dinner" in {each.note for each in ask(Transaction)}
