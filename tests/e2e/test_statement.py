"""The page of an account in a browser: its menu, its rows, its search."""

from playwright.sync_api import expect


def test_an_account_is_read_renamed_searched_and_edited_in_place(resident):
    person = resident()
    page = person.page
    page.goto("/finance/")
    page.locator("#accounts li a", has_text="Plaid Checking").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plaid Checking")
    loads = person.page_loads

    page.get_by_role("button", name="More for this account").click()
    page.locator(".rename summary").click()
    page.get_by_label("Your name for it").fill("Everyday")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Everyday")
    page.keyboard.press("Escape")

    row = page.locator("#list .row:not(.pending)").first
    after, name = row.locator(".after"), row.get_attribute("id")
    before = after.inner_text()
    row.locator("> details > summary").click()
    row.get_by_label("Note").fill("for the trip")
    row.get_by_role("button", name="Save").click()
    expect(page.locator("#notice")).to_contain_text("1 transaction changed.")
    row = page.locator(f"#{name}")
    expect(row.get_by_role("img", name="Has a note")).to_be_visible()
    expect(row.locator(".after")).to_have_text(before)

    page.get_by_role("searchbox", name="Search this account").fill("for the trip")
    expect(page.locator("#list .row")).to_have_count(1)
    expect(page.locator("#list .after")).to_have_count(0)
    expect(page).to_have_url(f"{page.url.split('?')[0]}?q=for+the+trip")
    assert person.page_loads == loads
