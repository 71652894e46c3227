"""What a chart says under a mouse and a finger, where that leads, and forced colors and print.

test_keyboard.py has the arrow keys, tests/finance/charts has the scales.
"""

import re

import pytest
from playwright.sync_api import expect

from plaidapp.store.base.dates import months_later

DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
COLORS = """element => {
    const style = getComputedStyle(element);
    return [style.stroke, style.fill, getComputedStyle(document.body).backgroundColor];
}"""


@pytest.fixture
def overview(resident):
    """`overview(viewport=...)` opens the overview; the line, its readout, and a month of bars."""

    def show(**options):
        page = resident(**options).page
        page.goto("/finance/")
        line = page.get_by_role("slider", name="Net worth by day")
        month = page.get_by_role("group", name="Cash flow by month").get_by_role("link").nth(3)
        return page, line, month

    return show


def test_a_mouse_reads_a_day_and_a_month_and_a_click_leads_to_what_they_are_made_of(overview):
    page, line, month = overview(viewport=DESK)
    readout = page.locator("#worth-history .readout").first
    expect(readout).to_be_hidden()
    line.hover()
    expect(readout).to_have_text(re.compile(r"^−?\$[\d,]+\.\d\d[A-Z][a-z]+ \d+, 20\d\d"))
    amount_and_day = readout.inner_text().split("\n")
    assert line.get_attribute("aria-valuetext") == ", ".join(amount_and_day)
    page.keyboard.press("Escape")
    expect(readout).to_be_hidden()
    line.hover(position={"x": 40, "y": 40})
    expect(readout).to_be_visible()
    month.hover()
    expect(readout).to_be_hidden()
    text = str(month.get_attribute("aria-label"))
    expect(page.locator("#cash-flow .readout").first).to_have_text(text)
    month.click()
    expect(page).to_have_url(re.compile(r"start_date=\d{4}-\d\d-01&end_date=.*&scope=flow"))
    page.go_back()
    line.click()
    sheet = page.locator("#sheet")
    expect(sheet).to_contain_text("At the end of")
    amount, day = str(line.get_attribute("aria-valuetext")).split(", ", 1)
    expect(sheet.locator(".figure")).to_have_text(amount)
    expect(sheet).to_contain_text(f"At the end of {day.removesuffix(' (estimate)')}")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(line).to_be_focused()


def test_a_finger_reads_first_and_then_follows(overview):
    page, line, month = overview(viewport=PHONE, has_touch=True)
    line.tap()
    readout = page.locator("#worth-history .readout").first
    expect(readout).to_be_visible()
    month.tap()
    expect(readout).to_be_hidden()
    expect(page.locator("#cash-flow .readout").first).to_be_visible()
    month.tap()
    expect(page).to_have_url(re.compile("scope=flow"))
    page.go_back()
    line.tap()
    readout.tap()
    expect(page.locator("#sheet")).to_be_visible()


def test_every_drawing_of_spending_opens_by_keyboard_and_by_mouse(resident, today):
    page = resident(viewport=DESK).page
    page.goto(f"/finance/spending?month={months_later(today, -1):%Y-%m}")
    sheet = page.locator("#sheet")
    line = page.get_by_role("slider", name="Spent since the first of the month")
    line.focus()
    page.keyboard.press("Home")
    spoken = re.compile(r"^\$[\d,.]+, [A-Z][a-z]+ 1, 20\d\d, [A-Z][a-z]+ 1(, 20\d\d)?: \$")
    expect(line).to_have_attribute("aria-valuetext", spoken)
    page.keyboard.press("Enter")
    expect(sheet).to_contain_text(" through ")
    page.keyboard.press("Escape")
    expect(line).to_be_focused()
    part = page.get_by_role("group", name="Spending by month and category").get_by_role("link").last
    flow = page.get_by_role("group", name="What came in, and where it went")
    for target, open_it in (
        (part, part.click),
        (flow.get_by_role("link").first, lambda: page.keyboard.press("Enter")),
    ):
        target.focus()
        open_it()
        expect(sheet.locator(".figure")).to_be_visible()
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()


def test_charts_are_there_in_forced_colors_and_in_print(overview):
    page, _, month = overview(viewport=DESK, forced_colors="active", color_scheme="dark")
    stroke, _, background = page.locator("#worth-history .stroke").first.evaluate(COLORS)
    assert stroke != background
    money_in, money_out = (month.locator(name).evaluate(COLORS) for name in (".bar-in", ".bar-out"))
    assert background not in (money_in[1], money_out[0])
    assert money_in[1] != money_out[1], "filled and outlined"
    page.emulate_media(media="print")
    expect(page.get_by_role("img", name="Net worth by day")).to_be_visible()
    expect(page.get_by_role("group", name="Cash flow by month")).to_be_visible()
    page.goto("about:blank")  # axe-core takes forced colors for those of the style sheet
