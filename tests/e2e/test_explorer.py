"""The explorer with a mouse, with the keyboard alone, and without JavaScript."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.person import be_done

PATH = "/finance/transactions"


@pytest.fixture
def explorer(person):
    """A person with a bank, on the transactions page."""
    be_done(person.connect())
    return open_list(person)


@pytest.fixture
def reader(resident):
    """The same for tests that change nothing. They all share one person's transactions."""
    return open_list(resident())


def open_list(person):
    person.page.goto(PATH)
    expect(rows(person)).to_have_count(50)
    return person


def rows(person):
    return person.page.locator("#list .row")


def facet(person, title):
    return person.page.locator(".facet > summary", has_text=title)


def head(row):
    return row.locator("> details > summary")


def count(person):
    return person.page.locator("#tally .count")


def asked(person):
    return parse_qs(urlsplit(person.page.url).query)


def total(person, query=""):
    return person.json(f"{PATH}.json{query}")["total_transactions"]


def test_search_while_typing_and_the_back_button(reader):
    page, loads = reader.page, reader.page_loads
    every = count(reader).inner_text()
    page.keyboard.press("/")
    page.keyboard.type("uber", delay=40)

    expect(page).to_have_url(re.compile(r"\?q=uber$"))
    expect(count(reader)).to_have_text(f"{total(reader, '?q=uber')} transactions")
    expect(page.locator("#q")).to_be_focused()
    assert reader.page_loads == loads
    page.keyboard.press("Escape")  # leaves the field, and the search stays
    expect(head(rows(reader).first)).to_be_focused()
    expect(page.locator("#q")).to_have_value("uber")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.go_back()
    expect(count(reader)).to_have_text(every)
    expect(page.locator("#q")).to_have_value("")


def test_a_filter_is_built_step_by_step_and_removed(reader):
    page = reader.page
    facet(reader, "Categories").click()
    page.get_by_label("Food and drink", exact=True).check()
    facet(reader, "Amount").click()
    page.get_by_label("At least").fill("20")
    page.get_by_label("Money out").check()
    expect(page.locator("#chips .chip")).to_have_count(3)
    wanted = {"category": ["FOOD_AND_DRINK"], "smallest": ["20"], "direction": ["out"]}
    assert asked(reader) == wanted
    query = f"?{urlsplit(page.url).query}"
    expect(count(reader)).to_contain_text(str(total(reader, query)))

    page.get_by_role("link", name="Remove Food and drink").click()
    expect(page.locator("#chips .chip")).to_have_count(2)
    expect(page.get_by_label("At least")).to_have_value("20")
    assert "category" not in asked(reader)
    page.get_by_role("link", name="Clear", exact=True).click()
    expect(page.locator("#chips")).to_have_count(0)
    assert asked(reader) == {}


def test_an_invalid_amount_is_explained_and_corrected(reader):
    page = reader.page
    facet(reader, "Amount").click()
    page.get_by_label("At least").fill("lots")
    expect(page.locator("#smallest-error")).to_have_text("Enter an amount like 12.50.")
    expect(page.get_by_label("At least")).to_be_focused()
    page.get_by_label("At least").fill("20")
    expect(page.locator("#chips .chip")).to_have_count(1)
    expect(page.locator("#smallest-error")).to_have_count(0)
    reader.complaints.clear()  # a 422 is an error on the browser's console


def test_scrolling_loads_more_rows(reader):
    rows(reader).last.scroll_into_view_if_needed()
    expect(rows(reader)).to_have_count(100)
    rows(reader).last.scroll_into_view_if_needed()
    expect(rows(reader)).to_have_count(150)
    ids = rows(reader).evaluate_all("rows => rows.map(row => row.id)")
    assert len(set(ids)) == 150
    days = reader.page.locator(".day").evaluate_all("days => days.map(day => day.id)")
    assert len(set(days)) == len(days)


def test_everything_works_without_javascript(deployment, visit):
    person = visit(deployment.url, javascript=False)
    person.join()
    page = person.page
    be_done(person.connect())
    page.goto(PATH)
    page.get_by_label("Search").fill("uber")
    person.press("Show")
    expect(page).to_have_url(re.compile(r"\?q=uber$"))
    page.get_by_role("link", name="Clear", exact=True).click()
    first = rows(person).first.get_attribute("id")
    page.get_by_role("link", name="Older").click()
    assert rows(person).first.get_attribute("id") != first

    page.goto(PATH)
    rows(person).first.locator("summary").click()
    rows(person).first.get_by_role("link", name="Show details").click()
    page.get_by_label("Note").fill("with Zoë")
    person.press("Save")
    expect(page.get_by_label("Note")).to_have_value("with Zoë")
    person.press("Undo")
    expect(page.locator("#notice")).to_contain_text("restored")
    assert total(person, "?q=zoe") == 0

    for number in (1, 3):
        rows(person).nth(number).get_by_role("checkbox").check()
    person.press("Hide")
    expect(page.locator("#notice")).to_contain_text("2 transactions changed.")
    assert total(person, "?hidden=only") == 2


def test_edit_and_undo_by_keyboard_alone(explorer):
    page = explorer.page
    row = rows(explorer).nth(1)
    category = row.locator(".category")
    before = category.inner_text()
    for _ in range(2):
        page.keyboard.press("j")
    expect(head(row)).to_be_focused()
    page.keyboard.press("e")
    expect(row.get_by_label("Category")).to_be_focused()
    page.keyboard.type("Home")
    page.keyboard.press("Tab")
    page.keyboard.type("with Zoë")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(row.get_by_role("button", name="Save")).to_be_focused()
    page.keyboard.press("Enter")

    expect(category).to_contain_text("Home improvement")
    expect(head(row)).to_be_focused()
    assert total(explorer, "?q=zoe") == 1
    page.keyboard.press("u")
    expect(category).to_have_text(before)
    expect(page.locator("#notice")).to_contain_text("Undone: 1 transaction restored.")
    assert total(explorer, "?q=zoe") == 0
    page.keyboard.press("Enter")
    expect(row.get_by_label("Note")).to_have_value("")
    page.keyboard.press("Escape")
    expect(row.get_by_label("Note")).to_be_hidden()
    expect(head(row)).to_be_focused()


def test_bulk_edits_by_keyboard_and_of_the_whole_filter(explorer):
    page = explorer.page
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#bulk .bulk-count")).to_have_text("3 selected")
    gone = [rows(explorer).nth(number).get_attribute("id") for number in range(3)]
    every = total(explorer)
    page.get_by_role("button", name="Hide", exact=True).press("Enter")
    for row_id in gone:
        expect(page.locator(f"#{row_id}")).to_have_count(0)
    assert total(explorer) == every - 3
    expect(page.locator("#bulk")).to_be_hidden()
    expect(head(rows(explorer).first)).to_be_focused()  # the row that follows those that are gone
    page.keyboard.press("u")
    for row_id in gone:
        expect(page.locator(f"#{row_id}")).to_have_count(1)

    page.goto(f"{PATH}?q=uber")
    found = total(explorer, "?q=uber")
    rows(explorer).first.get_by_role("checkbox").check()
    page.get_by_label(f"Select all {found} matching").check()
    expect(page.locator("#bulk .bulk-count")).to_have_text(f"{found} selected")
    page.locator("#bulk").get_by_label("Category").select_option("Home improvement")
    explorer.press("Apply category")
    expect(page.locator("#notice")).to_contain_text(f"{found} transactions changed.")
    expect(rows(explorer).first.locator(".category")).to_contain_text("Home improvement")
    assert total(explorer, "?category=HOME_IMPROVEMENT&q=uber") == found


def test_enter_in_the_bulk_note_saves_only_the_note(explorer):
    page = explorer.page
    row = rows(explorer).first
    box = row.get_by_role("checkbox")
    box.check()
    page.locator("#bulk-category").select_option("Home improvement")
    explorer.press("Apply category")
    expect(row.locator(".category")).to_contain_text("Home improvement")
    box.check()
    page.locator("#bulk-category").select_option("")
    box.press("Enter")  # of the same form, and no reason to send it
    page.locator("#bulk-note").fill("with Zoë")
    page.locator("#bulk-note").press("Enter")
    expect(row.get_by_label("Has a note")).to_be_visible()
    expect(row.locator(".category")).to_contain_text("Home improvement")
    assert total(explorer, "?q=zoe") == 1


def test_undo_survives_a_reload(explorer):
    page = explorer.page
    every = total(explorer)
    rows(explorer).first.get_by_role("checkbox").check()
    page.locator("#bulk").get_by_role("button", name="Hide", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("1 transaction changed.")
    page.reload()
    expect(page.locator(".toast")).to_have_count(0)
    assert total(explorer) == every - 1
    explorer.press("Undo last change")
    expect(page.locator("#notice")).to_contain_text("restored")
    assert total(explorer) == every
    expect(page.locator("#undo-last")).to_have_count(0)


def test_print_shows_rows_and_sums_and_no_controls(reader):
    page = reader.page
    page.emulate_media(media="print")
    for pressed in page.locator("nav, button, input, select").all():
        expect(pressed).to_be_hidden()
    first = rows(reader).first
    for part in (page.locator(".sums").first, first.locator(".name"), first.locator(".amount")):
        expect(part).to_be_visible()
    sizes = [
        first.locator(part).evaluate("part => getComputedStyle(part).fontSize")
        for part in (".name", ".category", ".account")
    ]
    assert len(set(sizes)) == 1
    page.emulate_media(media="screen")


def test_another_tab_shows_an_edit_but_keeps_its_open_form(explorer):
    page = explorer.page
    other = page.context.new_page()
    other.goto(PATH)
    mine = rows(explorer).nth(2)
    head(mine).click()
    mine.get_by_label("Note").fill("half a sen")

    changed = other.locator("#list .row").first
    head(changed).click()
    changed.get_by_label("Note").fill("from the other tab")
    changed.get_by_role("button", name="Save").click()
    expect(other.locator("#notice")).to_contain_text("1 transaction changed.")

    expect(page.locator("#news")).to_contain_text("Some transactions have changed.")
    expect(mine.get_by_label("Note")).to_have_value("half a sen")
    expect(mine.get_by_label("Note")).to_be_focused()
    page.locator("#news").get_by_role("link", name="Show").click()
    expect(rows(explorer).first.get_by_label("Has a note")).to_be_visible()
    # and a tab where nothing is open or selected updates its list
    head(mine).click()
    mine.get_by_label("Note").fill("a sentence")
    mine.get_by_role("button", name="Save").click()
    expect(other.locator("#list .row").nth(2).get_by_label("Has a note")).to_be_visible()


def test_on_a_phone_the_filters_are_a_sheet(reader):
    page = reader.page
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#facets")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    facet(reader, "Amount").click()
    page.get_by_label("Money in").check()
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#facets")).to_be_hidden()
    expect(page.locator("#chips .chip")).to_have_count(1)
    expect(page.get_by_role("button", name="Filters (1)")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390
    expect(page.locator("#presets [aria-current]")).to_be_in_viewport(ratio=1)
