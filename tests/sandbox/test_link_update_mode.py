"""Update mode through Hosted Link: a log-in again, and a new choice of accounts."""

import pytest

from tests.link_walker import Person, walk
from tests.sandbox.conftest import BACK, FIRST_BANK, OAUTH_BANK
from tests.sandbox_control import Control

CHOOSE = {"account_selection_enabled": True}


@pytest.fixture
def update(hosted_link):
    """Create a link for update mode and walk through it. Return the link."""

    def walk_through(token, *, selection=False, **steps):
        chosen = {"update": CHOOSE} if selection else {}
        link = hosted_link(access_token=token, products=None, **chosen)
        assert walk(link["hosted_link_url"], **steps) == BACK
        return link

    return walk_through


@pytest.fixture
def bank(live):
    return Control(live.url)


def item_of(live, token):
    return live.call("/item/get", access_token=token)["item"]


def masks(live, token):
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    return [account["mask"] for account in accounts]


@pytest.mark.parametrize("institution_id", [FIRST_BANK, OAUTH_BANK])
def test_a_log_in_repairs_the_item(live, connect, update, sessions_of, institution_id):
    token = connect(bank=institution_id, accounts=["0000", "1111"])
    before = item_of(live, token)
    live.call("/sandbox/item/reset_login", access_token=token)
    link = update(token)
    assert item_of(live, token) == before
    assert masks(live, token) == ["0000", "1111"]
    (session,) = sessions_of(link)
    (result,) = session["results"]["item_add_results"]
    assert [account["mask"] for account in result["accounts"]] == ["0000", "1111"]
    again = live.call("/item/public_token/exchange", public_token=result["public_token"])
    assert (again["access_token"], again["item_id"]) == (token, before["item_id"])


def test_it_opens_at_the_bank_of_the_item(connect, hosted_link):
    link = hosted_link(access_token=connect(bank="ins_109511"), products=None)
    person = Person(link["hosted_link_url"])
    assert (person.step, person.heading) == ("credentials", "Tartan Bank")


def test_another_user_is_refused(live, connect, update, sessions_of):
    token = connect()
    live.call("/sandbox/item/reset_login", access_token=token)
    link = update(token, username="user_yuppie", password="any")
    error = sessions_of(link)[0]["exit"]["error"]
    assert error["error_code"] == "INVALID_UPDATED_USERNAME"
    assert item_of(live, token)["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"


def test_leaving_repairs_nothing(live, connect, update):
    token = connect()
    live.call("/sandbox/item/reset_login", access_token=token)
    update(token, cancel_at="credentials")
    assert item_of(live, token)["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"


def test_another_choice_of_accounts(live, connect, update):
    token = connect(accounts=["0000", "1111"])
    live.clock.advance(60)
    rows, page = live.sync_all(token)
    update(token, selection=True, accounts=["1111", "3333"])
    assert masks(live, token) == ["1111", "3333"]
    changes, page = live.sync_all(token, page["next_cursor"])
    (card,) = [
        account["account_id"]
        for account in live.call("/accounts/get", access_token=token)["accounts"]
        if account["mask"] == "3333"
    ]
    assert changes["removed"] == []
    assert {row["account_id"] for row in changes["added"]} == {card}
    assert {row["account_id"] for row in live.sync_all(token)[0]["added"]} >= {card}
    checking = rows["added"][0]["account_id"]

    update(token, selection=True, accounts=["0000"])
    back, _ = live.sync_all(token, page["next_cursor"])
    ids = {row["transaction_id"] for row in rows["added"]}
    assert {row["transaction_id"] for row in back["added"]} <= ids
    assert checking in {row["account_id"] for row in rows["added"]}


def test_the_accounts_that_are_shared_are_ticked(connect, hosted_link):
    link = hosted_link(access_token=connect(accounts=["0000"]), products=None, update=CHOOSE)
    person = Person(link["hosted_link_url"])
    person.send(username=["user_good"], password=["pass_good"])
    boxes = [e for tag, e, _ in person.page.elements if e.get("name") == "account_id"]
    assert [box["data-mask"] for box in boxes if "checked" in box] == ["0000"]
    assert len(boxes) == 9


def test_a_new_account_at_the_bank(live, connect, update, bank):
    token = connect()
    live.clock.advance(60)
    cursor = live.sync_all(token)[1]["next_cursor"]
    bank.change(item_of(live, token)["item_id"], new_account={"name": "Travel", "mask": "4321"})
    assert "4321" not in masks(live, token)
    link_accounts = [*masks(live, token), "4321"]
    update(token, selection=True, accounts=link_accounts)
    assert masks(live, token) == link_accounts
    assert len(live.sync_all(token, cursor)[0]["added"]) == 3


def test_accounts_that_the_filters_hide_stay_as_they_are(live, connect, update, hosted_link):
    token = connect(accounts=["0000", "3333"])
    only_depository = {"depository": {"account_subtypes": ["all"]}}
    link = hosted_link(
        access_token=token, products=None, update=CHOOSE, account_filters=only_depository
    )
    walk(link["hosted_link_url"], accounts=["1111"])
    assert masks(live, token) == ["1111", "3333"]


def test_consent_that_ends_is_renewed(live, connect, update, bank):
    token = connect(bank=OAUTH_BANK)
    bank.change(item_of(live, token)["item_id"], consent_expires="2026-03-20T00:00:00Z")
    update(token)
    assert item_of(live, token)["consent_expiration_time"] == "2027-03-15T12:00:00Z"


def test_permission_that_was_revoked_does_not_come_back(live, connect, update, bank, sessions_of):
    token = connect()
    bank.change(item_of(live, token)["item_id"], revoke=True)
    link = update(token)
    assert sessions_of(link)[0]["exit"]["error"]["error_code"] == "ITEM_NOT_FOUND"
    assert item_of(live, token)["error"]["error_code"] == "USER_PERMISSION_REVOKED"


def test_an_item_that_is_removed_meanwhile(live, connect, hosted_link, sessions_of):
    token = connect()
    link = hosted_link(access_token=token, products=None)
    person = Person(link["hosted_link_url"])
    live.call("/item/remove", access_token=token)
    person.send(username=["user_good"], password=["pass_good"])
    assert person.step == "error"
    person.give_up()
    assert sessions_of(link)[0]["exit"]["error"]["error_code"] == "ITEM_NOT_FOUND"
