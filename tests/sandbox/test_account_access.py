"""Accounts that are shared, and those that aren't: what an Item lists of each."""

import pytest

from sandbox import account_access, items
from tests.sandbox_control import Control


@pytest.fixture
def share(live):
    """Share accounts of an Item, as the user does in update mode."""

    def share_accounts(token, *account_ids):
        sandbox = live.app.extensions["sandbox"]
        with sandbox.store.write() as db:
            return account_access.share(db, items.find(db, token), account_ids)

    return share_accounts


def test_a_new_account_brings_its_transactions_when_it_is_shared(live, share):
    token = live.link_ready()
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    _, page = live.sync_all(token)
    changed = Control(live.url).change(item_id, new_account={"transactions": 2})
    account = changed["accounts"][-1]["account_id"]
    assert live.sync_all(token, page["next_cursor"])[0]["added"] == []
    assert share(token, account) == 2
    assert live.call("/accounts/get", access_token=token)["accounts"][-1]["account_id"] == account
    updates, _ = live.sync_all(token, page["next_cursor"])
    assert [row["account_id"] for row in updates["added"]] == [account] * 2
    assert updates["modified"] == updates["removed"] == []


def test_an_account_that_is_shared_again_has_the_same_transactions(live, share):
    token = live.link_ready()
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    before, page = live.sync_all(token)
    account = live.call("/accounts/get", access_token=token)["accounts"][3]["account_id"]
    Control(live.url).change(item_id, revoke_account=account)
    Control(live.url).change(item_id, activity=True)
    _, page = live.sync_all(token, page["next_cursor"])
    share(token, account)
    again = live.sync_all(token, page["next_cursor"])[0]["added"]
    assert {row["transaction_id"] for row in again} == {
        row["transaction_id"] for row in before["added"] if row["account_id"] == account
    }


def test_transactions_added_later_leave_out_accounts_that_are_not_shared(live, share):
    token = live.link(("auth",), days=None)
    item_id = live.call("/item/get", access_token=token)["item"]["item_id"]
    account = live.call("/accounts/get", access_token=token)["accounts"][0]["account_id"]
    Control(live.url).change(item_id, revoke_account=account)
    live.call("/transactions/sync", access_token=token)
    live.clock.advance(60)
    rows, page = live.sync_all(token)
    assert rows["added"]
    assert account not in {row["account_id"] for row in rows["added"]}
    shown = share(token, account)
    assert shown > 0
    assert len(live.sync_all(token, page["next_cursor"])[0]["added"]) == shown
