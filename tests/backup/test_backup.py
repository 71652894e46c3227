"""`flask backup` and `flask restore`: what is saved, what comes back, and what is refused."""

import stat

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import NullPool, create_engine, func, select, text, update

from plaidapp.extensions import db
from plaidapp.metrics.sending import Sender
from plaidapp.sealing import Cipher
from plaidapp.store import Item, LoginSession, Mail, Pull, Transaction
from plaidapp.store.connections import item_states
from plaidapp.store.people import outbox
from tests.sandbox_control import Control

pytestmark = pytest.mark.both_databases
DYNAMIC = {"override_username": "user_transactions_dynamic", "override_password": "any"}
BANKS = ("ins_109508", "ins_109509", "ins_109510")
DISCONNECT = "/finance/items/{}/disconnect"


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def states():
    def read(app):
        with app.app_context():
            return list(db.session.scalars(select(Item.state).order_by(Item.id)))

    return read


def test_an_older_state_catches_up_exactly(
    app, elsewhere, alice, connect, work, bank_server, flask, go_on, states, tmp_path, later
):
    """The first bank goes on, the second is logged in to again, the third is disconnected."""
    for bank in BANKS:
        connect(alice, institution_id=bank, **DYNAMIC)
    with app.app_context():
        token, *_ = [
            app.extensions["cipher"].decrypt(item.token)
            for item in db.session.scalars(select(Item).order_by(Item.id))
        ]
        ids = list(db.session.scalars(select(Item.plaid_item_id).order_by(Item.id)))
    control = Control(bank_server.url)
    control.change(ids[1], error="ITEM_LOGIN_REQUIRED")
    alice.client.post("/finance/items/2/sync")
    work()
    assert states(app)[1] == item_states.LOGIN_REQUIRED
    with app.app_context():
        row = db.session.scalars(select(Transaction).where(Transaction.item_id == 1)).first()
        db.session.execute(update(Transaction).where(Transaction.id == row.id).values(note="mine"))
        content = outbox.Content("alice@example.com", "Your password has changed", "...")
        outbox.add(app.extensions["cipher"], alice.id, outbox.NOTICE, content)
        db.session.commit()

    file = tmp_path / "saved"
    with app.app_context(), db.engine.begin() as unfinished:
        unfinished.execute(update(Transaction).values(note="of nobody"))
        code, told = flask(app, "backup", file)
        unfinished.rollback()
    assert (code, told) == (0, f"Saved in {file}: {file.stat().st_size:,} bytes.\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "saved" in path.name] == ["saved"]

    bank_server.change(token)
    control.change(ids[1], login_repaired=True)
    alice.client.post("/finance/items/1/sync")
    alice.client.post(DISCONNECT.format(3), data={"history": "keep"})
    work()
    assert flask(app, "verify", 1)[0] == 0

    code, told = flask(elsewhere, "restore", file)
    assert code == 0, told
    with elsewhere.app_context():
        assert (count(Mail), count(LoginSession)) == (0, 0)
        rows = count(Transaction)
        notes = select(Transaction.note, func.count()).group_by(Transaction.note)
        assert dict(map(tuple, db.session.execute(notes))) == {"mine": 1, None: rows - 1}
    assert flask(elsewhere, "verify", 1)[0] == 1, "the bank has gone on"

    later(minutes=5)  # the clock has just looked at new connections
    go_on(elsewhere)

    assert states(elsewhere) == ["good", "good", "error"]
    for item_id in (1, 2):
        assert flask(elsewhere, "verify", item_id)[0] == 0
    with elsewhere.app_context():
        ended = db.session.get(Item, 3)
        assert ended.error_code in ("ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN")
        of_ended = select(func.count()).where(Transaction.item_id == 3)
        assert db.session.scalar(of_ended) > 0
        assert db.session.scalar(select(Transaction.note).where(Transaction.id == row.id)) == "mine"


def test_what_is_there_is_only_replaced_on_demand(
    app, elsewhere, connected, flask, go_on, tmp_path
):
    saved = tmp_path / "saved"
    assert flask(app, "backup", saved)[0] == 0
    assert flask(elsewhere, "restore", saved)[0] == 0
    with elsewhere.app_context():
        db.session.execute(update(Transaction).values(note="later"))
        db.session.commit()

    code, told = flask(elsewhere, "restore", saved)
    assert code == 1
    assert "has people in it" in told
    with elsewhere.app_context():
        assert set(db.session.scalars(select(Transaction.note))) == {"later"}

    elsewhere.extensions["cipher"] = Cipher([Fernet.generate_key().decode()])
    code, told = flask(elsewhere, "restore", "--replace", saved)
    assert (code, "TOKEN_KEYS does not decrypt 1 of 1 secrets" in told) == (0, True), told
    with elsewhere.app_context():
        assert set(db.session.scalars(select(Transaction.note))) == {None}
    go_on(elsewhere)
    assert flask(elsewhere, "verify")[0] == 0


def test_what_can_not_be_restored_changes_nothing(app, elsewhere, alice, flask, tmp_path, dump):
    good, before = tmp_path / "good", dump()
    assert flask(app, "backup", good)[0] == 0
    is_sqlite = app.config["PLAIDAPP"].database_url.startswith("sqlite")
    cut = good.read_bytes()
    (tmp_path / "cut").write_bytes(cut[: len(cut) * 2 // 3])
    (tmp_path / "other").write_bytes(b"PGDMP" if is_sqlite else b"SQLite format 3\0")
    (tmp_path / "text").write_text("a diary")
    with app.app_context():
        version = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        set_version = text("UPDATE alembic_version SET version_num = :version")
        db.session.execute(set_version, {"version": "9999"})
        db.session.commit()
        assert flask(app, "backup", tmp_path / "newer")[0] == 0
        db.session.execute(set_version, {"version": version})
        db.session.commit()

    for name, sentence in {
        "cut": "cut is damaged" if is_sqlite else "pg_restore has failed",
        "other": f"but DATABASE_URL names {'SQLite' if is_sqlite else 'PostgreSQL'}",
        "text": "is not a backup",
        "newer": "has version 9999 of the database",
        "missing": "can't be read: No such file or directory",
    }.items():
        code, told = flask(app, "restore", "--replace", tmp_path / name)
        assert (code, sentence in told) == (1, True), (name, told)
    assert dump() == before

    code, told = flask(app, "backup", good)
    assert (code, "exists already" in told) == (1, True)
    code, told = flask(app, "backup", tmp_path / "no" / "folder")
    assert (code, "can't be written" in told) == (1, True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_older_version_is_brought_up_to_date(app, elsewhere, alice, flask, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    assert flask(app, "backup", new)[0] == 0
    assert flask(elsewhere, "restore", new)[0] == 0
    assert flask(elsewhere, "db", "downgrade")[0] == 0
    assert flask(elsewhere, "backup", old)[0] == 0

    code, told = flask(elsewhere, "restore", "--replace", old)

    assert code == 0, told
    assert "It was version" in told
    assert flask(elsewhere, "verify")[0] == 0


def test_a_database_in_use_is_not_replaced(app, elsewhere, alice, flask, tmp_path, monkeypatch):
    saved = tmp_path / "saved"
    assert flask(app, "backup", saved)[0] == 0
    assert flask(elsewhere, "restore", saved)[0] == 0
    process = Sender(elsewhere.extensions["redis"], "worker")
    process.send()
    code, told = flask(elsewhere, "restore", "--replace", saved)
    assert (code, "The app is running: worker." in told) == (1, True), told
    process.end()

    monkeypatch.setattr("plaidapp.policy.RESTORE_WAITS", 0.2)
    address = elsewhere.config["PLAIDAPP"].database_url
    other = create_engine(address, poolclass=NullPool)
    with other.begin() as connection:
        connection.execute(update(Pull).values(failures=1))

        code, told = flask(elsewhere, "restore", "--replace", saved)

    assert (code, "Stop the app" in told) == (1, True), told


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_programs_that_are_missing_or_too_old_are_named(app, alice, flask, tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    code, told = flask(app, "backup", tmp_path / "saved")
    assert (code, "pg_dump is missing" in told) == (1, True)

    old = programs / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.22'\n")
    old.chmod(0o700)
    code, told = flask(app, "backup", tmp_path / "saved")
    assert (code, "pg_dump is version 12, but the server is version" in told) == (1, True)
    assert list(tmp_path.iterdir()) == [programs]
