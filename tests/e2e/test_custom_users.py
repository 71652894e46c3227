"""`user_custom` through the page: the JSON's data is stored, digit for digit.

Plaid's own examples are tested too if they are in a folder next to the checkout.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.person import be_done
from tests.e2e.processes import ROOT, wait_until

DAYS_REQUESTED = 730
EXAMPLES = ROOT.parent / "shared" / "data" / "custom_users"
COUNTS = {"business_account.json": (1, 36)}
"""Accounts and transactions, where their numbers don't depend on today's date."""
TODAY = datetime.now(UTC).date()


def entry(days_ago: int, amount: float, description: str, currency: str = "USD") -> dict[str, Any]:
    return {
        "date_transacted": str(TODAY - timedelta(days=days_ago + 1)),
        "date_posted": str(TODAY - timedelta(days=days_ago)),
        "amount": amount,
        "description": description,
        "currency": currency,
    }


CORNER_SHOP = {
    "override_accounts": [
        {
            "type": "depository",
            "subtype": "checking",
            "starting_balance": 1204.5,
            "meta": {"name": "Till", "official_name": "Corner Shop Till"},
            "numbers": {"account": "9900111122223333"},
            "transactions": [
                entry(2, 12.3, "FLOUR AND YEAST"),
                entry(39, -7500, "TAKINGS OF THE WEEK"),
                entry(400, 0.01, "ROUNDING"),
                entry(899, 5, "LONGER AGO THAN IS ASKED FOR"),
            ],
        },
        {
            "type": "credit",
            "subtype": "credit card",
            "starting_balance": 310.07,
            "meta": {"name": "Card", "limit": 5000},
            "transactions": [
                entry(9, 1048.5751234, "Café Müller; KÖLN <b>“bar”</b>", "EUR"),
                entry(9, 3.5, "TWICE"),
                entry(9, 3.5, "TWICE"),
            ],
        },
    ]
}


def custom_users() -> list[Any]:
    ours = pytest.param(json.dumps(CORNER_SHOP), (2, 6), id="corner shop")
    # The template's accounts have no type, so no user can be created from it.
    theirs = [path for path in sorted(EXAMPLES.glob("*.json")) if "blank" not in path.name]
    return [ours] + [
        pytest.param(path.read_text(), COUNTS.get(path.name), id=path.stem) for path in theirs
    ]


@pytest.mark.parametrize(("custom_user", "counts"), custom_users())
def test_the_json_is_stored(person, custom_user, counts):
    panel = person.connect("user_custom", custom_user)
    be_done(panel)

    told = json.loads(custom_user, parse_float=Decimal)["override_accounts"]
    accounts = person.json("/finance/accounts.json")["accounts"]
    stored = person.transactions()
    assert sorted(map(key_of_stored, stored)) == sorted(map(key_of_told, entries_within(told)))
    assert sorted(a["subtype"] for a in accounts) == sorted(a["subtype"] for a in told)
    if counts:
        assert (len(accounts), len(stored)) == counts
    expect(person.page.locator("#accounts li")).to_have_count(len(accounts))
    wait_until(person.sees_all, 30, "the page's own count")


def entries_within(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = TODAY - timedelta(days=DAYS_REQUESTED)
    entries = [row for account in accounts for row in account.get("transactions", [])]
    return [row for row in entries if date.fromisoformat(row["date_posted"]) >= first]


def key_of_told(row: dict[str, Any]) -> tuple[str, Decimal, str, str]:
    return row["date_posted"], Decimal(row["amount"]), row["description"], row["currency"]


def key_of_stored(row: dict[str, Any]) -> tuple[str, Decimal, str, str]:
    return row["date"], Decimal(row["amount"]), row["name"], row["iso_currency_code"]


def test_an_error_in_the_json_is_shown_next_to_the_field(person):
    page = person.page
    page.get_by_text("Use another test user").click()
    page.get_by_label("Test user").fill("user_custom")
    page.get_by_label("Password").fill('{"override_accounts": [')
    loads = person.page_loads
    person.press("Connect a test bank")
    expect(page.locator("#connect-form .error")).to_contain_text("not valid JSON")
    expect(page.locator("#activity > [id^=pull-]")).to_have_count(0)

    page.get_by_label("Password").fill(json.dumps(CORNER_SHOP))
    be_done(person.pull("Connect a test bank"))
    expect(page.locator("#accounts li")).to_have_count(2)
    assert person.page_loads == loads
    person.complaints = [text for text in person.complaints if "status of 422" not in text]


def test_the_bank_refuses_a_wrong_password(person):
    panel = person.connect("user_good", "not the password")
    expect(panel).to_have_attribute("data-state", "failed")
    expect(panel).to_contain_text("did not accept this username and password")
