"""Sessions of Link and the pulls that follow them, without a page."""

import pytest

from plaidapp.extensions import db
from plaidapp.jobs.connections import connect_results, link_looks
from plaidapp.store.connections import link_sessions
from plaidapp.store.pulls import kinds, pulls


@pytest.fixture
def open_link(context, owner, begin, fake_link):
    """Begin a session of Link with the pull that follows it; return the pull's id."""

    def create():
        session_id = link_sessions.add(owner, link_sessions.CONNECT).id
        db.session.commit()
        link = context.extensions["bank"].create_link("somebody", "http://localhost/")
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
