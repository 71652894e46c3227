"""Every flow with the keyboard alone, and where the focus is after each action.

tests/e2e/test_explorer.py tests the explorer's own keys.
"""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.person import IN_MENU, PASSWORD, Person, be_done

FAR = 80
"""How many presses of Tab nothing on a page should be away from its beginning."""


def tab_to(person: Person, target: Locator) -> None:
    """Press Tab until the element has the focus. It must be visible."""
    for _ in range(FAR):
        if target.evaluate("element => element === document.activeElement"):
            break
        person.page.keyboard.press("Tab")
    expect(target).to_be_focused()
    outline = target.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline != "none", f"the focus can't be seen on {target}"


def press(person: Person, name: str, key: str = "Enter") -> Locator:
    """Tab to the button and press it."""
    if name in IN_MENU and person.page.locator("#refresh").get_attribute("open") is None:
        tab_to(person, person.page.locator("#refresh > summary"))
        person.page.keyboard.press("Enter")
    button = person.page.get_by_role("button", name=name, exact=True).first
    tab_to(person, button)
    person.page.keyboard.press(key)
    return button


def newest(person: Person) -> Locator:
    return person.page.locator("#activity > [id^=pull-]").first


@pytest.fixture
def reader(resident) -> Person:
    """A person with nine accounts, at the top of the overview."""
    person = resident()
    person.page.goto("/finance/")
    return person


def test_from_sign_up_to_log_out(deployment, visit):
    person = visit(deployment.url)
    page, keys = person.page, person.page.keyboard
    page.goto("/auth/signup")
    tab_to(person, page.get_by_label("Username"))
    keys.type(person.name)
    keys.press("Tab")
    keys.type(f"{person.name}@example.com")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/finance/$"))

    connect = press(person, "Connect a test bank")
    be_done(newest(person))
    expect(connect).to_be_focused()
    expect(page.locator("#accounts li")).to_have_count(9)

    press(person, "Get account data", "Space")
    expect(page.locator("#activity > [id^=pull-]")).to_have_count(2)
    be_done(newest(person))  # a poll that is open at the log-out is refused, which a browser logs

    page.reload()
    press(person, "Account")
    press(person, "Log out")
    expect(page).to_have_url(re.compile("/auth/login"))
    tab_to(person, page.get_by_label("Username"))
    keys.type(person.name)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/finance/$"))


def test_the_skip_link_leads_to_the_content(reader):
    page = reader.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_focus_stays_on_the_menu_that_began_a_pull(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    page.reload()
    for name in ("Get account data", "Get transaction data", "Get total number of transactions"):
        before = page.locator("#activity > [id^=pull-]").count()
        press(person, name)
        expect(page.locator("#activity > [id^=pull-]")).to_have_count(before + 1)
        be_done(newest(person))
        expect(page.locator("#refresh > summary")).to_be_focused()  # its menu has closed


def test_trying_again(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave("garbage")
    press(person, "Get account data")
    panel = newest(person)
    expect(panel).to_have_attribute("data-state", "failed")  # no retry takes the button away
    deployment.bank.behave()
    tab_to(person, panel.get_by_role("button", name="Try again"))
    person.page.keyboard.press("Enter")
    be_done(newest(person))
    # The button is gone. The next Tab continues from its place, not from the top of the page.
    person.page.keyboard.press("Tab")
    expect(person.page.locator(".skip")).not_to_be_focused()


def test_an_invalid_field_gets_the_focus_and_its_error(reader):
    page = reader.page
    reader.open_refresh()
    page.get_by_label("From", exact=True).fill("2026-02-01")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    button = press(reader, "Get transaction data")
    error = page.locator("#range-form .error")
    expect(error).to_be_visible()
    expect(button).to_be_focused()
    field = page.locator("#range-form [aria-invalid=true]")
    assert error.get_attribute("id") in field.get_attribute("aria-describedby").split()
    reader.complaints.clear()  # a 422 is an error on the browser's console


def test_the_menu_opens_closes_and_changes_the_theme(deployment, person):
    page = person.page
    menu = page.locator("#account-menu")
    button = press(person, "Account")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()

    page.keyboard.press("Enter")
    dark = press(person, "Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(dark).to_be_focused()


def test_the_periods_of_the_net_worth_chart(reader):
    page = reader.page
    tab_to(reader, page.get_by_role("link", name="1Y", exact=True))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"period=1Y"))
    chosen = page.get_by_role("navigation", name="Period").locator("[aria-current]")
    expect(chosen).to_have_text("1Y")


def test_the_charts_read_out_what_they_show(reader):
    page = reader.page
    line = page.get_by_role("slider", name="Net worth by day")
    tab_to(reader, line)
    readings = []
    for key in ("ArrowLeft", "ArrowLeft", "Home", "ArrowRight", "End"):
        page.keyboard.press(key)
        readings.append(line.get_attribute("aria-valuetext"))
        amount, day = readings[-1].split(", ", 1)
        expect(line.locator("xpath=..").locator(".readout")).to_have_text(amount + day)
    assert len(set(readings)) == 5
    assert all("$" in text for text in readings)
    # Some balances are estimated until the day of connecting; the last point is always exact.
    assert ["estimate" in text for text in readings[2::2]] == [True, False]

    bars = page.get_by_role("group", name="Cash flow by month")
    tab_to(reader, bars.get_by_role("link").first)
    for key, number in (("ArrowRight", 1), ("End", 5), ("ArrowLeft", 4)):
        page.keyboard.press(key)
        month = bars.get_by_role("link").nth(number)
        expect(month).to_be_focused()
        text = month.get_attribute("aria-label")
        expect(page.locator("#cash-flow .readout").first).to_have_text(text)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("scope=flow"))


def test_the_tables_behind_the_charts(reader):
    page = reader.page
    summary = page.locator("#worth-history summary", has_text="Show as table")
    tab_to(reader, summary)
    page.keyboard.press("Enter")
    expect(page.locator("#worth-history table")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#worth-history table")).to_be_hidden()


def test_the_month_beside_the_recurring_payments(reader):
    page = reader.page
    page.goto("/finance/recurring")
    loads, title = reader.page_loads, page.locator("#beside-title")
    first, later = title.inner_text(), page.locator("#later")
    tab_to(reader, later)
    page.keyboard.press("Enter")
    expect(title).not_to_have_text(first)
    expect(page).to_have_url(re.compile(r"/recurring\?month=\d{4}-\d\d$"))
    expect(later).to_be_focused()
    turned, address = title.inner_text(), page.url

    day = page.locator("#beside td > button").first
    tab_to(reader, day)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#beside .menu:popover-open .explained").first).to_be_focused()
    assert reader.barriers() == []
    page.keyboard.press("Enter")
    expect(page.locator("#sheet .figure")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(day).to_be_focused()
    expect(title).to_have_text(turned)
    assert (page.url, reader.page_loads) == (address, loads)


def test_an_open_table_and_the_focus_survive_an_update(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    page.reload()
    summary = page.locator("#worth-history summary", has_text="Show as table")
    tab_to(person, summary)
    page.keyboard.press("Enter")
    table = page.locator("#worth-history table")
    before = page.locator("#summary").inner_text()
    deployment.bank.ask("/transactions/refresh", deployment.newest_access_token())
    expect(page.locator("#summary")).not_to_have_text(before)
    expect(table).to_be_visible()
    expect(summary).to_be_focused()
    page.keyboard.press("Shift+Tab")  # to the chart, which was drawn again
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#worth-history .readout")).to_be_visible()


def test_sync_now_on_the_connections(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    tab_to(person, page.get_by_role("link", name="Connections", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connections")
    before = page.locator("#activity > [id^=pull-]").count()
    button = press(person, "Sync now")
    expect(page.locator("#activity > [id^=pull-]")).to_have_count(before + 1)
    be_done(newest(person))
    expect(button).to_be_focused()


def test_a_failure_is_dismissed(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    fault = {"status": 400, "error_type": "INVALID_REQUEST", "error_code": "SOMETHING"}
    deployment.bank.misbehave("error", **fault)
    press(person, "Get account data")
    failed = page.locator("#activity > [data-state=failed]")
    tab_to(person, failed.get_by_role("button", name="Dismiss"))
    page.keyboard.press("Enter")
    expect(failed).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).not_to_be_focused()


def test_the_same_bank_is_connected_again(deployment, person):
    be_done(person.connect())
    page = person.page
    page.reload()
    tab_to(person, page.get_by_role("link", name="Connect a bank"))
    page.keyboard.press("Enter")
    tab_to(person, page.get_by_label("Bank", exact=True))
    page.keyboard.press("Tab")
    button = press(person, "Connect a test bank")
    expect(page.locator("#activity > [id^=pull-]")).to_have_count(2)
    be_done(newest(person))
    expect(newest(person)).to_contain_text("connected again")
    expect(button).to_be_focused()


def test_the_explorers_filter(reader):
    page = reader.page
    page.goto("/finance/transactions")
    tab_to(reader, page.locator(".facet > summary", has_text="Categories"))
    page.keyboard.press("Enter")
    tab_to(reader, page.get_by_label("Food and drink", exact=True))
    page.keyboard.press("Space")
    chip = page.get_by_role("link", name="Remove Food and drink")
    expect(chip).to_be_visible()
    expect(page.get_by_label("Food and drink", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".facet > summary", has_text="Categories")).to_be_focused()
    expect(page.get_by_label("Food and drink", exact=True)).to_be_hidden()

    tab_to(reader, page.locator("#sort"))
    page.keyboard.type("Oldest")
    expect(page).to_have_url(re.compile("sort=oldest"))
    tab_to(reader, chip)
    page.keyboard.press("Enter")
    expect(chip).to_have_count(0)


def test_an_export(reader):
    page = reader.page
    page.goto("/finance/transactions")
    press(reader, "Export")
    tab_to(reader, page.get_by_role("link", name=re.compile("^CSV")))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")


def test_a_bulk_edit_hides_and_unhides_rows(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    page.goto("/finance/transactions")
    rows = page.locator("#list .row")
    gone = [rows.nth(number).get_attribute("id") for number in range(2)]
    for _ in gone:
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.keyboard.press("b")
    expect(page.locator("#bulk").get_by_role("checkbox")).to_be_focused()
    tab_to(person, page.locator("#bulk").get_by_role("button", name="Hide", exact=True))
    page.keyboard.press("Enter")
    for row in gone:
        expect(page.locator(f"#{row}")).to_have_count(0)
    expect(page.locator(".toast")).to_be_visible()
    page.keyboard.press("u")
    for row in gone:
        expect(page.locator(f"#{row}")).to_have_count(1)
