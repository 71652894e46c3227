"""Every writer of bank data and edits has locked the person's ledger before."""

import re

import pytest
from sqlalchemy import event

from plaidapp.extensions import db
from plaidapp.store import Edit, Item, Transaction
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds, pulls
from sandbox import bank_activity

LEDGER = (
    *("account", "former_account", "balance", "transaction", "monthly_total", "detailed_total"),
    *("edit", "edit_row"),
    *("recurring_stream", "recurring_payment", "received_page"),
)
WRITE = re.compile(rf'(INSERT INTO|UPDATE|DELETE FROM) "?({"|".join(LEDGER)})"? ')
LOCK = "SELECT pg_advisory_xact_lock"
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def writes(app):
    """The statements that write to the ledger, as pairs with whether the ledger was locked."""
    seen, locked = [], set()

    def look(connection, _cursor, statement, *_):
        if statement.startswith(LOCK):
            locked.add(connection.get_transaction())
        elif WRITE.match(statement):
            seen.append((statement, connection.get_transaction() in locked))

    with app.app_context():
        engine = db.engine
        event.listen(engine, "before_cursor_execute", look)
        yield seen
        event.remove(engine, "before_cursor_execute", look)


def test_nothing_is_written_to_a_ledger_that_is_not_locked(
    writes, app, alice, connect, work, tell, bank_server
):
    def begin(kind):
        with app.app_context():
            items = db.session.scalars(db.select(Item).order_by(Item.id.desc()).limit(1)).all()
            sync_progress.request_syncs([item.id for item in items])
            pulls.add(alice.id, kind, items)
            db.session.commit()
        work()

    connect(alice)
    with app.app_context():
        token = app.extensions["cipher"].decrypt(db.session.get(Item, 1).token)
    bank_activity.refresh(bank_server.app.extensions["sandbox"], token)
    for kind in (kinds.ACCOUNTS, kinds.TRANSACTIONS, kinds.RECURRING, kinds.REPAIR):
        begin(kind)
    change = {"do": "category", "category": "TRAVEL", "all": "1"}
    assert alice.client.post("/finance/transactions/edit", data=change).status_code == 302
    with app.app_context():
        row_id = db.session.scalar(db.select(Transaction.id).limit(1))
        edit_id = db.session.scalar(db.select(Edit.id))
    alice.client.post(f"/finance/transactions/{row_id}", data={"note": "a note"})
    assert alice.client.post(f"/finance/edits/{edit_id}/undo").status_code == 302
    connect(alice)  # again
    with app.app_context():
        item = db.session.get(Item, 2)
    tell(item, "ITEM", "USER_ACCOUNT_REVOKED", account_id="gone")

    assert {WRITE.match(statement)[2] for statement, _ in writes} == set(LEDGER)
    assert [statement for statement, is_locked in writes if not is_locked] == []
