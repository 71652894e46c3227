"""The page of a connection in a browser: asking the bank again, and arranging accounts."""

import pytest
from playwright.sync_api import expect

from tests.e2e.person import be_done


@pytest.fixture
def connected(person):
    """A person with a bank that has new transactions whenever it is asked, on its page."""
    be_done(person.connect("user_transactions_dynamic", "any"))
    person.page.goto("/finance/items")
    with person.page.expect_event("load"):
        person.page.locator("#banks h2 a").click()
    return person


def test_the_bank_is_asked_again_and_then_not_for_a_while(connected):
    page, loads = connected.page, connected.page_loads

    page.get_by_role("button", name="Ask the bank again").click()

    panel = page.locator("#activity > [data-state=done]")
    expect(panel).to_contain_text("Asked the bank for new transactions")
    why = page.locator("#why")
    expect(why).to_contain_text("You can ask the bank again today at")
    expect(page.get_by_role("button", name="Ask the bank again")).to_have_count(0)
    expect(page.locator(".history").first).to_contain_text("3 new")
    assert connected.page_loads == loads


def test_arranging_keeps_the_account_open_and_the_focus(connected):
    page = connected.page
    accounts = page.locator("li[id^=account-]")
    first = accounts.first.get_attribute("id")
    account = page.locator(f"#{first}")
    account.locator("summary").click()

    account.get_by_role("button", name="Move down").focus()
    page.keyboard.press("Enter")

    expect(accounts.nth(1)).to_have_id(first)
    expect(account.locator("details")).to_have_attribute("open", "")
    expect(account.get_by_role("button", name="Move down")).to_be_focused()
    account.get_by_label("Your name for it").fill("Rent")
    page.keyboard.press("Enter")
    expect(account.locator("summary")).to_contain_text("Rent")
    expect(page.locator("#notice")).to_contain_text("This account is now called Rent.")
    account.get_by_role("button", name="Hide").click()
    expect(accounts.last).to_have_id(first)
    account.get_by_role("button", name="Show").click()
    expect(accounts.nth(1)).to_have_id(first)
