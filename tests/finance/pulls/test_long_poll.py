"""Polls that wait, polls without a free place, and the cost of a poll without a change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from select import POLLIN
from select import poll as poll_of_system

import pytest
from sqlalchemy import NullPool, create_engine, inspect, literal, literal_column, select, text

from plaidapp import clicks_under_way, policy
from plaidapp.extensions import db, glance
from plaidapp.finance.pulls import long_poll
from plaidapp.jobs import queue
from plaidapp.jobs.pulls import done_signal
from plaidapp.store.base.types import now
from plaidapp.store.people import time_zones, users
from plaidapp.store.pulls import glimpses, kinds, pulls, transitions

NEVER = 60.0


def version_of_new_ledger():
    return users.version_of(0, time_zones.zone_of("UTC"))


@pytest.fixture
def waiting(alice, poll):
    """Poll in a thread. Return the future of the answer once the poll is waiting."""
    with ThreadPoolExecutor() as pool:

        def ask(pull_id, revision=0):
            path = f"/finance/pulls/{pull_id}?revision={revision}"
            answer = pool.submit(alice.htmx, "GET", path)
            poll(lambda: alice.id in long_poll._waiting or answer.done(), what="the wait")
            assert not answer.done()
            return answer

        yield ask


@pytest.fixture
def end(app):
    """End the pull as a worker does. `quietly` sends no signal, as if Redis were down."""

    def work(pull_id, quietly):
        with app.app_context():
            transitions.claim(pull_id)
            db.session.commit()
            transitions.touch(pull_id, 1, state=pulls.DONE)
            db.session.commit()
            if not quietly:
                done_signal.tell(pull_id)

    def finish(pull_id, quietly=False):
        with ThreadPoolExecutor(1) as worker:  # in a thread, so that it is not part of a request
            worker.submit(work, pull_id, quietly).result()

    return finish


def test_a_poll_waits_until_the_pull_is_over(pull, waiting, end, panel, monkeypatch):
    monkeypatch.setattr(long_poll, "STEADY", NEVER)  # so that only the signal can end the wait
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = waiting(pull())
    end(1)
    assert panel(answer.result(10)).state == "done"
    assert long_poll._waiting == set()


@pytest.mark.parametrize(("age", "is_click"), [(0, True), (120, False)])
def test_a_poll_says_while_it_waits_that_somebody_waits_for_a_click(
    pull, waiting, end, monkeypatch, age, is_click
):
    said, expect = [], clicks_under_way.expect
    monkeypatch.setattr(clicks_under_way, "expect", lambda s: said.append(s) or expect(s))
    monkeypatch.setattr(policy, "CLICK_LASTS", NEVER)
    monkeypatch.setattr(long_poll, "STEADY", NEVER)
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    expect(0.0)
    answer = waiting(pull(created_at=now() - timedelta(seconds=age)))
    end(1)
    answer.result(10)
    assert bool(said) == is_click
    assert not clicks_under_way.are_there()


def test_an_end_that_is_signaled_before_the_poll_listens_is_noticed(
    pull, end, alice, panel, monkeypatch
):
    """The poll reads the row, then the pull ends, and only then does the poll listen."""
    monkeypatch.setattr(long_poll, "STEADY", NEVER)
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    number, look = pull(), glimpses.glance
    looks = []

    def glance(*asked):
        seen = look(*asked)
        if not looks:
            end(number)
        looks.append(seen)
        return seen

    monkeypatch.setattr(glimpses, "glance", glance)
    shown = panel(alice.htmx("GET", f"/finance/pulls/{number}?revision=0"))
    assert shown.state == "done"
    assert len(looks) == 2


def test_a_change_is_answered_once_it_is_old_enough(app, pull, waiting, panel, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = waiting(pull())
    with app.app_context():
        transitions.claim(1)
        db.session.commit()
    assert panel(answer.result(10)).state == "running"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_the_poll_reads_the_row_repeatedly(
    app, pull, waiting, end, panel, monkeypatch, tmp_path
):
    gone = queue.connect(f"unix://{tmp_path}/nothing-here")
    monkeypatch.setitem(app.extensions, "redis", gone)
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = waiting(pull())
    end(1)
    assert panel(answer.result(10)).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_end_without_a_signal_is_noticed(pull, waiting, end, panel, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = waiting(pull())
    end(1, quietly=True)
    assert panel(answer.result(10)).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wait_ends_and_the_panel_polls_again(alice, pull, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", 0.01)
    answer = alice.htmx("GET", f"/finance/pulls/{pull()}?revision=0")
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "again")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("age", "again"), [(-50, "again"), (50, "again"), (300, "soon"), (1500, "later"), (50000, None)]
)
def test_without_a_free_place_the_panel_of_an_older_pull_polls_later(
    alice, pull, monkeypatch, age, again
):
    slowly = [(event, seconds * 1000) for event, seconds in long_poll.PACES]
    monkeypatch.setattr(
        long_poll, "PACES", slowly
    )  # so that the age does not depend on the speed of the test
    monkeypatch.setattr(long_poll, "PLACES", 0)
    number = pull(created_at=now() - timedelta(seconds=age))
    answer = alice.htmx("GET", f"/finance/pulls/{number}?revision=0")
    assert (answer.status_code, answer.headers.get("HX-Trigger")) == (204, again)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_poll_of_each_person_may_wait(
    app, alice, charlie, pull, waiting, end, poll, monkeypatch
):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    monkeypatch.setattr(long_poll, "PLACES", 2)
    answer = waiting(pull())
    second = alice.htmx("GET", f"/finance/pulls/{pull()}?revision=0")
    assert second.status_code == 204
    with app.app_context():
        theirs = pulls.add(charlie.id, kinds.LINK)
        db.session.commit()
        number = theirs.id
    with ThreadPoolExecutor() as pool:
        other = pool.submit(charlie.htmx, "GET", f"/finance/pulls/{number}?revision=0")
        poll(lambda: long_poll._waiting == {alice.id, charlie.id}, what="both wait")
        end(number)
        end(1)
        assert (other.result(10).status_code, answer.result(10).status_code) == (200, 200)


@pytest.mark.both_databases
def test_a_poll_of_another_persons_pull_does_not_wait(charlie, client, pull, monkeypatch):
    number = pull()
    path = f"/finance/pulls/{number}?revision=0"
    assert charlie.htmx("GET", path).status_code == 404
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 401
    for none in (2**40, 2**64):
        assert charlie.htmx("GET", f"/finance/pulls/{none}?revision=0").status_code == 404


LISTS = (
    *("/finance/live", "/finance/recurring/live", "/finance/transactions/live"),
    "/finance/spending/live",
)


@pytest.mark.parametrize("path", LISTS)
def test_a_poll_of_an_unchanged_list_is_one_query(alice, statements, path):
    answer = alice.htmx("GET", f"{path}?revision={version_of_new_ledger()}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert len(statements) == 1
    assert "Set-Cookie" not in answer.headers


def test_a_poll_of_a_panel_without_a_place_is_one_query(alice, pull, statements, monkeypatch):
    monkeypatch.setattr(long_poll, "PLACES", 0)
    number = pull()
    statements.clear()
    assert alice.htmx("GET", f"/finance/pulls/{number}?revision=0").status_code == 204
    assert len(statements) == 1


@pytest.mark.parametrize("path", LISTS)
def test_the_session_of_a_deleted_person_gets_the_log_in(app, alice, path):
    with app.app_context():
        db.session.execute(text('DELETE FROM "user"'))
        db.session.commit()
    for revision in ("0", "None", ""):
        answer = alice.htmx("GET", f"{path}?revision={revision}")
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/auth/login")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_dead_connection_is_replaced(app, alice):
    path = f"/finance/live?revision={version_of_new_ledger()}"
    assert alice.htmx("GET", path).status_code == 204
    with app.app_context():
        assert db.engine.pool.checkedin() > 0
        outside = create_engine(db.engine.url, poolclass=NullPool)
    with outside.connect() as connection:
        query = (
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert connection.scalar(text(query)) > 0
    assert alice.htmx("GET", path).status_code == 204


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_is_tested_only_if_there_is_something_to_read(context, monkeypatch):
    db.engine.dispose()  # one connection is enough from now on
    pings = []
    ping = db.engine.dialect.do_ping
    monkeypatch.setattr(db.engine.dialect, "do_ping", lambda it: pings.append(it) or ping(it))
    news = text("LISTEN news"), text("NOTIFY news")

    def use(statement):
        with db.engine.connect() as connection, connection.begin():
            connection.execute(statement)
            return connection.connection.dbapi_connection

    driver = use(news[0])
    assert use(news[0]) is driver
    assert pings == []
    with create_engine(db.engine.url, poolclass=NullPool).begin() as outside:
        outside.execute(news[1])
    sockets = poll_of_system()
    sockets.register(driver.fileno(), POLLIN)
    assert sockets.poll(10_000)
    assert use(news[0]) is driver
    assert pings == [driver]


def test_a_glance_that_fails_finds_nothing(context):
    assert glance(select(literal_column("no_such_column"))) is None
    assert glance(select(literal(1))) == (1,)


@pytest.mark.both_databases
def test_a_connection_has_transactions_again_after_a_glance(context):
    db.engine.dispose()  # one connection is enough from now on
    assert glance(select(literal(1))) == (1,)
    with db.engine.connect() as connection:
        connection.execute(text("CREATE TABLE fleeting (id INT)"))
    assert not inspect(db.engine).has_table("fleeting")
