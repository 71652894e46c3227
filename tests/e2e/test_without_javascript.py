"""What needs a real browser with JavaScript off: reloads, sheets, menus, and tables for charts.

tests/test_plain_forms.py sends every form. A browser does so in test_make_run.py, test_theme.py and
test_explorer.py.
"""

import re

from playwright.sync_api import expect

from tests.e2e.person import be_done


def test_a_page_reloads_itself_until_the_bank_has_answered(deployment, visit):
    plain = visit(deployment.url, javascript=False)
    plain.join()
    be_done(plain.connect("user_transactions_dynamic", "any"))
    loads = plain.page_loads
    deployment.bank.misbehave("delay", "/transactions/sync", seconds=600)
    panel = plain.pull("Get transaction data")
    expect(panel).to_have_attribute("data-state", re.compile("queued|running"))
    deployment.bank.behave()
    be_done(panel)
    assert plain.page_loads > loads + 1


def test_on_a_phone_the_filters_are_a_sheet(resident):
    page = resident(javascript=False, viewport={"width": 390, "height": 844}).page
    page.goto("/finance/transactions")
    expect(page.locator("#facets")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    page.locator(".facet > summary", has_text="Amount").click()
    page.get_by_label("Money out").check()
    page.locator("#facets").get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("direction=out"))
    expect(page.locator("#facets")).to_be_hidden()
    expect(page.locator("#chips .chip")).to_have_count(1)


def test_a_period_of_net_worth_and_the_charts_with_their_tables(resident):
    page = resident(javascript=False).page
    page.goto("/finance/")
    page.get_by_role("link", name="1M", exact=True).click()
    expect(page.locator("nav [aria-current]", has_text="1M")).to_be_visible()
    for part in ("#worth-history", "#cash-flow section:first-child"):
        page.locator(f"{part} summary", has_text="Show as table").click()
        expect(page.locator(f"{part} td").first).to_be_visible()
    expect(page.get_by_role("img", name="Net worth by day")).to_be_visible()
    page.get_by_role("link", name="out $").last.click()
    expect(page).to_have_url(re.compile("scope=flow"))


def test_an_export_of_the_filter(resident):
    page = resident(javascript=False).page
    page.goto("/finance/transactions?direction=in")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^CSV")).click()
    assert download.value.suggested_filename.endswith(".csv")
    assert len(download.value.path().read_text().splitlines()) > 1
