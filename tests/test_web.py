"""How the app is made: its files, its keys, and the warm-up before gunicorn forks."""

import dataclasses
import re
import secrets

import pytest
from sqlalchemy import text

from plaidapp import create_app, web
from plaidapp.extensions import db
from tests.conftest import make_config


@pytest.mark.parametrize("exists", [True, False])
def test_only_its_owner_reads_the_database_file(tmp_path, redis_url, exists):
    path = tmp_path / "data" / "plaidapp.db"
    names = ("plaidapp.db", "plaidapp.db-wal", "plaidapp.db-shm")
    if exists:
        path.parent.mkdir()
        for name in names:
            path.with_name(name).touch(mode=0o644)
    app = create_app(make_config(f"sqlite:///{path}", redis_url, "http://localhost:1"))
    with app.app_context():
        db.session.execute(text("CREATE TABLE t (a)"))
        db.session.commit()
        assert {file.name for file in path.parent.iterdir()} == set(names)
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        db.engine.dispose()


def test_a_session_and_its_forms_stay_valid_when_secret_key_changes(app, client):
    """The first key signs, and all of them are accepted."""
    old = app.config["PLAIDAPP"]
    page = client.get("/auth/login").text
    token = re.search('name="csrf_token" value="([^"]+)"', page)[1]
    cookie = client.get_cookie("session").value
    keys = (secrets.token_hex(), *old.secret_keys)
    new = create_app(dataclasses.replace(old, secret_keys=keys))
    visitor = new.test_client()
    visitor.set_cookie("session", cookie)
    form = {"csrf_token": token, "username": "", "password": ""}
    assert visitor.post("/auth/login", data=form).status_code == 422
    with new.app_context():
        db.engine.dispose()


def test_after_the_warm_up_no_request_compiles_a_template(app, client, monkeypatch):
    web.warm_up(app)

    def load_now(*_names, **_globals):
        raise AssertionError("a request loaded a template")

    monkeypatch.setattr(app.jinja_env.loader, "load", load_now)
    assert client.get("/auth/signup").status_code == 200
    assert client.get("/nowhere").status_code == 404
