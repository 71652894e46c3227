"""The dialog that finds anything: its keys, focus and requests."""

import re

import pytest
from playwright.sync_api import expect

ASKED = re.compile(r"/finance/find(\?|$)")


@pytest.fixture
def reader(resident):
    person = resident()
    person.page.goto("/finance/")
    return person


def test_by_keyboard_alone(reader):
    """One request for a text, however it was typed, and its answer under the right text."""
    page, keys = reader.page, reader.page.keyboard
    asked = []
    page.on("request", lambda request: ASKED.search(request.url) and asked.append(request.url))
    dialog, field = page.locator("#find"), page.locator("#find-q")
    options = page.locator("#found [role=option]")
    account = page.get_by_role("button", name="Account", exact=True)
    account.focus()

    keys.press("Control+k")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Overview", selected=True)).to_be_visible()
    assert len(asked) == 1
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(account).to_be_focused()

    page.get_by_role("link", name=re.compile("Search or jump to")).click()
    expect(page.get_by_role("option", name="Overview", selected=True)).to_be_visible()
    del asked[:]
    keys.type("starbuks", delay=5)
    expect(page.get_by_role("option", name=re.compile("Starbucks"), selected=True)).to_be_visible()
    expect(page.locator("#find-count")).to_have_text("1 result")
    assert len(asked) <= len("starbuks")
    last = len(asked)
    keys.type(" ")
    keys.press("Backspace")
    keys.press("Home")  # of the text: the arrow keys have not been used
    keys.type("x")
    keys.press("Backspace")
    field.fill("sync")
    expect(page.get_by_role("option", name="Sync everything", selected=True)).to_be_visible()
    assert len(asked) <= last + 3

    keys.press("End")  # of the text again
    expect(options.first).to_have_attribute("aria-selected", "true")
    keys.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    keys.press("End")
    expect(options.last).to_have_attribute("aria-selected", "true")
    keys.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    keys.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    keys.press("Home")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    expect(field).to_be_focused()
    assert reader.barriers() == []

    field.fill("groceries last quarter")
    keys.press("Enter")  # before the answer: it opens what the answer has, not what is there
    expect(page).to_have_url(re.compile("category=FOOD_AND_DRINK_GROCERIES&start_date="))


def test_a_late_answer_is_never_shown(reader):
    page = reader.page
    checking, held = re.compile("Plaid Checking 0000"), []
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.route(re.compile(r"/finance/find\?q=net$"), lambda route: held.append(route))
    field = page.locator("#find-q")
    with page.expect_request(re.compile(r"/finance/find\?q=net$")):
        field.fill("net")
    field.fill("checking")
    expect(page.get_by_role("option", name=checking, selected=True)).to_be_visible()
    for route in held:
        route.abort()
    page.unroute_all()
    expect(page.get_by_role("option", name=checking, selected=True)).to_be_visible()
    field.fill("log o")
    expect(page.get_by_role("option", name="Log out", selected=True)).to_be_visible()
