"""Items: their status and products, other tokens, imports and removal."""

import pytest

from sandbox import recurring

GB = ("ins_116834", "ins_117650", "ins_117181")
# Those of https://plaid.com/docs/sandbox/institutions/ that Link treats like any other bank.
TEST_BANKS = ("ins_109508", "ins_109509", "ins_109510", "ins_109511", "ins_109512", "ins_43",
              *GB, "ins_127287", "ins_130016", "ins_132241", "ins_135858", "ins_132363",
              "ins_133502", "ins_133503")  # fmt: skip


def test_the_status_has_the_products_of_the_item(live):
    token = live.link(("transactions", "investments"))
    status = live.call("/item/get", access_token=token)["status"]
    assert status["investments"] == {
        "last_failed_update": None,
        "last_successful_update": "2026-03-15T12:00:00Z",
    }
    assert status["transactions"]["last_successful_update"] is None
    assert status["last_webhook"] is None
    live.clock.advance(60)
    live.call("/transactions/refresh", access_token=token)
    status = live.call("/item/get", access_token=token)["status"]
    for product in ("investments", "transactions"):
        assert status[product]["last_successful_update"] == "2026-03-15T12:01:00Z"
    other = live.link(("auth",), days=None)
    status = live.call("/item/get", access_token=other)["status"]
    assert status == {"investments": None, "last_webhook": None, "transactions": None}


def test_the_item_names_its_products_and_consent(live):
    item = live.call("/item/get", access_token=live.link(("auth", "transactions")))["item"]
    assert item["products"] == item["billed_products"] == ["auth", "transactions"]
    assert item["consented_products"] == ["auth", "transactions"]
    assert not set(item["available_products"]) & {"auth", "transactions"}
    assert "investments" in item["available_products"]


def test_an_access_token_can_be_replaced(live, error_of):
    old = live.link_ready()
    item_id = live.call("/item/get", access_token=old)["item"]["item_id"]
    new = live.call("/item/access_token/invalidate", access_token=old)["new_access_token"]
    assert error_of("/item/get", access_token=old)[1] == "INVALID_ACCESS_TOKEN"
    assert live.call("/item/get", access_token=new)["item"]["item_id"] == item_id
    third = live.call("/item/access_token/invalidate", access_token=new)["new_access_token"]
    assert len({old, new, third}) == 3


def test_a_login_can_be_imported(live, error_of):
    user = {"user_id": "user_good", "auth_token": "pass_good"}
    hook = {"webhook": "https://receiver.test/hook"}
    fields = {"products": ["auth", "identity"], "user_auth": user, "options": hook}
    token = live.call("/item/import", **fields)["access_token"]
    item = live.call("/item/get", access_token=token)["item"]
    assert (item["institution_id"], item["webhook"]) == ("ins_109508", hook["webhook"])
    wrong = user | {"auth_token": "wrong"}
    error = error_of("/item/import", products=["auth"], user_auth=wrong)
    assert error[:2] == ("ITEM_ERROR", "INVALID_CREDENTIALS")


def test_a_removed_item_is_not_found(live, error_of):
    token = live.link_ready()
    removal = {"reason_code": "OTHER", "reason_note": "moved to another bank"}
    live.call("/item/remove", access_token=token, **removal)
    for path in ("/item/remove", "/item/get", "/accounts/get", "/transactions/sync",
                 "/transactions/refresh", "/item/webhook/update"):  # fmt: skip
        assert error_of(path, access_token=token)[:2] == ("ITEM_ERROR", "ITEM_NOT_FOUND")


def test_an_invalid_reason_removes_nothing(live, error_of):
    token = live.link_ready()
    for removal in ({"reason_code": "BORED"}, {"reason_note": "x" * 513}, {"reason_code": 1}):
        error = error_of("/item/remove", access_token=token, **removal)
        assert error[:2] == ("INVALID_REQUEST", "INVALID_FIELD")
    live.call("/item/get", access_token=token)


def test_the_banks_of_plaids_sandbox_are_known(live):
    for institution_id in TEST_BANKS:
        countries = ["GB"] if institution_id in GB else ["US", "CA"]
        fields = {"institution_id": institution_id, "country_codes": countries}
        live.call("/institutions/get_by_id", **fields)
        fields = {"institution_id": institution_id, "initial_products": ["transactions"]}
        live.call("/sandbox/public_token/create", **fields)


@pytest.mark.parametrize(
    ("institution_id", "code"),
    [
        ("ins_132361", "INSTITUTION_DOWN"),
        ("ins_133402", "INSTITUTION_NO_LONGER_SUPPORTED"),
    ],
)
def test_some_banks_cannot_be_connected(error_of, institution_id, code):
    fields = {"institution_id": institution_id, "initial_products": ["transactions"]}
    assert error_of("/sandbox/public_token/create", **fields)[:2] == ("INSTITUTION_ERROR", code)


def test_the_key_of_plaids_own_tests_exists(live):
    key_id = "6c5516e1-92dc-479e-a8ff-5a51992e0001"
    assert live.call("/webhook_verification_key/get", key_id=key_id)["key"]["kid"] == key_id


def test_counterparties_have_the_fields_of_transactions(live):
    rows = live.sync_all(live.link_ready())[0]["added"]
    fields = {frozenset(party) for row in rows for party in row["counterparties"]}
    assert fields == {
        frozenset({"confidence_level", "entity_id", "logo_url", "name", "type", "website"})
    }


def test_streams_are_found_once_for_each_change(live, monkeypatch):
    token = live.link_ready(override_username="user_transactions_dynamic")
    found = []

    def count(*arguments):
        found.append(arguments)
        return find(*arguments)

    find = recurring.find_streams
    monkeypatch.setattr("sandbox.api.recurring.recurring.find_streams", count)
    first = live.call("/transactions/recurring/get", access_token=token)
    second = live.call("/transactions/recurring/get", access_token=token)
    assert first | {"request_id": ""} == second | {"request_id": ""}
    assert len(found) == 1
    version = {"options": {"personal_finance_category_version": "v2"}}
    live.call("/transactions/recurring/get", access_token=token, **version)
    assert len(found) == 2
    live.be_active(token)
    before = len(found)
    live.call("/transactions/recurring/get", access_token=token)
    assert len(found) == before + 1
