"""A figure opens into its sum in a sheet, and the page is as before when the sheet closes."""

import re

from playwright.sync_api import expect


def test_an_answer_that_comes_after_the_sheet_was_closed_does_not_open_it(resident):
    page = resident(viewport={"width": 390, "height": 844}).page
    page.goto("/finance/recurring")
    sheet, figure, held = page.locator("#sheet"), page.locator(".page-head .explained"), []
    figure.click()
    expect(sheet).to_be_visible()
    page.route("**/finance/explain/**", lambda route: held.append(route))

    with page.expect_request("**/finance/explain/**"):
        sheet.locator(".sum a").first.click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/finance/recurring$"))
    with page.expect_event("requestfinished"):
        held[0].continue_()

    swapped = page.locator("#sheet-content .figure", has_not_text=figure.inner_text())
    expect(swapped).to_have_count(1)
    expect(sheet).to_be_hidden()
    expect(page).to_have_url(re.compile("/finance/recurring$"))


def test_a_figure_opens_in_a_sheet_and_the_page_is_as_before(resident):
    person = resident(viewport={"width": 390, "height": 844})
    page = person.page
    page.goto("/finance/recurring")
    loads = person.page_loads
    sheet, figure = page.locator("#sheet"), page.locator(".page-head .explained")

    figure.focus()
    page.keyboard.press("Enter")
    expect(sheet).to_be_visible()
    expect(sheet.locator(".figure")).to_have_text(figure.inner_text())
    expect(page.locator("#receipt-title")).to_be_focused()
    expect(figure).to_have_attribute("data-open", "")
    expect(page).to_have_url(re.compile("/finance/explain/recurring"))
    assert person.barriers() == []

    sheet.locator(".sum a").first.click()
    expect(page).to_have_url(re.compile("/finance/explain/payment/"))
    page.go_back()
    expect(sheet.locator(".figure")).to_have_text(figure.inner_text())
    page.go_back()
    expect(sheet).to_be_hidden()
    expect(page).to_have_url(re.compile("/finance/recurring$"))

    figure.click()
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page).to_have_url(re.compile("/finance/recurring$"))
    expect(figure).to_be_focused()
    expect(figure).not_to_have_attribute("data-open", "")
    assert person.page_loads == loads

    figure.click()
    expect(sheet).to_be_visible()
    page.context.set_offline(True)
    sheet.locator(".sum a").first.click()
    expect(sheet.locator("#notice")).to_contain_text("You are offline.")
    page.keyboard.press("Escape")
    expect(page.locator("main #notice")).to_contain_text("You are offline.")
    page.context.set_offline(False)

    page.route("**/finance/explain/**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    figure.click()
    expect(page.locator("#notice")).to_have_text(
        "The server did not answer. Press again in a moment."
    )
    expect(sheet).to_be_hidden()
    page.unroute("**/finance/explain/**")

    figure.click()
    expect(sheet).to_be_visible()
    page.reload()
    expect(page.locator("main .receipt")).to_be_visible()
    assert person.barriers() == []
    page.go_back()
    expect(figure).to_be_visible()
    person.complaints.clear()  # a request that fails is an error on the browser's console
