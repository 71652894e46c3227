"""A connection that needs the person, until it is disconnected, while other pages are open.

The person is at Plaid in tests/link_walker.py; tests/e2e/test_connect.py goes there in the browser.
"""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.person import be_done
from tests.link_walker import walk
from tests.sandbox_control import Control

PRIVATE = re.compile(r"(?:access|link|public)-sandbox-|/hl/(?!removed)\w|gAAAA|[\w.]+@[\w.]+")
DOWN = {"status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR"}


@pytest.fixture
def bank(small_user):
    """How the person logs in to the bank: two accounts, three transactions."""
    return {
        "username": small_user["override_username"],
        "password": small_user["override_password"],
    }


@pytest.fixture
def at_plaid(person):
    """Press a button that leads to Plaid, walk through Link, and come back to the panel."""

    def go(button, **steps):
        person.press(button)
        expect(person.page).to_have_url(re.compile("/hl/"))
        person.page.goto(walk(person.page.url, **steps))
        return person.page.locator("[data-state]").first

    return go


def banner(page: Page) -> Locator:
    return page.locator("#attention section")


def net_worth(page: Page) -> list[str]:
    return page.locator("#net-worth .figure").all_inner_texts()


def open_connection(page: Page) -> None:
    page.goto("/finance/items")
    page.locator("[data-item-state] h2 a").click()
    page.wait_for_url("**/finance/items/*")


def disconnect(page: Page) -> Locator:
    """Keep the history or, if it is kept already, delete it. Return the panel."""
    open_connection(page)
    page.get_by_role("link", name=re.compile("^(Disconnect|Delete the history of) ")).click()
    page.locator("#disconnect button").click()
    return page.locator("[data-state]").first


def test_every_open_page_shows_the_repair(deployment, person, bank, at_plaid):
    control, page = Control(deployment.bank.url), person.page
    be_done(person.connect(**bank))
    other = person.context.new_page()
    other.goto("/finance/items")
    connection = other.locator("[data-item-state]")
    plaid_id = control.items()[-1]["item_id"]

    control.change(plaid_id, error="ITEM_LOGIN_REQUIRED")
    for shown in (page, other):
        expect(banner(shown)).to_contain_text("needs you to log in")
    be_done(at_plaid("Log in again", **bank))
    for shown in (page, other):
        expect(banner(shown)).to_have_count(0)
    expect(connection).to_have_attribute("data-item-state", "good")

    control.change(plaid_id, error="ITEM_LOGIN_REQUIRED")
    expect(banner(other)).to_be_visible()
    control.change(plaid_id, login_repaired=True)  # in another app
    expect(banner(other)).to_have_count(0)

    control.change(plaid_id, new_account={"name": "New savings", "mask": "7777"})
    page.goto("/finance/items/" + connection.get_attribute("id").removeprefix("bank-"))
    expect(banner(page)).to_contain_text("has new accounts")
    be_done(at_plaid("Choose accounts", accounts=["0000", "7777"], **bank))
    expect(banner(other)).to_have_count(0)
    accounts = person.json("/finance/accounts.json")["accounts"]
    closed = {account["mask"]: account["closed"] for account in accounts}
    assert closed == {"0000": False, "1111": True, "7777": False}


def test_from_disconnected_to_connected_again_to_deleted(deployment, person, bank, at_plaid):
    page = person.page
    be_done(at_plaid("Connect a bank", **bank))
    page.goto("/finance/")
    worth, rows = net_worth(page), person.transactions()
    assert len(rows) == 3

    open_connection(page)
    person.press("Ask the bank again")
    expect(page.get_by_text("You can ask the bank again")).to_be_visible()

    be_done(disconnect(page))
    page.goto("/finance/items")
    expect(page.locator("[data-item-state=disconnected]")).to_be_visible()
    page.goto("/finance/")
    assert net_worth(page) != worth
    assert person.transactions() == rows

    panel = at_plaid("Connect a bank", **bank)
    be_done(panel)
    expect(panel).to_contain_text("connected again. 2 accounts, no duplicates: 3 transactions")
    page.goto("/finance/")
    assert net_worth(page) == worth
    again = person.transactions()
    assert [row["name"] for row in again] == [row["name"] for row in rows]

    deployment.bank.misbehave("error", "/item/remove", **DOWN)
    expect(disconnect(page)).to_have_attribute("data-state", "queued")
    page.goto("/finance/items")
    expect(page.locator("[data-item-state=disconnecting]")).to_be_visible()
    deployment.bank.behave()
    be_done(disconnect(page))
    page.goto("/finance/items")
    expect(page.locator("[data-item-state]")).to_have_count(0)
    assert person.transactions() == []


def test_no_process_has_logged_anything_private(deployment, person):
    """During the tests above, and all others of this deployment so far."""
    secrets = [deployment.env[name] for name in ("SECRET_KEY", "TOKEN_KEYS")]
    cookies = [cookie["value"] for cookie in person.context.cookies()]
    for name in ("web", "worker", "clock", "release"):
        log = deployment.running[name].log.read_text()
        assert PRIVATE.findall(log) == [], name
        assert [secret for secret in secrets + cookies if secret in log] == [], name
        for line in log.splitlines():
            assert {"time", "level", "logger", "message"} <= json.loads(line).keys(), name


def test_the_log_follows_a_request_and_a_pull(deployment, person, bank):
    be_done(person.connect(**bank))
    connects = [
        line
        for line in map(json.loads, deployment.running["worker"].log.read_text().splitlines())
        if line.get("event") == "connect"
    ]
    assert connects[-1]["pull"] > 0
    assert connects[-1]["attempt"] == 1
    assert re.fullmatch("[0-9a-f]{32}", connects[-1]["person"])
