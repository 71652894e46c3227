"""/healthz says that the process is up, /readyz that its database and Redis are too."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from plaidapp import create_app
from plaidapp.extensions import db
from tests.ports import free_port


@pytest.fixture
def changed(app):
    """Return a client of the same app with other settings."""
    made = []

    def make(**settings):
        other = create_app(replace(app.config["PLAIDAPP"], **settings))
        made.append(other)
        return other.test_client()

    yield make
    for other in made:
        other.extensions["redis"].close()
        with other.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.mark.both_databases
def test_the_app_is_ready_when_everything_is_up(client):
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (
        200,
        {"status": "ok"},
    )
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"database": "ok", "redis": "ok"})


def test_without_redis_the_app_is_healthy_but_not_ready(changed):
    client = changed(redis_url=f"redis://127.0.0.1:{free_port()}")

    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"database": "ok", "redis": "away"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_database_the_app_is_healthy_but_not_ready(changed):
    client = changed(database_url=f"postgresql+psycopg://a:b@127.0.0.1:{free_port()}/c")

    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"database": "away", "redis": "ok"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_empty_database_is_not_migrated(changed, tmp_path):
    client = changed(database_url=f"sqlite:///{tmp_path / 'empty.db'}")

    ready = client.get("/readyz")

    assert (ready.status_code, ready.json["database"]) == (503, "not migrated")


@pytest.mark.both_databases
def test_a_database_of_another_version_is_not_migrated(app, client):
    with app.app_context():
        (head,) = db.session.execute(text("SELECT version_num FROM alembic_version")).scalars()

    def stamp(version):
        with app.app_context():
            db.session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
            db.session.commit()

    stamp("0000")
    try:
        ready = client.get("/readyz")
    finally:
        stamp(head)

    assert (ready.status_code, ready.json["database"]) == (503, "not migrated")
    assert client.get("/readyz").status_code == 200


def test_health_checks_need_no_log_in_and_start_no_session(client):
    for path in ("/healthz", "/readyz"):
        assert "Set-Cookie" not in client.get(path).headers
