"""PostgreSQL plans the queries of pages once for a connection, not at each request."""

import pytest
from sqlalchemy import text

from plaidapp.extensions import db
from plaidapp.store import User

OFTEN = 7
"""The driver prepares what it runs a sixth time."""
PREPARED = text("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%FROM account%'")


@pytest.fixture
def prepared(app, alice):
    """Return what names the prepared queries of a page that has been opened often."""
    with app.app_context():
        db.engine.dispose()  # so that there is one connection: each has statements of its own
    for _ in range(OFTEN):
        assert alice.client.get("/finance/accounts").status_code == 200

    def ask():
        with app.app_context():
            names = db.session.scalars(PREPARED).all()
            db.session.commit()  # a rollback would drop them
        return names

    return ask


def test_a_page_uses_what_an_earlier_one_has_prepared(prepared, alice):
    before = prepared()
    alice.client.get("/finance/accounts")
    assert prepared() == before != []


def test_a_page_works_again_after_what_was_prepared_is_lost(app, prepared, alice):
    """Something else than the driver drops it, such as a pooler. A migration may break it too."""
    assert prepared()
    with app.app_context():
        db.session.execute(text("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"))
        db.session.commit()
    statuses = [alice.client.get("/finance/accounts").status_code for _ in range(3)]
    assert statuses == [500, 200, 200]


@pytest.mark.usefixtures("alice")
def test_a_jot_of_a_get_that_is_rolled_back_is_not_stored(app, ask):
    with (
        app.test_request_context("/"),
        db.engine.connect().execution_options(jots=True) as connection,
    ):
        connection.execute(db.update(User).values(username="mallory"))
        connection.rollback()
    assert [user.username for user in ask(User)] == ["alice"]
