"""Actions with JavaScript off, where no other browser test does them so already.

From sign-up to the three buttons and the log-out it is tests/e2e/test_make_run.py, the theme
tests/e2e/test_theme.py, the explorer's own tests/e2e/test_explorer.py.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, be_done


@pytest.fixture
def plain(deployment, visit) -> Person:
    """Somebody without JavaScript and with a bank."""
    person = visit(deployment.url, javascript=False)
    person.sign_up()
    be_done(person.connect("user_transactions_dynamic", "any"))
    return person


def test_a_page_reloads_itself_until_the_bank_has_answered(deployment, plain):
    loads = plain.page_loads
    deployment.bank.misbehave("delay", "/transactions/sync", seconds=600)
    panel = plain.pull("Get transaction data")
    expect(panel).to_have_attribute("data-state", re.compile("queued|running"))
    deployment.bank.behave()
    be_done(panel)
    assert plain.page_loads > loads + 1


def test_trying_again(deployment, plain):
    deployment.bank.misbehave("garbage")
    panel = plain.pull("Get account data")
    expect(panel.get_by_role("button", name="Try again")).to_be_visible()
    deployment.bank.behave()
    plain.press("Try again")
    be_done(panel)
    expect(panel).to_contain_text("up to date")


def test_sync_now_on_a_connections_own_page(plain):
    page = plain.page
    page.get_by_role("link", name="Connections", exact=True).click()
    page.locator("#banks a").first.click()
    page.get_by_role("button", name="Sync now").click()
    expect(page).to_have_url(re.compile(r"/finance/#pull-\d+$"))
    be_done(page.locator("#activity > [id^=pull-]").first)


def test_what_is_typed_wrong_is_said_beside_its_field(plain):
    page = plain.page
    page.get_by_label("From", exact=True).fill("2026-02-01")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    plain.press("Get transaction data")
    expect(page.locator("#range-form .error")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-02-01")

    page.get_by_text("As a test user").click()
    page.get_by_label("Test user").fill("user_custom")
    page.get_by_label("Password").fill("{")
    plain.press("Connect a test bank")
    expect(page.locator("#connect-form .error")).to_contain_text("not JSON")
    plain.complaints.clear()  # a 422 is an error on the browser's console


def test_a_period_of_the_line_and_the_tables_that_stand_for_the_charts(plain):
    page = plain.page
    page.get_by_role("link", name="1M", exact=True).click()
    expect(page.locator("nav [aria-current]", has_text="1M")).to_be_visible()
    for part in ("#net-worth", "#flows section:first-child"):
        page.locator(f"{part} summary", has_text="As a table").click()
        expect(page.locator(f"{part} td").first).to_be_visible()
    expect(page.locator("ledger-chart").first).to_be_hidden()


def test_an_export_of_what_is_filtered(plain):
    page = plain.page
    page.goto("/finance/transactions?direction=in")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^CSV")).click()
    assert download.value.suggested_filename.endswith(".csv")
    assert len(download.value.path().read_text().splitlines()) > 1
