"""The migrations, up and down, on both databases."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from flask import current_app
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import MetaData, Table, inspect

from config import Config
from plaidapp import create_app, schema
from plaidapp.extensions import db
from plaidapp.store import Balance, Transaction, backfill, edits, ledger, totals
from plaidapp.store.filters import Filter

TABLES = {
    *("user", "item", "account", "transaction", "pull", "pull_item", "webhook", "webhook_key"),
    *("balance", "monthly_total", "edit", "edit_row", "former_account"),
    *("recurring_stream", "recurring_payment", "received_page"),
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
    """Without Alembic's own, and without the search index of SQLite, which is a table too."""
    names = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not name.startswith("transaction_search")}


def test_up_makes_every_table(database):
    upgrade()
    assert tables() == TABLES == {table.name for table in db.metadata.sorted_tables}


def test_the_newest_version_is_the_one_that_alembic_ends_at(database):
    assert schema.current() is None
    db.session.remove()
    upgrade()
    assert schema.current() == schema.newest()


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_the_command_line_has_all_of_flask_migrates_commands(database):
    runner = current_app.test_cli_runner()
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    assert runner.invoke(args=["db", "downgrade", "0001"]).exit_code == 0
    assert schema.current() == "0001"
    assert "Upgrade to a later version" in runner.invoke(args=["db", "--help"]).output
    assert runner.invoke(args=["db", "upgrade", "nonsense"]).exit_code == 1
    assert runner.invoke(args=["db", "nonsense"]).exit_code == 2


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


def test_balances_and_totals_are_worked_out_for_what_is_stored_already(database):
    """As `rollups.rebuild` does it, from rows that were there before there was anything to keep."""
    upgrade(revision="0001")
    moment = datetime(2026, 3, 10, 12, tzinfo=UTC)
    insert("user", [{"id": 1, **dict.fromkeys(NAMES, "olive"), "ledger_revision": 0}], moment)
    bank = {"cursor": "", "state": "good", "sync_requested": 0, "sync_applied": 0}
    insert(
        "item", [{"id": 1, "user_id": 1, "plaid_item_id": "i", "access_token": b"", **bank}], moment
    )
    kinds = ("depository", "credit", "loan", "depository")
    common = {"user_id": 1, "item_id": 1, "name": "A", "iso_currency_code": "USD"}
    insert(
        "account",
        [
            {
                **common,
                "id": number,
                "plaid_account_id": f"a{number}",
                "type": kind,
                "current": None if number == 4 else 100000000001,
                "updated_at": moment,
            }
            for number, kind in enumerate(kinds, 1)
        ],
    )
    dice = random.Random(1)
    insert(
        "transaction",
        [
            {
                **common,
                "account_id": dice.randint(1, 4),
                "plaid_transaction_id": f"t{number}",
                "date": moment.date() - timedelta(days=dice.randint(-1, 100)),
                "amount": dice.randint(-10000, 10000) * 1000000,
                "iso_currency_code": dice.choice(("USD", "USD", "EUR", None)),
                "category_primary": dice.choice(("TRAVEL", None)),
                "category_detailed": dice.choice(("LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", None)),
                "own_category": dice.choice(("MEDICAL", None, None)),
                "pending": dice.random() < 0.1,
                "hidden": dice.random() < 0.1,
                "removed_at": dice.choice((moment, None, None, None)),
            }
            for number in range(300)
        ],
    )
    db.session.commit()

    upgrade()

    assert backfill.wrong([1, 2, 3, 4]) == set()
    every = Filter(1, hidden="any")
    assert ledger.count(replace(every, search="a")) == ledger.count(every) > 100
    edits.apply(1, every.conditions(), {"note": "Zoë"})
    assert ledger.count(replace(every, search="zoe")) == ledger.count(every)
    db.session.rollback()
    assert totals.wrong([1, 2, 3, 4]) == set()
    said = db.session.scalars(db.select(Balance).where(Balance.source == "bank")).all()
    assert [(row.account_id, row.date, row.current) for row in said] == [
        (number, moment.date(), Decimal("1000.00000001")) for number in (1, 2, 3)
    ]
    assert db.session.query(Balance).count() > 50
    assert sum(totals.count(1)) == db.session.scalar(
        db.select(db.func.count(Transaction.id)).where(Transaction.removed_at.is_(None))
    )
    db.session.commit()


NAMES = ("username", "username_key", "email", "email_key", "password_hash")


def insert(table, rows, created_at=None):
    """Rows of a table as it is at the moment, whatever the models have become since."""
    there = Table(table, MetaData(), autoload_with=db.session.connection())
    stamped = {"created_at": created_at} if created_at else {}
    db.session.execute(there.insert(), [row | stamped for row in rows])
