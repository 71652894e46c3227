"""Linking the same bank twice gives the same accounts and transactions with new ids."""

import pytest

from tests.sandbox.conftest import HISTORICAL_DELAY, INITIAL_DELAY

DAY = 24 * 60 * 60
OAUTH_BANK = "ins_127287"
MONTHLY_TRANSFERS = (
    "CREDIT CARD 3333 PAYMENT",
    "AUTOMATIC PAYMENT - THANK YOU",
    "ONLINE TRANSFER TO MONEY MARKET ...4444",
    "ONLINE TRANSFER FROM CHECKING ...0000",
)


def rows_without_ids(live, token):
    rows = live.sync_all(token)[0]["added"]
    return [(row["date"], row["amount"], row["name"], row["pending"]) for row in rows]


def accounts(live, token):
    return live.call("/accounts/get", access_token=token)["accounts"]


def accounts_without_ids(live, token):
    fields = ("name", "official_name", "mask", "type", "subtype", "balances")
    return [[account[name] for name in fields] for account in accounts(live, token)]


def test_only_the_ids_differ(live):
    first, second = live.link_ready(), live.link_ready()
    assert rows_without_ids(live, first) == rows_without_ids(live, second)
    assert accounts_without_ids(live, first) == accounts_without_ids(live, second)
    ids = [
        {account["account_id"] for account in accounts(live, token)} for token in (first, second)
    ]
    assert not ids[0] & ids[1]


def test_an_exchange_can_be_repeated(live):
    token = live.public_token()
    first, second = (live.call("/item/public_token/exchange", public_token=token) for _ in range(2))
    for name in ("access_token", "item_id"):
        assert first[name] == second[name]
    live.clock.advance(HISTORICAL_DELAY)
    updates = live.call("/item/get", access_token=first["access_token"])["status"]["transactions"]
    assert updates["last_successful_update"] == "2026-03-15T12:01:00Z"


def test_past_days_look_the_same_later(live):
    first = rows_without_ids(live, live.link_ready())
    live.clock.advance(3 * DAY - INITIAL_DELAY)
    second = rows_without_ids(live, live.link_ready())
    # The monthly transfers depend on the current day, so leave them out.
    posted = [row for row in first if not row[3] and row[2] not in MONTHLY_TRANSFERS]
    oldest = min(row[0] for row in second)
    since = [row for row in posted if row[0] > oldest]
    assert len(since) > 1000
    assert [row for row in since if row not in second] == []


def link_at(live, institution_id, username, password):
    token = live.call(
        "/sandbox/public_token/create",
        institution_id=institution_id,
        initial_products=["transactions"],
        options={"override_username": username, "override_password": password},
    )["public_token"]
    return live.call("/item/public_token/exchange", public_token=token)["access_token"]


def persistent_ids(live, *login):
    listed = accounts(live, link_at(live, *login))
    return {account["mask"]: account.get("persistent_account_id") for account in listed}


def test_tokenized_banks_keep_the_persistent_id(live):
    first, second = (persistent_ids(live, OAUTH_BANK, "user_good", "pass_good") for _ in range(2))
    assert first == second
    assert {mask for mask, persistent_id in first.items() if persistent_id} == {
        "0000",
        "1111",
        "2222",
        "4444",
    }
    assert len({persistent_id for persistent_id in first.values() if persistent_id}) == 4
    other = persistent_ids(live, OAUTH_BANK, "user_transactions_dynamic", "any")
    assert not {persistent_id for persistent_id in first.values() if persistent_id} & set(
        other.values()
    )


@pytest.mark.parametrize("institution_id", ["ins_109508", "ins_3"])
def test_other_banks_have_no_persistent_id(live, institution_id):
    listed = accounts(live, link_at(live, institution_id, "user_good", "pass_good"))
    assert all("persistent_account_id" not in account for account in listed)
