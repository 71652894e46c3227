"""Actions with JavaScript off, where no other browser test does them so already.

From sign-up to the three buttons and the log-out it is tests/e2e/test_make_run.py, the theme
tests/e2e/test_theme.py, the explorer's own tests/e2e/test_explorer.py.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, expect

from config import Config
from plaidapp import create_app
from tests.e2e.person import Person, be_done

NOT_PRESSED = {"webhooks.receive", "finance.connect_bank"}
"""The bank's, and where Plaid Link, itself a script, brings its result."""


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


def test_dismissing_what_failed(deployment, plain):
    fail(deployment, plain)
    plain.press("Dismiss")
    expect(plain.page).to_have_url(re.compile("/finance/#activity$"))
    expect(plain.page.locator("#activity > [data-state=failed]")).to_have_count(0)


def fail(deployment, person) -> Locator:
    deployment.bank.misbehave(
        "error", status=400, error_type="INVALID_REQUEST", error_code="SOMETHING"
    )
    panel = person.pull("Get account data")
    expect(panel).to_have_attribute("data-state", "failed")
    deployment.bank.behave()
    return panel


def test_every_form_there_is(deployment, visit):
    """Walks the app's own list of what can be posted: an action that is not here is missed."""
    person = visit(deployment.url, javascript=False)
    page = person.page
    posted: list[str] = []
    page.on("request", lambda asked: posted.append(asked.url) if asked.method == "POST" else None)

    person.sign_up()
    person.press("Account")
    person.press("Light")
    person.log_out()
    person.log_in()
    be_done(person.connect("user_transactions_dynamic", "any"))
    for name in ("Get transaction data", "Get total number of transactions"):
        be_done(person.pull(name))
    be_done(person.pull("Get account data"))
    fail(deployment, person)
    person.press("Try again")
    be_done(page.locator("#activity > [id^=pull-]").first)
    fail(deployment, person)
    person.press("Dismiss")
    page.goto("/finance/items")
    person.press("Sync now")
    be_done(page.locator("#activity > [id^=pull-]").first)

    page.goto("/finance/transactions")
    page.locator("#list .row summary").first.click()
    page.get_by_role("link", name="Show details").first.click()
    page.get_by_label("Category").select_option("Home improvement")
    person.press("Save")
    expect(page.get_by_label("Category")).to_have_value("HOME_IMPROVEMENT")
    page.get_by_role("button", name=re.compile("^Use the bank's category")).click()
    expect(page.get_by_label("Category")).to_have_value("")
    page.goto("/finance/transactions")
    for button, tag in (("Hide", "hidden"), ("Unhide", None)):
        page.goto("/finance/transactions?hidden=any")
        row = page.locator("#list .row").first
        row.get_by_role("checkbox").check()
        page.locator("#bulk").get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#list .row").first.locator(".tag", has_text="hidden")).to_have_count(
            1 if tag else 0
        )
    page.locator("#list .row").first.get_by_role("checkbox").check()
    page.locator("#bulk-note").fill("with Zoë")
    page.locator("#bulk-note").press("Enter")
    expect(page.get_by_label("Has a note")).to_have_count(1)
    page.goto("/finance/transactions")
    person.press("Undo last change")
    expect(page.get_by_label("Has a note")).to_have_count(0)

    app = create_app(Config.from_env(deployment.env))
    find = app.url_map.bind(urlsplit(deployment.url).netloc).match
    pressed = {find(urlsplit(url).path, method="POST")[0] for url in posted}
    forms = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert pressed == forms - NOT_PRESSED


def test_on_a_phone_the_filters_are_a_sheet_all_the_same(deployment, visit):
    person = visit(deployment.url, javascript=False, viewport={"width": 390, "height": 844})
    person.sign_up()
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    page.goto("/finance/transactions")
    expect(page.locator("#facets")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    page.locator(".facet > summary", has_text="Amount").click()
    page.get_by_label("Money out").check()
    page.locator("#facets").get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("direction=out"))
    expect(page.locator("#facets")).to_be_hidden()
    expect(page.locator("#chips .chip")).to_have_count(1)


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

    page.get_by_text("Use another test user").click()
    page.get_by_label("Test user").fill("user_custom")
    page.get_by_label("Password").fill("{")
    plain.press("Connect a test bank")
    expect(page.locator("#connect-form .error")).to_contain_text("not valid JSON")
    plain.complaints.clear()  # a 422 is an error on the browser's console


def test_a_period_of_the_line_and_the_tables_that_stand_for_the_charts(plain):
    page = plain.page
    page.get_by_role("link", name="1M", exact=True).click()
    expect(page.locator("nav [aria-current]", has_text="1M")).to_be_visible()
    for part in ("#net-worth", "#cash-flow section:first-child"):
        page.locator(f"{part} summary", has_text="Show as table").click()
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
