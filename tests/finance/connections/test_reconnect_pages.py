"""What a person sees after connecting the same bank again."""

import json

import pytest

from plaidapp.store import Item, Pull
from plaidapp.store.connections import item_states
from tests.pages import Page


@pytest.fixture
def again(connected, connect, small_user):
    """Alice has connected the small bank twice: Item 2 has replaced Item 1."""
    connect(connected, **small_user)
    return connected


def test_the_panel_says_that_the_bank_was_connected_again(again, panel):
    shown = panel(again.htmx("GET", "/finance/pulls/3"))
    assert shown.state == "done"
    assert (
        "First Platypus Bank connected again. 2 accounts, no duplicates:"
        " 3 transactions were already here, 0 new" in shown.text
    )


def test_the_panel_counts_new_transactions(connected, connect, panel, small_user):
    more = small_user["override_password"].replace("0.01", "0.02")
    connect(connected, **small_user | {"override_password": more})
    text = panel(connected.htmx("GET", "/finance/pulls/3")).text
    assert "2 transactions were already here, 1 new, 1 removed by the bank" in text


def test_without_transactions_the_panel_mentions_no_duplicates(alice, connect, panel, small_user):
    """Neither connection has any."""
    user = json.loads(small_user["override_password"])
    for account in user["override_accounts"]:
        account["transactions"] = []
    empty = small_user | {"override_password": json.dumps(user)}
    connect(alice, **empty)
    connect(alice, **empty)
    text = panel(alice.htmx("GET", "/finance/pulls/3")).text
    assert "First Platypus Bank connected again. 2 accounts, nothing new" in text


def link_to_merge(client, item_id):
    page = Page(client.get(f"/finance/items/{item_id}").text)
    return [text for text in ("Merge or separate", "Merge", "Separate") if text in page.text][:1]


def test_merging_and_separating_are_offered_where_they_are_possible(connected, connect, small_user):
    assert link_to_merge(connected.client, 1) == []
    connect(connected, **small_user)
    assert link_to_merge(connected.client, 2) == ["Separate"]
    connect(connected, **small_user | {"institution_id": "ins_109509"})
    assert link_to_merge(connected.client, 2) == ["Merge or separate"]
    assert link_to_merge(connected.client, 3) == ["Merge"]


def test_only_the_new_connection_is_listed(again):
    overview = Page(again.client.get("/finance/").text)
    assert "1 connection, 2 accounts, 3 transactions." in overview.find(id="summary")[1]
    connections = Page(again.client.get("/finance/items").text)
    assert not connections.has(id="bank-1")
    assert connections.has(id="bank-2")


def test_the_old_connections_page_links_to_the_new_one(again):
    page = again.client.get("/finance/items/1").text
    assert "You connected this bank again." in page
    assert 'href="/finance/items/2"' in page
    assert "Sync now" not in page
    assert "Closed at the bank because you connected it again" in page
    page = again.client.get("/finance/items/2").text
    assert "<dt>Transactions</dt><dd>3</dd>" in page
    assert "Connected again, no duplicates" in page


def test_a_replaced_item_cant_be_synced(again, ask):
    before = len(ask(Pull))
    assert again.client.post("/finance/items/1/sync").status_code == 422
    answer = again.htmx("POST", "/finance/items/1/sync")
    assert answer.status_code == 422
    assert "You connected this bank again." in answer.text
    assert len(ask(Pull)) == before


def test_every_button_uses_only_the_new_connection(again, work, ask, today):
    dates = {"start_date": str(today), "end_date": str(today)}
    for path in ("/finance/pulls/accounts", "/finance/pulls/transactions"):
        assert again.client.post(path, data=dates).status_code == 302
    work()
    old, new = ask(Item)
    assert old.sync_requested == 1
    assert new.sync_requested == 2
    assert {pull.state for pull in ask(Pull)} == {"done"}


def test_webhooks_of_the_old_connection_are_ignored(again, ask, tell, subtests):
    before = len(ask(Pull))
    for kind, code in (
        ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"),
        ("ITEM", "ERROR"),
        ("ITEM", "LOGIN_REPAIRED"),
        ("ITEM", "PENDING_EXPIRATION"),
        ("ITEM", "USER_PERMISSION_REVOKED"),
    ):
        with subtests.test(code):
            old, _ = ask(Item)
            tell(old, kind, code)
            old, new = ask(Item)
            assert (old.state, new.state) == (item_states.REPLACED, item_states.GOOD)
            assert old.sync_requested == 1
            assert len(ask(Pull)) == before


def test_the_json_has_every_account_and_row_once(again):
    accounts = again.client.get("/finance/accounts.json").json["accounts"]
    rows = again.client.get("/finance/transactions.json").json
    assert len(accounts) == 2
    assert rows["total_transactions"] == len(rows["transactions"]) == 3
    assert {row["account_id"] for row in rows["transactions"]} <= {
        account["account_id"] for account in accounts
    }
