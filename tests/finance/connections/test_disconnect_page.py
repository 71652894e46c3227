"""The page that disconnects a bank, and what other pages say afterwards."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.webhooks.deliveries import Webhook
from tests.pages import Page, plain

PAGE = "/finance/items/1/disconnect"
HTMX = {"HX-Request": "true"}


def state(app):
    with app.app_context():
        return db.session.scalars(db.select(Item.state)).one()


def rows(app):
    with app.app_context():
        return db.session.query(Transaction).count()


@pytest.fixture
def disconnected(app, connected, work):
    """Alice, who has disconnected her bank and keeps its history."""
    connected.client.post(PAGE, data={"history": "keep"})
    work()
    assert state(app) == "disconnected"
    return connected


def test_the_page_says_what_will_happen(app, connected):
    page = Page(connected.client.get("/finance/items/1").text)
    assert page.find(href=PAGE)[1] == "Disconnect First Platypus Bank"
    answer = connected.client.get(PAGE)
    page = Page(answer.text)
    text = plain(page.text)
    assert f"2 accounts and {rows(app)} transactions stay in your lists" in text
    assert f"2 accounts and {rows(app)} transactions are deleted" in text
    assert page.find(type="radio", value="keep")[0].keys() >= {"checked"}
    assert state(app) == "good"


def test_a_plain_form_disconnects_and_shows_the_panel(app, connected, work):
    answer = connected.client.post(PAGE, data={"history": "keep"}, follow_redirects=True)
    assert answer.request.path == "/finance/items"
    assert state(app) == "disconnecting"
    assert "First Platypus Bank: disconnecting" in plain(Page(answer.text).text)
    work()
    page = Page(connected.client.get("/finance/items").text)
    assert "First Platypus Bank: disconnected. Its history stays here" in plain(page.text)
    assert page.find(id="bank-1")[0]["data-item-state"] == state(app) == "disconnected"


def test_htmx_gets_the_panel(app, connected, work, panel):
    shown = panel(connected.client.post(PAGE, data={"history": "delete"}, headers=HTMX))
    assert shown.state == "queued"
    work()
    shown = panel(connected.client.get(f"/finance/pulls/{shown.id[5:]}", headers=HTMX))
    assert shown.state == "done"
    assert "First Platypus Bank: disconnected, and its history is deleted" in plain(shown.text)
    assert rows(app) == 0


def test_after_a_history_is_deleted_every_panel_has_words(connected, work):
    """What earlier pulls did is forgotten with the history."""
    connected.client.post(PAGE, data={"history": "delete"})
    work()
    page = Page(connected.client.get("/finance/").text)
    panels = [plain("".join(inside)) for _, a, inside in page.elements if "data-state" in a]
    assert len(panels) == 1
    assert "disconnected, and its history is deleted" in panels[0]


@pytest.mark.both_databases
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_history_is_deleted_while_plaid_has_not_confirmed(
    app, connected, work, work_due, bank_server, headers
):
    """The button asks Plaid again at once, with the same pull."""
    rule = {"status": 500, "error_type": "API_ERROR", "error_code": "X"}
    bank_server.misbehave(kind="error", path="/item/remove", **rule)
    connected.client.post(PAGE, data={"history": "keep"})
    work_due()
    assert state(app) == "disconnecting"
    bank_server.faults.rulebook.replace([])
    answer = connected.client.post(PAGE, data={"history": "delete"}, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    work()
    assert (state(app), rows(app)) == ("deleted", 0)


def test_an_open_page_of_a_deleted_connection_goes_to_the_list(connected, work):
    connected.client.post(PAGE, data={"history": "delete"})
    work()
    assert connected.client.get("/finance/items/1").status_code == 404
    answer = connected.client.get("/finance/items/1?revision=0", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/finance/items"
    assert Page(connected.client.get("/finance/items").text).has(id="banks")


@pytest.mark.parametrize("form", [{}, {"history": ""}, {"history": "both"}])
def test_without_a_choice_nothing_happens(app, connected, form):
    answer = connected.client.post(PAGE, data=form)
    assert answer.status_code == 422
    assert "Choose what happens to the history." in answer.text
    answer = connected.client.post(PAGE, data=form, headers=HTMX)
    assert answer.status_code == 422
    assert "Choose what happens to the history." in answer.text
    assert state(app) == "good"


def test_a_kept_history_can_only_be_deleted(app, disconnected, work):
    page = Page(disconnected.client.get("/finance/items/1").text)
    assert page.find(href=PAGE)[1] == "Delete the history of First Platypus Bank"
    answer = disconnected.client.post(PAGE, data={"history": "keep"})
    assert answer.status_code == 422
    assert "You have disconnected this bank." in answer.text
    assert not Page(disconnected.client.get(PAGE).text).has(type="radio")
    disconnected.client.post(PAGE, data={"history": "delete"})
    work()
    assert state(app) == "deleted"
    assert rows(app) == 0


def test_a_disconnected_bank_is_not_synced(app, disconnected):
    answer = disconnected.client.post("/finance/items/1/sync")
    assert answer.status_code == 422
    assert "You disconnected this bank." in answer.text
    for kind in ("accounts", "transactions", "total"):
        answer = disconnected.client.post(f"/finance/pulls/{kind}")
        assert answer.status_code == 422, kind


def test_its_rows_stay_in_lists_totals_and_exports_and_cannot_be_edited(app, disconnected):
    client = disconnected.client
    listed = client.get("/finance/transactions.json").json
    assert listed["total_transactions"] == rows(app) > 0
    assert client.get("/finance/accounts.json").json["accounts"][0]["closed"] is True
    assert len(client.get("/finance/export/transactions.csv").text.splitlines()) == rows(app) + 1
    with app.app_context():
        row = db.session.scalars(db.select(Transaction.id).limit(1)).one()
    page = client.get(f"/finance/transactions/{row}").text
    assert "You disconnected this bank. Its transactions stay here" in page
    assert "Save</button>" not in page
    answer = client.post(f"/finance/transactions/{row}", data={"category": "TRAVEL"})
    assert answer.status_code == 422
    assert "be changed, because you disconnected its bank." in answer.text
    answer = client.post("/finance/transactions/edit", data={"do": "hide", "all": "1"})
    assert answer.status_code == 422
    with app.app_context():
        assert db.session.query(Transaction).filter(Transaction.edited_at.is_not(None)).all() == []


def test_the_net_worth_is_without_it(app, disconnected):
    page = Page(disconnected.client.get("/finance/").text)
    with app.app_context():
        name = db.session.scalars(db.select(Account.name)).first()
    assert name not in page.find(id="accounts")[1]


def test_another_persons_connection_is_not_found(app, connected, charlie):
    assert charlie.client.get(PAGE).status_code == 404
    assert charlie.client.post(PAGE, data={"history": "delete"}).status_code == 404
    assert state(app) == "good"


@pytest.mark.usefixtures("disconnected")
def test_webhooks_of_a_disconnected_bank_are_dropped_unread(app, tell):
    with app.app_context():
        before = db.session.query(Webhook).count()
        item = db.session.scalars(db.select(Item)).one()
    tell(item, "ITEM", "LOGIN_REPAIRED")
    tell(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    with app.app_context():
        assert db.session.query(Webhook).count() == before
    assert state(app) == "disconnected"


def test_its_accounts_are_marked_as_history(disconnected):
    page = Page(disconnected.client.get("/finance/items").text)
    assert page.find(id="bank-1")[1].count(" history $") == 2
    page = Page(disconnected.client.get("/finance/items/1").text)
    assert page.find(id="item")[1].count(" history $") == 2
