"""Disconnecting a bank in a browser without JavaScript: with the history kept and deleted, while
Plaid is away, and connecting it again. test_repair.py does the same with JavaScript."""

import re

from playwright.sync_api import expect

from tests.e2e.person import be_done
from tests.e2e.processes import wait_until

AWAY = {"status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR"}
BANK = "First Platypus Bank"


def connect(person, panels):
    """Connect a test bank, and wait until its panel is done: the `panels`-th of the person."""
    person.page.goto("/finance/")
    person.page.get_by_text("Use another test user").click()
    person.page.get_by_label("Test user").fill("user_transactions_dynamic")
    person.page.get_by_label("Password").fill("any")
    person.press("Connect a test bank")
    expect(person.page.locator("#activity > [id^=pull-]")).to_have_count(panels)
    be_done(person.page.locator("#activity > [id^=pull-]").first)


def states(page):
    read = "all => all.map(each => each.dataset.itemState)"
    return page.locator("[data-item-state]").evaluate_all(read)


def open_disconnect_page(person, name):
    person.page.goto("/finance/items")
    person.page.locator("article.bank").get_by_role("link", name=BANK).click()
    person.page.get_by_role("link", name=f"{name} {BANK}", exact=True).click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text(f"{name} {BANK}")


def test_disconnect_keep_connect_again_and_delete(deployment, visit):
    person = visit(deployment.url, javascript=False)
    person.join()
    page = person.page
    connect(person, 1)
    before = person.transactions()
    deployment.bank.misbehave("error", "/item/remove", **AWAY)
    open_disconnect_page(person, "Disconnect")
    expect(page.get_by_text(f"9 accounts and {len(before):,} transactions stay")).to_be_visible()
    person.press("Disconnect")
    page.goto("/finance/items")
    state = page.locator("[data-item-state]").first
    expect(state).to_have_attribute("data-item-state", "disconnecting")

    again = page.locator("[id^=pull-]").first.get_by_role("button", name="Try again")
    wait_until(lambda: page.reload() and again.count(), 60, "the end of a try")
    deployment.bank.behave()
    again.click()
    page.goto("/finance/items")
    wait_until(lambda: page.reload() and states(page) == ["disconnected"], 60, "the confirmation")
    assert person.transactions() == before

    connect(person, 3)
    after = person.transactions()
    ids = [{row["transaction_id"] for row in rows} for rows in (before, after)]
    assert ids[0] == ids[1]
    assert len(after) == len(before)

    open_disconnect_page(person, "Disconnect")
    page.get_by_label("Delete the history").check()
    person.press("Disconnect")
    expect(page.locator("[id^=pull-]").first).to_contain_text(re.compile("disconnect"))
    page.goto("/finance/items")
    wait_until(lambda: page.reload() and not states(page), 60, "the connection is gone")
    assert person.transactions() == []
