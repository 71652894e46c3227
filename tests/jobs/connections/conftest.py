"""Sessions of Link and log-ins of the scripted bank, and the pulls that follow them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.jobs.connections import connect_results, link_looks
from plaidapp.store import Account, Item, Pull
from plaidapp.store.connections import link_sessions
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.reports import balance_history
from plaidapp.store.transactions import monthly_refresh
from tests.scripted_bank import ScriptedBank, scripted_bank  # noqa: F401 a fixture


@pytest.fixture
def open_link(context, owner, begin, fake_link):
    """Begin a session of Link with the pull that follows it; return the pull's id."""

    def create():
        session_id = link_sessions.add(owner, link_sessions.CONNECT).id
        db.session.commit()
        link = context.extensions["bank"].create_link(owner, "somebody", "http://localhost/")
        pull_id = begin(kinds.CONNECT)
        link_sessions.change(
            session_id,
            pull_id=pull_id,
            look_after=link_sessions.look_later(),
            **link._asdict(),
        )
        db.session.commit()
        return pull_id

    return create


@pytest.fixture
def come_back(context):
    """The browser returns from Plaid."""

    def request(pull_id):
        session = link_sessions.of_pull(pull_id)
        link_sessions.note_return(session.id)
        link_looks.request(session, pulls.PERSON)
        db.session.commit()

    return request


@pytest.fixture
def press_separate(context):
    """The person presses *Connect it separately*, in another process."""

    def press(pull_id):
        with context.app_context():
            assert connect_results.approve(link_sessions.of_pull(pull_id), None)
            db.session.commit()

    return press


@pytest.fixture
def bank(scripted_bank: ScriptedBank) -> ScriptedBank:  # noqa: F811
    return scripted_bank


@pytest.fixture
def days(today: date) -> Callable[[int], date]:
    """`days(3)` was three days ago."""
    return lambda age: today - timedelta(days=age)


@pytest.fixture
def connect_login(link) -> Callable[..., Item]:
    """Connect a log-in of the scripted bank. Returns the Item."""

    def connect(name: str, institution_id: str = "ins_1") -> Item:
        return link(institution_id=institution_id, username=name, password="any")

    return connect


@pytest.fixture
def check_derived() -> Callable[[], None]:
    """Compare monthly totals and daily balances with the rows."""

    def check() -> None:
        db.session.remove()
        ids = db.session.scalars(select(Account.id)).all()
        assert monthly_refresh.wrong(ids) == set()
        assert balance_history.wrong(ids) == set()
        db.session.remove()

    return check


@pytest.fixture
def finish(run, check_derived) -> Callable[[], None]:
    """Run every queued pull, as the worker and the clock do, and check all derived data."""

    def run_all() -> None:
        while True:
            db.session.remove()
            queued = db.session.scalars(select(Pull.id).where(Pull.state == "queued")).all()
            if not queued:
                break
            for pull_id in queued:
                run(pull_id)
        check_derived()

    return run_all
