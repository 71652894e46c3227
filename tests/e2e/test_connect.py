"""Connecting a bank in a browser: to Plaid's pages and back. Chromium applies the page's policy.

tests/e2e/test_link_paths.py has the other ways through these pages.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import be_done

HELD = "You already have this bank. Log in to it again instead. It’s free."


def log_in(person, *passwords):
    """Choose the first bank, log in, share the accounts that are ticked, and go back to the app."""
    page = person.page
    page.get_by_role("radio").first.check()
    page.locator("#main button.main").click()
    for password in passwords:
        page.get_by_label("User name").fill("user_good")
        page.get_by_label("Password").fill(password)
        person.press("Log in")
    person.press("Share the chosen accounts")
    person.press("Back to plaidapp")


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_to_the_bank_and_back(deployment, visit, javascript):
    person = visit(deployment.url, javascript=javascript)
    person.join()
    page = person.page

    person.press("Connect a bank")
    log_in(person, "wrong", "pass_good")

    expect(page).to_have_url(re.compile(r"/finance/connections/\d+$"))
    panel = page.locator("[data-state]").first
    be_done(panel)
    expect(panel).to_contain_text("First Platypus Bank connected.")

    page.goto("/finance/items")
    person.press("Connect a bank")
    log_in(person, "pass_good")
    panel = page.locator("[data-state]").first
    expect(panel).to_have_attribute("data-state", "failed")
    expect(panel).to_contain_text(HELD)
    person.press("Connect it separately")
    panel = page.locator("[data-state]").first
    be_done(panel)
    expect(panel).to_contain_text("First Platypus Bank connected.")


def test_a_lost_tab_and_a_canceled_one(person):
    page = person.page
    person.press("Connect a bank")
    expect(page).to_have_url(re.compile("/hl/"))
    page.goto("/finance/")  # the person gives up, as if the tab was closed
    panel = page.locator("#activity [data-state]").first
    expect(panel).to_contain_text("Waiting for you at Plaid.")
    person.press("Continue at Plaid")
    expect(page).to_have_url(re.compile("/hl/"))
    page.locator("form:has(input[value=cancel]) button").click()
    person.press("Leave")
    expect(page).to_have_url(re.compile(r"/finance/connections/\d+$"))
    panel = page.locator("[data-state]").first
    expect(panel).to_have_attribute("data-state", "failed")
    expect(panel).to_contain_text("You left Plaid before you were done. Nothing has changed.")
