"""The operator's lists of people, connections and pulls, and what is done from them."""

import json
import stat
import threading
import zipfile
from datetime import UTC, datetime

import brotli
import pytest
from sqlalchemy import select, update

from plaidapp.auth.download import archive
from plaidapp.extensions import db
from plaidapp.store import Item, Pull, ReceivedPage, User
from plaidapp.store.base import owned_rows
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.full_person import fill

DAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
LISTS = {
    "people": ["id", "name", "joined", "connections", "leaving"],
    "items": ["id", "person", "bank", "state", "code", "synced", "connected"],
    "pulls": [
        *("id", "person", "kind", "state", "asked_by", "attempt", "code", "created", "ended"),
    ],
}
"""The names of the columns, on which programs rely."""


@pytest.fixture
def run(app):
    """`run("people", "--json")` returns the exit code, what was printed, and the errors."""

    def invoke(*args, **options):
        result = app.test_cli_runner().invoke(args=[*map(str, args)], **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture
def world(app, set_clock):
    """Olive with a good bank and one that needs her, Hugo with none, and one pull that failed."""
    set_clock(DAY.isoformat())
    with app.app_context():
        olive = users.add("olive", "olive@example.com", "no hash")
        users.add("hugo", "hugo@example.com", "no hash")
        db.session.flush()
        for number, (name, state) in enumerate(
            [("Tartan\x1b[2J\nBank", "good"), ("Platypus Bank", "login_required")], start=1
        ):
            item = items.add(
                user_id=olive.id, plaid_item_id=f"i{number}", access_token=b"", state=state
            )
            item.institution_name = name
        item.error_code = "ITEM_LOGIN_REQUIRED"
        failed = pulls.add(olive.id, kinds.TRANSACTIONS, [item], state=pulls.FAILED)
        failed.items[0].error_code = "ITEM_LOGIN_REQUIRED"
        pulls.add(olive.id, kinds.CHECK, [item], state=pulls.DONE, asked_by=pulls.CLOCK)
        db.session.commit()
        return {"olive": olive.id, "item": item.id, "failed": failed.id}


@pytest.mark.both_databases
def test_a_list_is_a_table_or_a_document_with_the_same_columns(run, world):
    for command, columns in LISTS.items():
        code, table, errors = run(command)
        assert (code, errors) == (0, "")
        heads, *lines = table.splitlines()
        assert heads.split() == columns

        code, text, errors = run(command, "--json")
        assert (code, errors) == (0, "")
        assert [list(row) for row in json.loads(text)] == [columns] * len(lines)
        assert len(lines) == 2


def test_a_list_of_nothing_is_only_its_columns(run):
    for command, columns in LISTS.items():
        assert run(command)[1].split() == columns
        assert json.loads(run(command, "--json")[1]) == []


def test_what_is_in_the_rows(run, world):
    people = json.loads(run("people", "--json")[1])
    assert people[0] == {
        "id": world["olive"],
        "name": "olive",
        "joined": "2026-11-01T12:00:00Z",
        "connections": 2,
        "leaving": False,
    }
    assert [row["connections"] for row in people] == [2, 0]
    (needy,) = json.loads(run("items", "--state", "login_required", "--json")[1])
    assert (needy["bank"], needy["code"]) == ("Platypus Bank", "ITEM_LOGIN_REQUIRED")
    assert json.loads(run("items", "--person", "hugo", "--json")[1]) == []
    latest = json.loads(run("pulls", "--json")[1])
    assert [row["kind"] for row in latest] == ["check", "transactions"]
    assert json.loads(run("pulls", "--limit", "1", "--json")[1]) == latest[:1]
    (failed,) = json.loads(run("pulls", "--failed", "--json")[1])
    assert (failed["id"], failed["code"]) == (world["failed"], "ITEM_LOGIN_REQUIRED")


def test_a_banks_name_moves_no_cursor_and_makes_no_row(run, world):
    table = run("items")[1]
    assert "\x1b" not in table
    assert "Tartan [2J Bank" in table


WRONG = {
    ("items", "--person", "nobody"): "There is no such person.",
    ("items", "--state", "fine"): "'fine' is not one of",
    ("pulls", "--limit", "0"): "0 is not in the range",
    ("pulls", "--retry", "4711"): "There is no pull 4711.",
    ("pulls", "--retry", str(2**63)): f"There is no pull {2**63}.",
    ("sync",): "Name one of ITEM, --person NAME and --all.",
    ("sync", "1", "--all"): "Name one of ITEM, --person NAME and --all.",
    ("sync", "--", "-1"): "There is no Item -1.",
    ("sync", "--person", "nobody"): "There is no such person.",
    ("export", "nobody", "x.zip"): "There is no such person.",
    ("export", "olive", __file__): "exists already. Name a file that does not.",
    ("delete", "nobody", "--yes"): "There is no such person.",
    ("log-out", "nobody"): "There is no such person.",
}


@pytest.mark.both_databases
def test_a_wrong_use_is_told_in_a_sentence_and_changes_nothing(run, world, dump):
    before = dump()
    for args, sentence in WRONG.items():
        code, text, errors = run(*args)

        assert (code, text) == (2, "")
        assert sentence in errors
    assert dump() == before


def test_each_command_is_in_the_operators_log(run, world, caplog):
    for args in (("people",), ("items",), ("pulls",), ("sync", world["item"])):
        caplog.clear()
        run(*args)
        (told,) = [
            record for record in caplog.records if getattr(record, "event", "") == "operator"
        ]
        assert told.event_fields["command"] == args[0]


def test_a_failed_pull_is_tried_again(app, run, world, ask):
    code, text, _ = run("pulls", "--retry", world["failed"])

    assert (code, text) == (0, f"Pull {world['failed']} is tried again.\n")
    assert {row.id: row.state for row in ask(Pull)}[world["failed"]] == "queued"
    assert app.extensions["redis"].llen("rq:queue:default") == 1


def test_a_pull_that_is_done_is_not_tried_again(run, world, ask):
    done = world["failed"] + 1
    code, text, errors = run("pulls", "--retry", done)

    assert (code, text) == (1, "")
    assert f"Pull {done} is done: there is nothing to try." in errors


def test_sync_asks_for_what_can_be_synced_and_names_the_rest(app, run, world, ask):
    code, text, errors = run("sync", "--person", "olive")

    assert (code, text) == (1, "Requested: 1. Can't be synced: 1.\n")
    assert errors == f"Item {world['item']} (Platypus Bank) can't be synced: login_required\n"
    (asked,) = [pull for pull in ask(Pull) if pull.asked_by == pulls.OPERATOR]
    assert (asked.kind, asked.state) == ("transactions", "queued")
    assert run("sync", "--all")[1] == text, "the pull that waits is enough"
    assert len(ask(Pull)) == 3


@pytest.fixture
def run_while_it_works(run, ask, poll, work):
    """Run a command that waits, and do what it waits for."""

    def both(*args):
        before, ended = len(ask(Pull)), []
        operator = threading.Thread(target=lambda: ended.append(run(*args)))
        operator.start()
        poll(lambda: len(ask(Pull)) > before)
        work()
        operator.join()
        return ended[0]

    return both


def test_sync_waits_for_the_end(run_while_it_works, connected, ask):
    before = ask(Item)[0].sync_applied

    code, text, errors = run_while_it_works("sync", 1, "--wait")

    assert (code, text, errors) == (0, "Requested: 1. Can't be synced: 0.\n", "")
    assert ask(Item)[0].sync_applied == before + 1


def test_sync_that_fails_says_why(run_while_it_works, connected, bank_server):
    locked = {"status": 400, "error_type": "ITEM_ERROR", "error_code": "ITEM_LOCKED"}
    bank_server.misbehave(kind="error", path="/transactions/sync", **locked)

    code, _, errors = run_while_it_works("sync", "--all", "--wait")

    assert code == 1
    assert errors.startswith("Item 1 (First Platypus Bank): The bank has locked your account.")


@pytest.mark.both_databases
def test_export_saves_what_the_button_downloads(app, run, alice, tmp_path):
    with app.app_context():
        fill(alice.id)
        db.session.execute(update(ReceivedPage).values(body=brotli.compress(b"{}")))
        db.session.commit()
    file = tmp_path / "alice.zip"

    code, text, errors = run("export", "alice@example.com", file)

    assert (code, errors) == (0, "")
    assert text == f"Saved in {file}: {file.stat().st_size:,} bytes.\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".zip"] == ["alice.zip"]
    button = tmp_path / "button.zip"
    with alice.client.post("/auth/download") as answer:
        button.write_bytes(answer.data)
    ours, theirs = zipfile.ZipFile(file), zipfile.ZipFile(button)
    assert ours.namelist() == theirs.namelist()
    changing = {"manifest.json", "activity.jsonl", "devices.jsonl"}
    for name in set(ours.namelist()) - changing:
        assert ours.read(name) == theirs.read(name), name


def test_an_export_that_breaks_off_leaves_no_file(app, run, alice, tmp_path, monkeypatch):

    def pieces(*_args):
        yield b"PK"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "pieces", pieces)
    folder = tmp_path / "out"
    folder.mkdir()

    code, text, errors = run("export", "alice", folder / "alice.zip")

    assert (code, text) == (1, "")
    assert "can't be written: No space left on device." in errors
    assert list(folder.iterdir()) == []
    assert "can't be written" in run("export", "alice", tmp_path / "missing" / "a.zip")[2]


def left(app, user_id):
    with app.app_context():
        return {
            table.name
            for table in owned_rows.tables()
            if db.session.execute(select(table).where(owned_rows.theirs(table, user_id))).first()
        }


@pytest.mark.both_databases
def test_delete_ends_the_connections_and_leaves_nothing(
    app, run, connected, charlie, bank_server, dump
):
    (token,) = tokens_of(app)
    assert run("delete", "alice", input="n\n")[0] == 1
    assert "user" in left(app, connected.id)

    code, text, errors = run("delete", "alice", input="y\n")

    assert (code, text) == (0, "Everything is deleted.\n")
    assert "Delete everything of alice, and end 1 connection at Plaid?" in errors
    assert left(app, connected.id) == set()
    assert left(app, charlie.id)
    with pytest.raises(AssertionError, match=r"ITEM_NOT_FOUND|INVALID_ACCESS_TOKEN"):
        bank_server.call("/item/get", access_token=token)


def tokens_of(app):
    with app.app_context():
        cipher = app.extensions["cipher"]
        return [cipher.decrypt(item.token) for item in db.session.scalars(select(Item))]


def test_delete_says_if_plaid_has_to_be_told_later(app, run, connected, bank_server, ask, later):
    bank_server.misbehave(path="/item/remove", kind="reset")

    code, text, errors = run("delete", "alice", "--yes")

    assert (code, text) == (1, "")
    assert "Plaid can’t be reached right now. The clock goes on until everything" in errors
    assert [user.username for user in ask(User)] == [""]
    assert [row["leaving"] for row in json.loads(run("people", "--json")[1])] == [True]
