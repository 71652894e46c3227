"""REQUIRE_SECOND_FACTOR: nobody gets to anything without a second factor."""

from dataclasses import replace

import pytest

from plaidapp.auth.second_factor import requirement
from plaidapp.extensions import db
from plaidapp.store import Passkey
from plaidapp.store.people import users
from tests.auth.test_access import routes
from tests.conftest import PASSWORD
from tests.factors import add_passkey, is_in, set_up_app
from tests.pages import Page

SENT = "/auth/factors"


@pytest.fixture(autouse=True)
def _required(app):
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], require_second_factor=True)
    requirement.init_app(app)


@pytest.fixture
def passkey_id(app):
    def read():
        with app.app_context():
            return db.session.scalar(db.select(Passkey.id))

    return read


@pytest.mark.both_databases
def test_a_session_from_before_opens_only_what_sets_one_up(app, alice, dump):
    version = users.version_of(0, users.time_zones.zone_of("UTC"))
    asked = [(method, path.format(*(1 for _ in names))) for method, path, names in routes(app)]
    asked += [("GET", f"/finance/live?revision={revision}") for revision in (version, "0")]
    before = dump()
    opened = set()

    for method, path in asked:
        plain = alice.client.open(path, method=method)
        htmx = alice.htmx(method, path)
        if path.partition("?")[0].endswith(".json") and plain.status_code == 403:
            assert plain.json["error"].startswith("This site requires a second factor.")
        elif plain.location == SENT:
            assert (htmx.status_code, htmx.headers["HX-Redirect"]) == (403, SENT), path
        else:
            opened.add(path)

    assert opened == {
        "/auth/confirm",
        "/auth/confirm/passkey",
        "/auth/confirm/passkey.json",
        "/auth/factors",
        "/auth/factors/app",
        "/auth/factors/passkeys/new",
        "/auth/factors/passkeys/new.json",
    }
    assert dump() == before


def test_who_signs_up_sets_one_up_and_is_in(app, client):
    form = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    client.post("/auth/signup", data=form)
    page = client.get("/finance/", follow_redirects=True)
    assert page.request.path == SENT
    assert "Set up an app or a passkey to go on." in Page(page.text).text
    assert "/finance/" not in page.text, "a link to a page that is closed"
    assert not is_in(client)

    dora = type("Dora", (), {"client": client})
    set_up_app(dora)

    assert is_in(client)


def test_who_has_one_is_not_stopped(alice):
    add_passkey(alice)
    for path in ("/finance/", "/finance/accounts.json", "/auth/account"):
        assert alice.client.get(path).status_code == 200


def test_the_last_one_can_not_be_removed(app, alice, passkey_id):
    set_up_app(alice)
    add_passkey(alice)
    passkey = f"/auth/factors/passkeys/{passkey_id()}/remove"
    assert alice.client.post("/auth/factors/app/remove").status_code == 303

    answer = alice.client.post(passkey)

    assert answer.status_code == 422
    assert "Add another one before you remove it." in answer.text
    assert passkey_id()
    assert is_in(alice.client)


def test_log_out_and_theme_still_work(alice):
    assert alice.client.post("/theme", data={"theme": "dark"}).location == "/"
    assert alice.client.post("/auth/logout").location == "/auth/login"
