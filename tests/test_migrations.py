"""The migrations, up and down, on both databases."""

import secrets
import shutil
import time
from datetime import UTC, date, datetime

import pytest
from cryptography.fernet import Fernet
from flask import current_app
from flask_migrate import check, downgrade, revision, upgrade
from sqlalchemy import MetaData, Table, event, inspect, text
from sqlalchemy.exc import OperationalError

from config import Config
from plaidapp import create_app, policy, schema
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store.transactions import reader, search
from plaidapp.store.transactions.filters import Filter

DAY, MOMENT = date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)
TABLES = {
    *("user", "item", "account", "transaction", "pull", "pull_item", "webhook", "webhook_key"),
    *("balance", "monthly_total", "detailed_total", "edit", "edit_row", "former_account"),
    *("former_row", "account_question", "institution", "state_change"),
    *("link_session", "link_result", "login_session", "known_device", "tries", "activity"),
    *("authenticator", "passkey", "recovery_code", "spent_token"),
    *("calendar_feed", "mail", "mail_link", "account_check", "check_difference"),
    *("bank_logo", "merchant_logo", "duty", "notice", "waiting_webhook", "walk"),
    *("recurring_stream", "recurring_payment", "received_page", "set_aside", "old_text"),
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
        "SECRET_KEY": secrets.token_hex(),
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "PLAID_BASE_URL": "http://localhost:1",
        "DATABASE_URL": empty_url,
    }
    with create_app(Config.from_env(env)).app_context():
        yield db
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def copied_migrations(tmp_path):
    """A copy of the migrations, for a test to add one of its own."""
    return shutil.copytree(schema.MIGRATIONS, tmp_path / "migrations")


def tables():
    """Return the app's tables, without Alembic's and those of SQLite's search index."""
    names = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not name.startswith("transaction_search")}


def stored_version():
    version = schema.current()
    db.session.remove()  # a session left open would keep SQLite locked
    return version


def test_upgrade_creates_every_table(database):
    """And no column that the version before, which still runs, would have to fill in."""
    demands = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def look(_connection, _cursor, statement, *_):
        words = statement.upper()
        added = "ADD COLUMN" in words and "NOT NULL" in words and "DEFAULT" not in words
        if added or "SET NOT NULL" in words:
            demands.append(statement)

    upgrade()

    assert tables() == TABLES == {table.name for table in db.metadata.sorted_tables}
    assert demands == []


def test_newest_is_the_version_that_an_upgrade_reaches(database):
    assert stored_version() is None
    upgrade()
    assert stored_version() == schema.newest()


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_the_command_line_has_all_of_flask_migrates_commands(database):
    runner = current_app.test_cli_runner()
    assert runner.invoke(args=["db", "upgrade", "0001"]).exit_code == 0
    assert stored_version() == "0001"
    assert runner.invoke(args=["db", "downgrade", "base"]).exit_code == 0
    assert stored_version() is None
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


def test_downgrade_leaves_no_table(database):
    upgrade()
    downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}


def test_downgrade_and_upgrade_restore_the_schema(database):
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


def test_a_new_migration_gets_the_next_number(database, copied_migrations):
    upgrade(copied_migrations)
    for message in ("first", "second"):
        revision(copied_migrations, message=message)
        upgrade(copied_migrations)
    names = sorted(path.name for path in copied_migrations.glob("versions/*.py"))
    number = int(schema.newest())
    assert names[-2:] == [f"{number + 1:04}_first.py", f"{number + 2:04}_second.py"]
    assert stored_version() == f"{number + 2:04}"


def test_a_database_of_unknown_version_is_refused_with_advice(database, caplog):
    upgrade()
    db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.session.commit()
    with pytest.raises(SystemExit):
        upgrade()
    assert "This database has version 9999" in caplog.text
    assert "delete instance/plaidapp.db" in caplog.text


def add_row(to, **given):
    """Add a row to a table as it is now, with something in each column that needs a value."""
    table = Table(to, MetaData(), autoload_with=db.session.connection())
    something = {int: 1, str: "x", bytes: b"", bool: False, date: DAY, datetime: MOMENT}
    needed = (
        column
        for column in table.columns
        if not (column.nullable or column.server_default or column.computed)
    )
    values = {column.name: something[column.type.python_type] for column in needed}
    db.session.execute(table.insert().values(values | given))
    db.session.commit()


def test_rows_from_before_pairs_were_searched_are_found_after_a_tick(database):
    upgrade(revision="0001")
    for table in ("user", "item", "account"):
        add_row(table)
    add_row("transaction", name="Café", words=" 1ucafe")
    upgrade()
    clock.fill_in_search()
    rows = reader.page(Filter(1, search=search.words("afe")), 10)
    assert [row.name for row in rows] == ["Café"]
    db.session.rollback()
    downgrade(revision="0001")
    if db.engine.dialect.name == "sqlite":
        former = (
            """SELECT rowid FROM transaction_search WHERE transaction_search MATCH '"1ucafe"'"""
        )
    else:
        former = """SELECT id FROM "transaction" WHERE words = ' 1ucafe'"""
    assert db.session.execute(text(former)).all() == [(1,)]
    add_row("edit")
    add_row("edit_row")


def test_texts_from_before_they_were_redacted_are_cleaned_tick_by_tick(database, monkeypatch):
    monkeypatch.setattr("plaidapp.policy.TEXTS_BATCH", 2)
    upgrade(revision="0022")
    said, usual = "Ask olive@example.com about 4111 1111 1111 1111.", "Plaid is down."
    body = (
        '{"error": {"error_message": "of Olive \\"B\\"", "error_code": "NO"}, "to": "a@b.example"}'
    )
    clean = '{"error": {"error_message": "removed", "error_code": "NO"}, "to": "[email]"}'
    for table in ("user", "item"):
        add_row(table)
    for number, text_ in enumerate((usual, None, said), start=1):
        add_row("pull", id=number, error_message=text_)
        add_row("pull_item", id=number, pull_id=number, error_message=text_)
        add_row("webhook", id=number, token=str(number), body=body)
    upgrade()
    ticks = 0
    while db.session.scalar(text("SELECT count(*) FROM old_text")):
        db.session.rollback()
        clock.redact_old_texts()
        ticks += 1

    assert ticks == 3 + 3 + 3 + 2 + 2 + 1 + 1

    def stored(query):
        return db.session.scalars(text(query)).all()

    assert stored("SELECT body FROM webhook") == [clean] * 3
    for table in ("pull", "pull_item"):
        found = stored(f"SELECT error_message FROM {table} ORDER BY id")  # noqa: S608
        assert found == [usual, None, "Plaid can’t do this for the bank right now."]


def add(migrations, text_of_next):
    """Add a migration that follows the newest."""
    code = text_of_next.replace("NEWEST", schema.newest())
    (migrations / "versions/9999_next.py").write_text(code)


INDEX_BUILT_CONCURRENTLY = """
from alembic import op

revision, down_revision = "9999", "NEWEST"


def upgrade():
    op.execute("CREATE TABLE timeout (inside text, outside text, after text)")
    op.execute("INSERT INTO timeout (inside) VALUES (current_setting('lock_timeout'))")
    with op.get_context().autocommit_block():
        op.execute("UPDATE timeout SET outside = current_setting('lock_timeout')")
        op.create_index("ix_item_state", "item", ["state"], postgresql_concurrently=True)
    op.execute("UPDATE timeout SET after = current_setting('lock_timeout')")
"""


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_only_transactions_have_a_lock_timeout(database, copied_migrations):
    add(copied_migrations, INDEX_BUILT_CONCURRENTLY)
    upgrade(copied_migrations)
    assert db.session.execute(text("SELECT * FROM timeout")).one() == ("500ms", "0", "500ms")
    assert "ix_item_state" in {index["name"] for index in inspect(db.engine).get_indexes("item")}


NEEDS_A_LOCK = """
from alembic import op

revision, down_revision = "9999", None


def upgrade():
    op.execute("ALTER TABLE busy ADD COLUMN number int")
"""


@pytest.fixture
def busy(database, copied_migrations):
    """A connection that has locked the table of the only migration."""
    for path in copied_migrations.glob("versions/*.py"):
        path.unlink()
    (copied_migrations / "versions/9999_only.py").write_text(NEEDS_A_LOCK)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE busy (id int)")
        connection.commit()
        connection.exec_driver_sql("LOCK TABLE busy IN ACCESS SHARE MODE")
        yield connection


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_migration_starts_over_while_the_app_has_a_lock(busy, copied_migrations, monkeypatch):
    pauses, sleep = [], time.sleep

    def pause(seconds):
        if seconds == policy.MIGRATION_PAUSE:
            pauses.append(seconds)
            busy.rollback()
        else:  # another thread's
            sleep(seconds)

    monkeypatch.setattr(policy, "MIGRATION_PAUSE", 12.34)
    monkeypatch.setattr("time.sleep", pause)
    upgrade(copied_migrations)

    assert len(pauses) == 1
    assert stored_version() == "9999"


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_migration_starts_over_for_a_while_only(busy, copied_migrations, monkeypatch):
    monkeypatch.setattr(policy, "MIGRATION_PATIENCE", 0)
    with pytest.raises(OperationalError, match="lock timeout"):
        upgrade(copied_migrations)
    assert stored_version() is None


FAILING = """
from alembic import op

revision, down_revision = "9999", "NEWEST"


def upgrade():
    op.execute("SELECT nonsense")
"""


def test_a_migration_that_fails_leaves_the_ones_before_it(database, copied_migrations):
    add(copied_migrations, FAILING)
    with pytest.raises(Exception, match="nonsense"):
        upgrade(copied_migrations)
    assert stored_version() == schema.newest()
    assert tables() == TABLES
