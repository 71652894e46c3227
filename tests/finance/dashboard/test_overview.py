"""The overview: its latest transactions, which are edited in place, and what it costs."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from tests.finance.transactions.test_edit_actions import undo_of
from tests.pages import Page

QUERIES = 26


@pytest.fixture
def rows(app, connected):
    """The ids of the rows by name."""
    with app.app_context():
        return dict(db.session.execute(db.select(Transaction.name, Transaction.id)).all())


def latest(person):
    return Page(person.client.get("/finance/").text).find(id="latest")[1]


def test_a_row_is_edited_in_place_and_undone(connected, rows):
    row = rows["Pay"]
    details = connected.htmx("GET", f"/finance/transactions/{row}?latest=y")
    form = Page(details.text).find(id=f"edit-{row}")[0]
    answer = connected.htmx("POST", form["hx-post"], data={"category": "TRAVEL", "note": "Zoë"})
    assert answer.headers["HX-Trigger"] == "ledger-changed"
    fresh = Page(answer.text)
    assert fresh.find(id=f"t-{row}")[1].startswith("Pay")
    assert "Travel" in fresh.find(id=f"t-{row}")[1]
    assert not fresh.has(type="checkbox")
    assert not fresh.has(**{"hx-target": "#tally"})
    assert "Travel" in latest(connected)

    undone = connected.htmx("POST", undo_of(answer))
    assert undone.headers["HX-Trigger"] == "ledger-changed"
    assert "Travel" not in latest(connected)


def test_a_plain_form_comes_back_to_the_overview_when_it_is_undone(connected, rows):
    path = f"/finance/transactions/{rows['Pay']}?latest=y"
    answer = connected.client.post(path, data={"note": "Zoë"})
    assert (answer.status_code, answer.location) == (302, path)
    page = connected.client.get(path)
    assert Page(page.text).has(href="/finance/#latest")
    undone = connected.client.post(undo_of(page))
    assert undone.location == "/finance/#latest"


@pytest.mark.both_databases
def test_both_sides_of_a_transfer_are_one_row(app, connected, rows):
    with app.app_context():
        first, second = db.session.scalars(db.select(Transaction).limit(2))
        savings = db.session.scalars(db.select(Account).order_by(Account.id.desc())).first()
        first.amount, second.amount, second.date = 20, -20, first.date
        first.other_side_id, second.other_side_id = second.id, first.id
        second.account_id = savings.id
        db.session.commit()
        out, into, name = first.id, second.id, savings.name
    page = Page(connected.client.get("/finance/").text)
    assert page.find(id=f"t-{out}")[1].startswith(f"Transfer to {name}")
    assert not page.has(id=f"t-{into}")


@pytest.mark.both_databases
def test_the_page_takes_the_same_few_queries_however_many_rows_there_are(app, connected):
    def queries():
        seen = []
        with app.app_context():
            listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", listen)
            assert connected.client.get("/finance/").status_code == 200
            event.remove(db.engine, "before_cursor_execute", listen)
        return seen

    queries()
    few = queries()
    with app.app_context():
        row = db.session.scalars(db.select(Transaction).limit(1)).one()
        db.session.add_all(
            Transaction(
                user_id=row.user_id, item_id=row.item_id, account_id=row.account_id,
                plaid_transaction_id=f"more{number}", name="More", amount=1,
                date=row.date - timedelta(days=number % 60), pending=False,
            )
            for number in range(300)
        )  # fmt: skip
        db.session.commit()
    many = queries()
    assert len(few) <= len(many) <= QUERIES, "\n".join(many)


def test_the_buttons_of_the_original_system_are_in_the_page_without_javascript(connected):
    page = Page(connected.client.get("/finance/").text)
    menu = page.find(id="refresh")[1]
    names = ("Sync everything", "Get account data", "From", "To", "Get transaction data")
    assert re.search(".*".join((*names, "Get total number of transactions")), menu)
