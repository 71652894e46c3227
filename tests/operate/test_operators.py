"""Who is an operator, and that the pages exist for nobody else.

tests/auth/test_access.py asks every route as a stranger.
"""

import logging

import pytest

from plaidapp.extensions import db
from plaidapp.store.people import activity
from tests.auth.test_access import routes
from tests.conftest import PASSWORD


@pytest.fixture
def make_operator(app):
    def run(*args):
        return app.test_cli_runner().invoke(args=["make-operator", *args])

    return run


def kinds_of(app, person):
    with app.app_context():
        return [row.kind for row in activity.latest(person.id, 5)]


def test_an_operator_is_made_and_unmade(app, make_operator, alice, caplog):
    caplog.set_level(logging.INFO)
    assert make_operator("nobody").exit_code == 2

    made = make_operator("alice@example.com")

    assert made.exit_code == 0, made.output
    assert "alice is an operator" in made.output
    assert "no second factor" in made.output
    assert alice.client.get("/ops/").status_code == 200
    assert "/ops/" in alice.client.get("/finance/").text
    make_operator("alice")
    assert make_operator("alice", "--remove").output == "alice is not an operator.\n"
    assert alice.client.get("/ops/").status_code == 404
    assert kinds_of(app, alice) == ["operator_removed", "operator_made"]
    events = [each for each in caplog.records if getattr(each, "event", "") == "operator"]
    assert [each.event_fields["command"] for each in events] == [
        *("make-operator", "make-operator", "make-operator --remove")
    ]


def test_for_others_the_pages_do_not_exist(app, client, charlie, operator):
    tried = 0
    for method, path, _names in routes(app):
        if path.startswith("/ops"):
            assert charlie.client.open(path.format(1), method=method).status_code == 404, path
            assert charlie.htmx(method, path.format(1)).status_code == 404, path
            tried += 1
    assert tried >= 8
    assert client.options("/ops/doctor").status_code == 404
    assert "/ops" not in charlie.client.get("/finance/").text


def test_an_action_asks_who_it_is(app, operator):
    """Without a log-in or a confirmation of the last ten minutes, nothing is done."""
    with app.app_context():
        db.session.execute(db.text("UPDATE login_session SET confirmed_at = '2026-01-01'"))
        db.session.commit()

    answer = operator.client.post("/ops/doctor")

    assert (answer.status_code, answer.location) == (303, "/auth/confirm?next=/ops/doctor")
    assert operator.htmx("POST", "/ops/doctor").headers["HX-Redirect"] == answer.location
    assert kinds_of(app, operator) == []
    form = {"password": PASSWORD, "next": "/ops/doctor"}
    assert operator.client.post("/auth/confirm", data=form).location == "/ops/doctor"
