"""Deleting everything of a person, from the click until nothing is left here or at Plaid."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from plaidapp import policy
from plaidapp.bank.link_payloads import hash_of
from plaidapp.extensions import db
from plaidapp.jobs import clock, queue
from plaidapp.jobs.people import erase
from plaidapp.jobs.pulls.lines import CLICK_BELL, LAST_CLICK, WORK_BELL
from plaidapp.store import Item, LinkResult, LinkSession, LoginSession, Pull, User
from plaidapp.store.base import owned_rows
from plaidapp.store.base.types import now
from plaidapp.store.connections import link_results, link_sessions
from plaidapp.store.people import leaving, login_sessions, users
from plaidapp.store.people.credentials import credentials_of
from plaidapp.store.pulls import kinds
from tests.full_person import fill

REMOVE, EXCHANGE, LOOK = "/item/remove", "/item/public_token/exchange", "/link/token/get"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}
NEEDED = {"user", "item", "pull"}
"""Tables with what has to be kept until Plaid has confirmed."""


@pytest.fixture
def delete(context):
    """The person presses *Delete everything*. Return the id of the pull."""

    def press(user_id):
        pull = erase.begin(user_id)
        db.session.commit()
        db.session.remove()
        return pull and pull.id

    return press


@pytest.fixture
def other(context):
    user = users.add("charlie", "charlie@example.com", "no hash")
    db.session.commit()
    return user.id


@pytest.fixture
def left():
    """Count the person's rows in each table that has some."""

    def count(user_id):
        db.session.remove()
        found = {}
        for table in owned_rows.tables():
            query = select(func.count()).select_from(table)
            if number := db.session.scalar(query.where(owned_rows.theirs(table, user_id))):
                found[table.name] = number
        db.session.remove()
        return found

    return count


@pytest.fixture
def all_rows():
    """Return every row of the tables that have rows of persons."""

    def read():
        db.session.remove()
        tables = owned_rows.tables()
        found = {each.name: db.session.execute(select(each)).all() for each in tables}
        db.session.remove()
        return found

    return read


@pytest.fixture
def at_plaid(bank_server):
    """How many Items exist at Plaid that did not when the test began."""

    def count():
        with bank_server.app.extensions["sandbox"].store.read() as there:
            return there.execute("SELECT count(*) FROM item WHERE removed = 0").fetchone()[0]

    before = count()
    return lambda: count() - before


def test_every_table_is_a_persons_or_nobodys():
    """A new table has a foreign key by which it goes with the person, or is named here."""
    theirs = {table.name for table in owned_rows.tables()}
    every = {table.name for table in db.metadata.sorted_tables}
    logos = {"bank_logo", "merchant_logo"}
    assert every - theirs == {
        "institution",
        "old_text",
        "tries",
        "webhook_key",
        "duty",
        "walk",
        *logos,
    }


def test_nothing_is_left_of_the_person_and_others_are_untouched(
    app, owner, other, delete, left, all_rows, work
):
    fill(other)
    before = all_rows()
    fill(owner)
    assert left(owner).keys() == before.keys()  # there was something in every table
    app.extensions["redis"].flushall()

    with app.app_context():
        queue.ring(erase.begin(owner))
    work()

    assert all_rows() == {name: rows for name, rows in before.items() if name != "user"} | {
        "user": [row for row in before["user"] if row.id == other]
    }
    ours = LAST_CLICK.encode(), CLICK_BELL.encode(), WORK_BELL.encode()
    of_everyone = (b"rq:queues", b"rq:worker", b"rq:clean", *ours)
    keys = app.extensions["redis"].keys()
    assert [key for key in keys if not key.startswith(of_everyone)] == []


def test_at_once_nobody_is_who_they_were(owner, delete):
    fill(owner)
    user = users.by_id(owner)
    known = (user.username, user.email, user.opaque_id, user.password_hash)

    delete(owner)

    assert users.by_name("olive") is users.by_name("olive@example.com") is None
    assert credentials_of("olive") is None
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0
    row = db.session.execute(select(User.__table__)).one()
    assert not set(known) & set(row)
    users.add("olive", "olive@example.com", "a new person")
    db.session.commit()


def test_at_once_nobody_gets_in(owner, delete, left):
    """Not with a passkey, a recovery code, the link in a mail or a session that begins just now."""
    fill(owner)
    before = left(owner).keys()

    delete(owner)

    ways = {model.__tablename__ for model in leaving.WAYS_IN}
    assert before - left(owner).keys() == ways
    of_person = {table for table in before if table_module(table).startswith("people")}
    assert of_person - ways == {"user", "activity", "spent_token"}
    token, _ = login_sessions.add(owner, "Firefox", "Linux", "127.0.0.1", kept=True)
    db.session.commit()
    assert login_sessions.find(login_sessions.Claim.of(owner, token)) is None


def table_module(name):
    """Return in which part of the store a table's model is."""
    mappers = db.Model.registry.mappers
    (model,) = (each.class_ for each in mappers if each.local_table.name == name)
    return model.__module__.removeprefix("plaidapp.store.")


def test_what_plaid_has_to_be_told_with_is_all_that_is_kept(
    link, owner, delete, left, run, look, bank_server, at_plaid
):
    """Plaid fails for a while. It is asked until it confirms."""
    one, two = link(), link("ins_109509")
    bank_server.misbehave(path=REMOVE, **DOWN)
    pull_id = delete(owner)
    for _ in range(3):
        run(pull_id)
        assert look(pull_id).state == "queued"
        assert left(owner) == {"user": 1, "item": 2, "pull": 1}
    nothing = {None, "", b"", 0}
    rows = db.session.execute(select(Item.__table__).order_by(Item.id)).mappings().all()
    told = [{name for name, value in row.items() if value not in nothing} for row in rows]
    sealed = {"id", "user_id", "plaid_item_id", "access_token"}
    assert told == [sealed | {"state", "next_look", "deletes_history", "created_at"}] * 2
    bank_server.faults.rulebook.clear()

    run(pull_id)

    assert left(owner) == {}
    assert at_plaid() == 0
    assert one.id != two.id


def test_one_bank_that_fails_keeps_no_other(link, owner, delete, run, left, intercept, token_of):
    one, _two = link(), link("ins_109509")
    failing = token_of(one)
    refused = ("API_ERROR", "INTERNAL_SERVER_ERROR")
    intercept(REMOVE, lambda sent: refused if sent["access_token"] == failing else None)

    run(delete(owner))

    assert left(owner) == {"user": 1, "item": 1, "pull": 1}
    assert db.session.scalar(select(Item.plaid_item_id)) == one.plaid_item_id


class KilledError(BaseException):
    """The worker was killed."""


def test_a_worker_may_be_killed_at_any_commit(
    link, owner, other, delete, run, left, at_plaid, monkeypatch
):
    """Each attempt gets one commit further than the one before. Heartbeats don't count."""

    def in_worker(thread=threading.get_ident()):  # noqa: B008 this one
        return threading.get_ident() == thread

    link()
    fill(owner)
    fill(other)
    others = left(other)
    pull_id = delete(owner)
    monkeypatch.setattr(policy, "DELETE_BATCH", 1)
    monkeypatch.setattr(policy, "DELETE_PAUSE", 0.0)
    commit, kills = db.session.commit, 0
    for lives in range(1, 1000):
        commits = iter(range(lives))

        def or_die(commits=commits):
            commit()
            if in_worker() and next(commits, None) is None:
                raise KilledError

        monkeypatch.setattr(db.session, "commit", or_die)
        try:
            run(pull_id)
            break
        except KilledError:
            kills += 1
        finally:
            monkeypatch.setattr(db.session, "commit", commit)
            db.session.remove()
        if not left(owner):
            break
        lost = update(Pull).where(Pull.state == "running")
        db.session.execute(lost.values(heartbeat_at=now() - timedelta(minutes=1)))
        db.session.commit()
        clock.reclaim()
    assert kills > 10
    assert left(owner) == {}
    assert at_plaid() == 0
    assert left(other) == others


def test_a_second_click_begins_nothing(owner, delete):
    assert delete(owner)
    assert delete(owner) is None


def test_a_large_history_goes_in_parts(link, owner, delete, run, left, monkeypatch):
    monkeypatch.setattr(policy, "DELETE_BATCH", 20)
    monkeypatch.setattr(policy, "DELETE_PAUSE", 0.0)
    link(username="user_transactions_dynamic", password="any")
    rows, parts = left(owner)["transaction"], []
    delete_some = owned_rows.delete_some

    def watch(table, *args):
        parts.append((table.name, delete_some(table, *args)))
        return parts[-1][1]

    monkeypatch.setattr(owned_rows, "delete_some", watch)
    run(delete(owner))
    of_rows = [number for name, number in parts if name == "transaction"]
    assert sum(of_rows) == rows > 40
    assert max(number for _, number in parts) <= 20
    assert left(owner) == {}


@pytest.mark.parametrize("kind", [kinds.TRANSACTIONS, kinds.ACCOUNTS, kinds.RECURRING])
def test_a_pull_that_is_running_stores_nothing_more(
    link, begin, run, owner, delete, left, bank_server, token_of, monkeypatch, kind
):
    """The person leaves, and is gone, while a worker has the bank's answer."""
    from plaidapp.jobs.pulls.attempt import Attempt

    item = link()
    bank_server.call("/transactions/refresh", access_token=token_of(item))
    pull_id, lock_ledger = begin(kind, items=[item]), Attempt.lock_ledger

    def delete_first(attempt, pull_item):
        monkeypatch.setattr(Attempt, "lock_ledger", lock_ledger)
        run(delete(owner))
        lock_ledger(attempt, pull_item)

    monkeypatch.setattr(Attempt, "lock_ledger", delete_first)
    run(pull_id)
    assert left(owner) == {}


def test_a_connection_that_is_being_made_is_ended_too(
    app, owner, begin, run, look, delete, left, at_plaid, intercept, custom
):
    """The person leaves while a worker exchanges a token. Plaid tells the access token once."""
    pull_id, erasing, states = begin(kinds.LINK, given=custom(("1", 3))), [], []

    def answer(_sent):
        if not erasing:
            with app.app_context():
                erasing.append(delete(owner))
                run(erasing[0])
                states.append(look(erasing[0]).state)

    intercept(EXCHANGE, answer)
    run(pull_id)
    assert states == ["queued"]  # it waits
    run(erasing[0])
    assert left(owner) == {}
    assert at_plaid() == 0


def test_a_worker_that_died_in_an_exchange_leaves_no_item(
    owner, begin, run, delete, left, at_plaid, bank_server, custom
):
    """The public token is stored. Plaid answers with the same Item for half an hour."""
    bank_server.misbehave(path=EXCHANGE, **DOWN)
    run(begin(kinds.LINK, given=custom(("1", 3))))
    assert at_plaid() == 1
    pull_id = delete(owner)
    run(pull_id)
    assert left(owner)["pull"] == 2
    bank_server.faults.rulebook.clear()

    run(pull_id)

    assert left(owner) == {}
    assert at_plaid() == 0


@pytest.fixture
def in_link(context, owner, fake_link, begin):
    """A person is at Plaid. Return the link token."""

    def create():
        session = link_sessions.add(owner, link_sessions.CONNECT)
        link = context.extensions["bank"].create_link(owner, "somebody", "http://localhost/")
        session_id = session.id
        pull_id = begin(kinds.CONNECT)
        link_sessions.change(session_id, pull_id=pull_id, **link._asdict())
        db.session.commit()
        return list(fake_link.sessions)[-1]

    return create


def test_what_was_made_in_link_is_ended(
    context, owner, in_link, fake_link, delete, run, left, at_plaid, bank_server, link
):
    """One connection that nobody has looked at, and one that waits for the person's decision."""
    link()
    fake_link.add(in_link(), fake_link.result())
    in_link()
    session = db.session.scalars(select(LinkSession).order_by(LinkSession.id.desc())).first()
    token, until = fake_link.public_token(), now() + policy.PUBLIC_TOKEN_LIFE
    sealed = context.extensions["bank"].seal(owner, token)
    found = link_results.Found(hash_of(token), sealed, "ins_1", "Bank", "[]", until)
    link_results.save(session.id, [found])
    db.session.execute(update(LinkResult).values(state=link_results.HELD))
    db.session.commit()
    assert at_plaid() == 3
    bank_server.misbehave(path=EXCHANGE, **DOWN)
    pull_id = delete(owner)
    run(pull_id)
    assert left(owner) == {"user": 1, "pull": 1, "link_session": 2, "link_result": 2}
    bank_server.faults.rulebook.clear()

    run(pull_id)

    assert left(owner) == {}
    assert at_plaid() == 0


def test_a_page_that_was_on_its_way_begins_nothing(owner, begin, delete, run, look, left, at_plaid):
    erasing = delete(owner)
    pull_id = begin(kinds.LINK)
    run(pull_id)
    assert look(pull_id).state == "queued"
    assert at_plaid() == 0
    run(erasing)
    assert left(owner) == {}


def test_webhooks_of_a_person_who_left_are_not_stored(
    link, owner, delete, run, left, all_rows, tell, bank_server
):
    """While Plaid has not confirmed, and after that."""
    item = link()
    bank_server.misbehave(path=REMOVE, **DOWN)
    pull_id = delete(owner)
    run(pull_id)
    before = left(owner)
    tell(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    assert left(owner) == before
    bank_server.faults.rulebook.clear()
    run(pull_id)
    tell(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    assert all_rows()["webhook"] == []


def test_the_clock_finds_a_deletion_that_nobody_was_told_of(owner, delete, work, left):
    """Redis was away, or its job was lost."""
    delete(owner)
    work()
    assert left(owner) == {}
