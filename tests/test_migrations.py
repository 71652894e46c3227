"""The migrations, up and down, on both databases."""

import pytest
from cryptography.fernet import Fernet
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

from config import Config
from plaidapp import create_app
from plaidapp.extensions import db

TABLES = {
    *("user", "item", "account", "transaction", "pull", "pull_item", "webhook", "webhook_key"),
    *("balance", "monthly_total"),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres")
    server.psql("CREATE DATABASE migrations")
    yield server.get_uri("migrations").replace("postgresql://", "postgresql+psycopg://")
    server.psql("DROP DATABASE migrations")


@pytest.fixture
def database(empty_url):
    env = {
        "SECRET_KEY": "for tests only",
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "PLAID_BASE_URL": "http://localhost:1",
        "DATABASE_URL": empty_url,
    }
    with create_app(Config.from_env(env)).app_context():
        yield db
        db.session.remove()
        db.engine.dispose()


def tables():
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_up_makes_every_table(database):
    upgrade()
    assert tables() == TABLES == {table.name for table in db.metadata.sorted_tables}


def test_models_and_migrations_agree(database):
    upgrade()
    check()


def test_a_model_without_a_migration_is_noticed(database):
    upgrade()
    column = db.Column("forgotten", db.Integer)
    table = db.metadata.tables["item"]
    table.append_column(column)
    try:
        with pytest.raises(SystemExit):
            check()
    finally:
        table._columns.remove(column)


def test_down_leaves_no_table(database):
    upgrade()
    downgrade(revision="base")
    assert tables() == set()


def test_down_and_up_again_comes_to_the_same(database):
    def shape():
        inspector = inspect(db.engine)
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)],
                sorted(index["name"] for index in inspector.get_indexes(name)),
                sorted(str(key["name"]) for key in inspector.get_foreign_keys(name)),
            )
            for name in tables()
        }

    upgrade()
    first = shape()
    downgrade(revision="base")
    upgrade()
    assert shape() == first
    check()
