"""Polls that wait, those that find no place to, and what a poll without news costs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from plaidapp.extensions import GLANCES, db
from plaidapp.finance.pulls import long_poll
from plaidapp.jobs import queue
from plaidapp.jobs.pulls import done_signal
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, pulls, transitions

NEVER = 60.0


@pytest.fixture
def held(alice, poll):
    """Polls in a thread, and returns once that poll waits; its answer comes later."""
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
    """The pull is over, as a worker says it; `quietly`: or as one whom Redis does not hear."""

    def work(pull_id, quietly):
        with app.app_context():
            transitions.claim(pull_id)
            db.session.commit()
            transitions.touch(pull_id, 1, state=pulls.DONE)
            db.session.commit()
            if not quietly:
                done_signal.tell(pull_id)

    def finish(pull_id, quietly=False):
        with ThreadPoolExecutor(1) as worker:  # not in the middle of a request
            worker.submit(work, pull_id, quietly).result()

    return finish


def test_a_poll_is_answered_when_the_pull_is_over_and_not_before(
    pull, held, end, panel, monkeypatch
):
    monkeypatch.setattr(long_poll, "STEADY", NEVER)  # so it is the news that is heard
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = held(pull())
    end(1)
    assert panel(answer.result(10)).state == "done"
    assert long_poll._waiting == set()


def test_an_end_that_was_told_before_one_listens_is_heard(pull, end, alice, panel, monkeypatch):
    """The row is read, the pull ends, and only then does the poll listen."""
    monkeypatch.setattr(long_poll, "STEADY", NEVER)
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    number, look = pull(), pulls.glance
    looks = []

    def glance(*asked):
        seen = look(*asked)
        if not looks:
            end(number)
        looks.append(seen)
        return seen

    monkeypatch.setattr(pulls, "glance", glance)
    shown = panel(alice.htmx("GET", f"/finance/pulls/{number}?revision=0"))
    assert shown.state == "done"
    assert len(looks) == 2


def test_a_change_is_answered_once_it_has_lasted(app, pull, held, panel, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = held(pull())
    with app.app_context():
        transitions.claim(1)
        db.session.commit()
    assert panel(answer.result(10)).state == "running"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_the_row_is_read_again_and_again(
    app, pull, held, end, panel, monkeypatch, tmp_path
):
    gone = queue.connect(f"unix://{tmp_path}/nothing-here")
    monkeypatch.setitem(app.extensions, "redis", gone)
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = held(pull())
    end(1)
    assert panel(answer.result(10)).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_end_of_which_nobody_tells_is_seen_all_the_same(pull, held, end, panel, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    answer = held(pull())
    end(1, quietly=True)
    assert panel(answer.result(10)).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wait_ends_and_the_panel_asks_again(alice, pull, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", 0.01)
    answer = alice.htmx("GET", f"/finance/pulls/{pull()}?revision=0")
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "again")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("age", "again"), [(-50, "again"), (50, "again"), (300, "soon"), (1500, "later"), (50000, None)]
)
def test_who_finds_no_place_asks_the_later_the_older_the_pull_is(
    alice, pull, monkeypatch, age, again
):
    slowly = [(event, seconds * 1000) for event, seconds in long_poll.PACES]
    monkeypatch.setattr(long_poll, "PACES", slowly)  # or a slow test would be of another age
    monkeypatch.setattr(long_poll, "PLACES", 0)
    number = pull(created_at=now() - timedelta(seconds=age))
    answer = alice.htmx("GET", f"/finance/pulls/{number}?revision=0")
    assert (answer.status_code, answer.headers.get("HX-Trigger")) == (204, again)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_person_waits_once_and_others_beside_them(
    app, alice, charlie, pull, held, end, poll, monkeypatch
):
    monkeypatch.setattr(long_poll, "LONGEST", NEVER)
    monkeypatch.setattr(long_poll, "PLACES", 2)
    answer = held(pull())
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


def test_nobody_waits_for_a_strangers_pull(charlie, client, pull, monkeypatch):
    number = pull()
    path = f"/finance/pulls/{number}?revision=0"
    assert charlie.htmx("GET", path).status_code == 404
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 401
    for none in (2**40, 2**64):
        assert charlie.htmx("GET", f"/finance/pulls/{none}?revision=0").status_code == 404


LISTS = ("/finance/live", "/finance/recurring/live", "/finance/transactions/live")


@pytest.mark.parametrize("path", LISTS)
def test_a_poll_without_news_is_one_look(alice, statements, path):
    answer = alice.htmx("GET", f"{path}?revision=0")
    assert (answer.status_code, answer.data) == (204, b"")
    assert len(statements) == 1
    assert "Set-Cookie" not in answer.headers


def test_a_panels_poll_without_a_place_is_one_look(alice, pull, statements, monkeypatch):
    monkeypatch.setattr(long_poll, "PLACES", 0)
    number = pull()
    statements.clear()
    assert alice.htmx("GET", f"/finance/pulls/{number}?revision=0").status_code == 204
    assert len(statements) == 1


@pytest.mark.parametrize("path", LISTS)
def test_a_session_that_outlived_its_person_is_told_to_log_in(app, alice, path):
    with app.app_context():
        db.session.execute(text('DELETE FROM "user"'))
        db.session.commit()
    for revision in ("0", "None", ""):
        answer = alice.htmx("GET", f"{path}?revision={revision}")
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/auth/login")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_died_is_replaced(app, alice):
    path = "/finance/live?revision=0"
    assert alice.htmx("GET", path).status_code == 204
    with app.app_context():
        db.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        db.session.commit()
        assert db.engines[GLANCES].pool.checkedin() == 1
    assert alice.htmx("GET", path).status_code == 200, "the ordinary way"
    assert alice.htmx("GET", path).status_code == 204
