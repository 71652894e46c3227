"""The control plane: what happens to Items at their banks, and what clients then see."""

from datetime import timedelta

import pytest
import requests

from sandbox import items
from sandbox.control.changes import CODES
from sandbox.error_catalog import CATALOG
from tests.sandbox_control import Control

BANK = "ins_109508"
CALLS = ("/accounts/get", "/accounts/balance/get", "/transactions/sync", "/transactions/refresh")


@pytest.fixture
def control(live):
    return Control(live.url)


def link(live, **options):
    """Return the access token and the id of a new Item whose history is complete."""
    token = live.link_ready(**options)
    return token, live.call("/item/get", access_token=token)["item"]["item_id"]


def test_items_are_listed_without_tokens(live, control):
    token, item_id = link(live)
    waiting = live.public_token()
    first, second = control.items()
    assert (first["item_id"], first["institution_id"], first["state"]) == (item_id, BANK, "good")
    assert (first["exchanged"], second["exchanged"]) == (True, False)
    assert first["accounts"][0]["name"] == "Plaid Checking"
    live.call("/item/remove", access_token=token)
    assert control.item(item_id)["removed"]
    assert control.item(item_id)["state"] == "removed"
    text = requests.get(live.url + "/_control/items", timeout=10).text
    assert token not in text
    assert waiting not in text


def test_an_error_is_shown_by_the_item_and_answered_by_its_calls(live, control, error_of, subtests):
    token, item_id = link(live)
    for code in sorted(CODES - {"ITEM_NOT_FOUND"}):
        with subtests.test(code):
            assert control.change(item_id, error=code)["state"] == code
            shown = live.call("/item/get", access_token=token)
            assert shown["item"]["error"]["error_code"] == code
            updates = shown["status"]["transactions"]
            assert updates["last_failed_update"] == "2026-03-15T12:01:00Z"
            for path in CALLS:
                error = error_of(path, CATALOG[code].status, access_token=token)
                assert error == (CATALOG[code].error_type, code, CATALOG[code].message)
            assert control.change(item_id, error=None)["state"] == "good"
            assert live.call("/item/get", access_token=token)["item"]["error"] is None
            live.call("/accounts/get", access_token=token)


def test_an_item_that_plaid_no_longer_knows(live, control, error_of):
    token, item_id = link(live)
    control.change(item_id, error="ITEM_NOT_FOUND")
    for path in ("/item/get", "/item/remove", *CALLS):
        assert error_of(path, access_token=token)[1] == "ITEM_NOT_FOUND"


def test_a_revoked_item_can_only_be_looked_at_and_removed(live, control, error_of):
    token, item_id = link(live)
    control.change(item_id, revoke=True)
    shown = live.call("/item/get", access_token=token)["item"]["error"]
    assert shown["error_code"] == "USER_PERMISSION_REVOKED"
    for path in CALLS:
        error = error_of(path, access_token=token)
        assert error[:2] == ("INVALID_INPUT", "USER_PERMISSION_REVOKED")
    live.call("/item/remove", access_token=token)


def test_consent_that_ends_requires_a_new_login(live, control, error_of, eventually):
    token, item_id = link(live)
    ends = live.clock() + timedelta(days=7)
    control.change(item_id, consent_expires=ends.isoformat())
    shown = live.call("/item/get", access_token=token)["item"]
    assert shown["consent_expiration_time"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    live.call("/accounts/get", access_token=token)
    live.clock.advance(7 * 24 * 60 * 60)
    eventually(lambda: control.item(item_id)["state"] == "ITEM_LOGIN_REQUIRED")
    assert error_of("/accounts/get", access_token=token)[1] == "ITEM_LOGIN_REQUIRED"


def test_consent_that_was_renewed_does_not_end(live, control, eventually):
    first, second = link(live)[1], link(live)[1]
    soon, later = live.clock() + timedelta(hours=1), live.clock() + timedelta(days=99)
    control.change(first, consent_expires=soon.isoformat())
    control.change(first, consent_expires=later.isoformat())
    control.change(second, consent_expires=soon.isoformat())
    live.clock.advance(60 * 60)
    eventually(lambda: control.item(second)["state"] == "ITEM_LOGIN_REQUIRED")
    assert control.item(first)["state"] == "good"
    control.change(first, consent_expires=None)


def test_a_new_account_waits_until_the_user_shares_it(live, control):
    token, item_id = link(live)
    before = live.call("/accounts/get", access_token=token)["accounts"]
    changed = control.change(item_id, new_account={"name": "Nest Egg", "mask": "1234"})
    assert changed["accounts"][-1] | {"account_id": "?"} == {
        "account_id": "?", "name": "Nest Egg", "mask": "1234", "access": "available"
    }  # fmt: skip
    assert live.call("/accounts/get", access_token=token)["accounts"] == before


@pytest.mark.parametrize(
    ("change", "access"), [("close_account", "closed"), ("revoke_account", "available")]
)
def test_an_account_disappears_with_its_transactions(live, control, change, access):
    token, item_id = link(live)
    _, page = live.sync_all(token)
    account = live.call("/accounts/get", access_token=token)["accounts"][0]["account_id"]
    changed = control.change(item_id, **{change: account})
    assert changed["accounts"][0]["account_id"] == account
    assert changed["accounts"][0]["access"] == access
    listed = live.call("/accounts/get", access_token=token)["accounts"]
    assert account not in [one["account_id"] for one in listed]
    updates, _ = live.sync_all(token, page["next_cursor"])
    assert updates == {"added": [], "modified": [], "removed": []}
    rows = live.sync_all(token)[0]["added"]
    assert rows
    assert account not in {row["account_id"] for row in rows}


def test_an_item_has_a_history_of_updates(live, control):
    token, item_id = link(live)
    control.change(
        item_id, silent_since="2026-03-10T08:00:00Z", failed_update="2026-03-14T09:30:00+01:00"
    )
    status = live.call("/item/get", access_token=token)["status"]["transactions"]
    assert status == {
        "last_successful_update": "2026-03-10T08:00:00Z",
        "last_failed_update": "2026-03-14T08:30:00Z",
    }


def test_activity_adds_transactions(live, control):
    token, item_id = link(live)
    _, page = live.sync_all(token)
    control.change(item_id, activity=True)
    updates, _ = live.sync_all(token, page["next_cursor"])
    assert len(updates["added"]) >= 3


def test_a_bank_that_is_down_answers_nothing(live, control, error_of):
    token, _ = link(live)
    query = {
        "institution_id": BANK, "country_codes": ["US"], "options": {"include_status": True}
    }  # fmt: skip

    def status():
        return live.call("/institutions/get_by_id", **query)["institution"]["status"]

    assert status()["item_logins"]["status"] == "HEALTHY"
    with control.bank(BANK, "DOWN"):
        assert status()["item_logins"]["status"] == "DOWN"
        assert status()["transactions_updates"]["breakdown"]["refresh_interval"] == "STOPPED"
        for path in CALLS:
            error = error_of(path, access_token=token)
            assert error[:2] == ("INSTITUTION_ERROR", "INSTITUTION_DOWN")
        assert live.call("/item/get", access_token=token)["item"]["error"] is None
        new = {"institution_id": BANK, "initial_products": ["transactions"]}
        assert error_of("/sandbox/public_token/create", **new)[1] == "INSTITUTION_DOWN"
    live.call("/accounts/get", access_token=token)
    with control.bank(BANK, "DEGRADED"):
        assert status()["transactions_updates"]["status"] == "DEGRADED"
        live.call("/accounts/get", access_token=token)


IMPOSSIBLE = [
    ({"error": "NO_SUCH_CODE"}, "NO_SUCH_CODE is no error code"),
    ({"close_account": "nothing"}, "shares no account nothing"),
    ({"revoke_account": "nothing"}, "shares no account nothing"),
    ({"consent_expires": "2026-03-20T12:00:00"}, "consent_expires"),
    ({"explode": True}, "explode"),
    ({"new_account": {"mask": "twelve"}}, "mask"),
    ({"error": "ITEM_LOCKED", "activity": True}, "no error"),
]


def test_an_impossible_change_changes_nothing(live, control, subtests):
    _, item_id = link(live)
    before = control.items()
    url = f"{live.url}/_control/items/{item_id}"
    for change, why in IMPOSSIBLE:
        with subtests.test(str(change)):
            answer = requests.post(url, json=change, timeout=10)
            assert answer.status_code == 400
            assert answer.json()["error"].startswith("Nothing was changed. ")
            assert why in answer.json()["error"]
            assert control.items() == before


@pytest.mark.parametrize("path", ["items/unknown", "institutions/unknown"])
def test_what_does_not_exist_is_not_found(live, path):
    answer = requests.post(f"{live.url}/_control/{path}", json={"status": "DOWN"}, timeout=10)
    assert answer.status_code in (400, 404)
    assert "unknown" in answer.json()["error"] or "status" in answer.json()["error"]


def test_pages_of_other_sites_cannot_use_it(live):
    url = f"{live.url}/_control/institutions/{BANK}"
    down = '{"status": "DOWN"}'
    for headers, status in (
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Origin": live.url}, 200),
    ):
        answer = requests.post(url, data=down, headers=headers, timeout=10)
        assert answer.status_code == status, answer.text
    answer = requests.get(
        f"{live.url}/_control/items", headers={"Origin": "https://evil.example"}, timeout=10
    )
    assert answer.status_code == 403


def test_the_item_of_an_access_token_is_found(live):
    token, item_id = link(live)
    sandbox = live.app.extensions["sandbox"]
    assert items.id_of(sandbox, token) == item_id
    assert items.id_of(sandbox, "access-sandbox-unknown") is None


def test_an_item_whose_accounts_are_all_closed_has_no_accounts(live, control, error_of):
    token, item_id = link(live)
    for account in control.item(item_id)["accounts"]:
        control.change(item_id, close_account=account["account_id"])
    for path in CALLS:
        assert error_of(path, access_token=token)[:2] == ("ITEM_ERROR", "NO_ACCOUNTS")
    fire = {"webhook_code": "USER_ACCOUNT_REVOKED"}
    live.call("/item/webhook/update", access_token=token, webhook="https://receiver.test/hook")
    assert error_of("/sandbox/item/fire_webhook", access_token=token, **fire)[1] == "NO_ACCOUNTS"


def test_a_login_that_is_repaired_renews_the_consent(live, control):
    token, item_id = link(live)
    ends = live.clock() + timedelta(days=7)
    control.change(item_id, consent_expires=ends.isoformat())
    control.change(item_id, login_repaired=True)
    shown = live.call("/item/get", access_token=token)["item"]
    assert shown["consent_expiration_time"] > ends.isoformat()
