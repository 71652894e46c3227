"""The operator's commands: what they print and how they exit."""

import json
import threading
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete, select, update

from plaidapp.extensions import db
from plaidapp.sealing import Cipher
from plaidapp.store import Account, Item, Pull, Transaction
from plaidapp.store.base.types import now
from tests.conftest import TOKEN_KEY
from tests.stored import copy_of

EDITS = {"own_category": "Ours", "note": "mine", "hidden": True}


@pytest.fixture
def verify(app):
    """Run `flask verify` and return its exit code and output."""

    def run(*args):
        result = app.test_cli_runner().invoke(args=["verify", *map(str, args)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return run


@pytest.fixture
def link(app, connect):
    def make(person):
        connect(person, override_username="user_transactions_dynamic", override_password="any")
        with app.app_context():
            return db.session.scalars(select(Item).order_by(Item.id.desc())).first()

    return make


@pytest.fixture
def item(link, alice):
    return link(alice)


@pytest.fixture
def tamper(app):
    """Change the database behind the app's back."""

    def do(statement):
        with app.app_context():
            db.session.execute(statement)
            db.session.commit()

    return do


@pytest.fixture
def everything(app):
    def read():
        with app.app_context(), db.engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(table.select())))
                for table in db.metadata.sorted_tables
            }

    return read


def row_added(row):
    return copy_of(row.id, plaid_transaction_id="made-up")


def row_changed(**values):
    return lambda row: update(Transaction).where(Transaction.id == row.id).values(**values)


SMALLEST = Decimal("0.00000001")
TAMPERINGS = {
    "amount": (lambda row: row_changed(amount=row.amount + SMALLEST)(row), "amount is"),
    "deleted": (lambda row: delete(Transaction).where(Transaction.id == row.id), "not stored"),
    "removed": (row_changed(removed_at=now()), "not stored"),
    "pending": (lambda row: row_changed(pending=not row.pending)(row), "pending is"),
    "name": (row_changed(name="another"), "name is another"),
    "added": (row_added, "made-up: not at the bank"),
    "balance": (
        lambda row: update(Account).where(Account.id == row.account_id).values(current=1),
        "current is",
    ),
}


def test_an_item_that_equals_the_banks_is_exact(verify, item, everything):
    before = everything()
    assert verify() == (0, f"Item {item.id} (First Platypus Bank): exact\n")
    assert verify(item.id) == verify()
    assert everything() == before


def test_verify_without_items_prints_nothing(verify):
    assert verify() == (0, "")


@pytest.mark.parametrize("item_id", [0, 7, 2**31, 2**63, -1])
@pytest.mark.both_databases
def test_an_unknown_item_is_a_usage_error(verify, item_id):
    code, text = verify("--", item_id)
    assert code == 2
    assert f"There is no Item {item_id}." in text


@pytest.mark.parametrize("item_id", ["one", "1.5", "1;"])
def test_an_item_id_must_be_a_whole_number(verify, item_id):
    assert verify(item_id)[0] == 2


def test_every_difference_is_found_and_repaired(app, verify, item, tamper):
    with app.app_context():
        edited = db.session.scalars(select(Transaction).order_by(Transaction.id)).first()
    tamper(row_changed(**EDITS, edited_at=now())(edited))

    for what, (statement, words) in TAMPERINGS.items():
        with app.app_context():
            row = db.session.scalars(select(Transaction).order_by(Transaction.id)).all()[-1]
        tamper(statement(row))

        code, text = verify()
        assert code == 1, what
        assert words in text, what
        assert text.endswith(f"Item {item.id} (First Platypus Bank): 1 differences\n"), what

        code, text = verify("--repair")
        assert code == 0, (what, text)
        assert "1 differences, reading it again" in text
        assert text.endswith("exact\n"), what
        assert verify() == (0, f"Item {item.id} (First Platypus Bank): exact\n"), what

    with app.app_context():
        after = db.session.get(Transaction, edited.id)
        assert {name: getattr(after, name) for name in EDITS} == EDITS
        asked = db.session.execute(select(Pull.kind, Pull.asked_by, Pull.state).order_by(Pull.id))
        repairs = [pull for pull in asked if pull.kind == "repair"]
        assert repairs == [("repair", "operator", "done")] * len(TAMPERINGS)


def test_all_differences_together_are_repaired_in_one_run(app, verify, item, tamper):
    with app.app_context():
        rows = db.session.scalars(select(Transaction).order_by(Transaction.id)).all()
    for row, (statement, _) in zip(rows, TAMPERINGS.values(), strict=False):
        tamper(statement(row))

    code, text = verify(item.id)
    assert code == 1
    assert all(words in text for _, words in TAMPERINGS.values())
    assert f"{len(TAMPERINGS)} differences" in text
    assert verify("--repair", item.id)[0] == 0


def test_repairing_an_exact_item_creates_no_pull(app, verify, item):
    assert verify("--repair")[0] == 0
    with app.app_context():
        assert "repair" not in db.session.scalars(select(Pull.kind)).all()


def test_a_repair_appears_in_the_items_history(verify, item, tamper, alice):
    tamper(delete(Transaction))
    verify("--repair")

    page = alice.client.get(f"/finance/items/{item.id}").text
    assert "Requested by the operator" in page


def test_a_repair_keeps_the_persons_edits(app, verify, item, tamper):
    tamper(update(Transaction).values(**EDITS, edited_at=now(), name="tampered"))
    assert verify("--repair")[0] == 0

    with app.app_context():
        rows = db.session.scalars(select(Transaction)).all()
        assert {(row.own_category, row.note, row.hidden) for row in rows} == {tuple(EDITS.values())}
        assert "tampered" not in {row.name for row in rows}


def test_one_item_is_verified_without_the_others(verify, item, link, charlie, tamper):
    other = link(charlie)
    tamper(update(Transaction).where(Transaction.item_id == other.id).values(removed_at=now()))

    assert verify(item.id)[0] == 0
    assert verify(other.id)[0] == verify()[0] == 1
    code, text = verify("--repair")
    assert code == 0
    assert text.count("exact\n") == 2


DOWN = "can’t be compared: Plaid can’t be reached right now. (BANK_UNREACHABLE)"


@pytest.mark.parametrize("flags", [[], ["--repair"]])
def test_a_bank_that_is_down_is_reported_in_a_sentence(
    verify, item, tamper, bank_server, everything, flags
):
    tamper(update(Transaction).values(removed_at=now()))
    before = everything()
    bank_server.misbehave(path="*", kind="reset")

    assert verify(*flags) == (1, f"Item {item.id} (First Platypus Bank): {DOWN}\n")
    assert everything() == before


def test_a_bank_that_fails_during_the_repair_changes_no_row(app, verify, item, tamper, bank_server):
    with app.app_context():
        rows = db.session.scalars(select(Transaction.id)).all()
    tamper(delete(Transaction).where(Transaction.id == rows[0]))
    bank_server.misbehave(path="/transactions/sync", kind="reset")

    code, text = verify("--repair")
    assert code == 1
    assert "not stored" in text
    with app.app_context():
        assert set(db.session.scalars(select(Transaction.id))) == set(rows[1:])


def test_repairing_while_the_bank_prepares_loses_no_row(
    app, verify, item, tamper, bank_server, everything
):
    with bank_server.app.extensions["sandbox"].store.write() as bank:
        later = now().timestamp() + 3600
        bank.execute("UPDATE item SET started = ? WHERE item_id = ?", (later, item.plaid_item_id))
    before = everything()

    code, text = verify("--repair")
    assert code == 1
    assert "still preparing" in text
    assert everything() == before


@pytest.mark.parametrize("path", ["/accounts/get", "/transactions/get"])
@pytest.mark.both_databases
def test_verify_keeps_no_transaction_open_while_it_asks_the_bank(
    verify, item, tamper, bank_server, poll, path
):
    """SQLite allows one writer at a time, and a bank may be slow to answer."""
    calls = bank_server.faults.rulebook.report()["calls"].get(path, 0)
    bank_server.misbehave(path=path, kind="delay", seconds=60)
    ended = []
    operator = threading.Thread(target=lambda: ended.append(verify()))
    operator.start()
    try:
        poll(lambda: bank_server.faults.rulebook.report()["calls"].get(path, 0) > calls)
        tamper(update(Transaction).values(removed_at=now()))
    finally:
        bank_server.faults.rulebook.replace([])
        operator.join()
    (code, text), *_ = ended
    assert code == 1
    assert (
        "not stored" in text
    )  # verify read the rows after the bank answered, so it saw the change


def test_verify_prints_one_document_for_programs(verify, item, tamper, bank_server):
    tamper(delete(Transaction))
    code, text = verify("--json")
    (found,) = json.loads(text)
    assert (code, found["id"], found["bank"]) == (1, item.id, "First Platypus Bank")
    assert (found["exact"], found["error"], found["set_aside"]) == (False, None, [])
    assert any("not stored" in each for each in found["differences"])

    bank_server.misbehave(path="*", kind="reset")
    code, text = verify("--json")
    (found,) = json.loads(text)
    assert (code, found["exact"], found["error"]) == (1, False, "BANK_UNREACHABLE")


def test_no_access_token_is_printed(app, verify, item, bank_server):
    with app.app_context():
        token = app.extensions["cipher"].decrypt(item.token)
    bank_server.misbehave(path="*", kind="reset")
    assert token not in verify()[1]


def test_tokens_are_rotated_and_lost_ones_are_named(app, alice, item):
    rotate = app.test_cli_runner().invoke
    old = app.extensions["cipher"]
    app.extensions["cipher"] = Cipher([Fernet.generate_key().decode(), TOKEN_KEY])
    done = rotate(args=["rotate-tokens"])
    assert (done.exit_code, done.output) == (0, "Encrypted again: 1. Can't be decrypted: 0.\n")
    again = rotate(args=["rotate-tokens"])
    assert (again.exit_code, again.output) == (0, "Encrypted again: 0. Can't be decrypted: 0.\n")

    app.extensions["cipher"] = old
    lost = rotate(args=["rotate-tokens"])
    assert lost.exit_code == 1
    assert f"No key in TOKEN_KEYS decrypts the secret of item {item.id}." in lost.output


def test_an_operator_logs_somebody_out_everywhere(app, alice, charlie):
    run = app.test_cli_runner().invoke

    assert run(args=["log-out", "nobody"]).exit_code == 2
    done = run(args=["log-out", "alice@example.com"])

    assert (done.exit_code, done.output) == (0, "alice is logged out everywhere.\n")
    assert alice.client.get("/finance/accounts.json").status_code == 401
    assert charlie.client.get("/finance/accounts.json").status_code == 200
