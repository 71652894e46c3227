"""axe-core on every page and in every state, and what it can't see: what is said, and how often.

Each state is looked at on a phone in the dark and on a desk in the light, the pages in every
mixture, with everything unfolded that unfolds; folded, it is what the other browser tests end on.
"""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, be_done
from tests.e2e.processes import Running, free_port

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
UNFOLD = """() => {
    for (const details of document.querySelectorAll("main details:not([name])")) {
        if (!details.closest("#list .row:nth-child(n + 3)")) details.open = true;
    }
}"""
"""The explorer's lists of choices have names: one of them is open at a time."""


@pytest.fixture
def look(subtests) -> Callable[[Person, str], None]:
    """`look(person, "a state")` finds what is wrong with what they see."""

    def at(person: Person, state: str) -> None:
        person.page.evaluate(UNFOLD)
        for size, scheme in ((PHONE, "dark"), (DESK, "light")):
            with subtests.test(f"{state}, {size['width']} px, {scheme}"):
                assert seen(person, size, scheme) == []

    return at


def seen(person: Person, size: dict[str, int], scheme: str, **which: object) -> list[str]:
    person.page.set_viewport_size(size)
    # Colours that are still on their way from one to the other are neither's.
    person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return person.barriers(**which)


def test_every_page(resident, look, subtests):
    person = resident()
    page = person.page
    page.goto("/finance/transactions")
    transaction = page.locator("#list a[href^='/finance/transactions/']").first
    paths = ["/finance/transactions", str(transaction.get_attribute("href"))]
    page.goto("/finance/items")
    item = page.locator("#banks a").first
    paths += ["/finance/items", str(item.get_attribute("href")), "/finance/"]
    for path in (*paths, "/finance/transactions?q=nothing+is+called+so", "/nothing/here"):
        page.goto(path)
        look(person, path)
        for size, scheme in ((DESK, "dark"), (PHONE, "light")):
            with subtests.test(f"{path}, {size['width']} px, {scheme}"):
                assert seen(person, size, scheme, rules=COLOURS) == []
    person.complaints.clear()  # a 404 is an error on the browser's console


def test_every_menu(resident, look):
    person = resident(viewport=PHONE)
    page = person.page
    page.goto("/finance/transactions?q=uber&smallest=20")
    page.locator("#facets-button").click()
    for facet in page.locator("details.facet summary").all():
        facet.click()
    page.locator("#sort").scroll_into_view_if_needed()
    assert person.barriers() == []
    page.keyboard.press("Escape")
    for menu in ("account-menu", "export-menu", "keys"):
        page.evaluate("id => document.getElementById(id).showPopover()", menu)
        look(person, menu)
        page.evaluate("id => document.getElementById(id).hidePopover()", menu)
    for facet in page.locator("details.facet summary").all():
        facet.click()
    page.locator("#sort").scroll_into_view_if_needed()
    assert person.barriers() == []


def test_before_the_log_in(deployment, visit, look):
    person = visit(deployment.url)
    page = person.page
    for path in ("/auth/login", "/auth/signup"):
        page.goto(path)
        page.locator("main form button").click()
        expect(page.locator(".error").first).to_be_visible()
        look(person, path)
    page.goto("/styleguide")
    assert person.barriers() == []
    person.complaints.clear()  # so is a 422


def test_from_no_bank_to_one_that_is_read(deployment, person, look):
    page = person.page
    for path in ("/finance/transactions", "/finance/items", "/finance/"):
        page.goto(path)
        look(person, f"{path} without a bank")

    deployment.bank.misbehave("delay", "/accounts/get", seconds=600)
    panel = person.connect()
    expect(page.locator("#net-worth .skeleton")).to_be_visible()
    look(person, "skeletons")

    deployment.bank.behave()
    be_done(panel)
    deployment.bank.misbehave("delay", "/transactions/sync", seconds=600)
    person.pull("Get transaction data")
    look(person, "a pull that runs")


def test_trouble(deployment, person, look):
    page = person.page
    person.press("Get account data")
    expect(page.locator("#notice")).not_to_be_empty()
    look(person, "refused")
    page.reload()

    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave(
        "error", status=500, error_type="API_ERROR", error_code="INTERNAL_SERVER_ERROR"
    )
    failed = person.pull("Get account data")
    expect(failed.get_by_role("button", name="Try again")).to_be_visible()
    look(person, "the bank is down")

    deployment.bank.behave()
    deployment.bank.ask("/sandbox/item/reset_login", deployment.newest_access_token())
    expect(page.locator("#connections")).to_contain_text("needs you to log in again")
    for path in ("/finance/items", "/finance/"):
        page.goto(path)
        look(person, f"{path}, to log in again")
    person.complaints.clear()


def test_what_is_typed_wrong_and_what_is_out_of_date(resident, look):
    person = resident()
    page = person.page
    page.goto("/finance/transactions?start_date=yesterdayish&smallest=a+lot")
    look(person, "a filter that is wrong")

    page.goto("/finance/")
    page.get_by_label("From", exact=True).fill("2026-02-01")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    person.press("Get transaction data")
    expect(page.locator("#range-form .error")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#stale")).not_to_be_empty()
    look(person, "out of date")
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_empty()
    person.complaints.clear()


def test_what_is_selected_and_what_can_be_undone(person, look):
    page = person.page
    be_done(person.connect("user_transactions_dynamic", "any"))
    page.goto("/finance/transactions?smallest=20")
    page.locator("#list .row input").first.check()
    look(person, "selected")
    page.locator("#bulk").get_by_role("button", name="Hide", exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    look(person, "hidden, with an undo")


def test_a_database_that_is_away_is_a_page(deployment, resident, look, tmp_path):
    port = free_port()
    env = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "PORT": str(port)}
    command = ["sh", "-c", f"exec {deployment.procfile['web']}"]
    web = Running(command, tmp_path / "web.log", deployment.env | env)
    person = resident()
    try:
        web.wait_for(f"http://127.0.0.1:{port}/healthz")
        answer = person.page.goto(f"http://127.0.0.1:{port}/finance/")
        assert answer.status == 503
        look(person, "503")
    finally:
        person.page.goto("about:blank")
        web.stop()
    person.complaints.clear()


def test_what_is_going_on_is_said_once(deployment, person):
    """One live region from the click to the end: it stays, and says nothing twice.

    A webhook may come meanwhile. Then the pull contacts the bank again, and says that again.
    """
    region = person.connect().locator("[aria-live]")
    expect(region).to_have_count(1)
    region.evaluate("""region => {
        const words = () => region.innerText.trim();
        window.said = [words()];
        const options = {subtree: true, childList: true, characterData: true};
        new MutationObserver(() => said.push(words())).observe(region, options);
    }""")
    expect(region).to_contain_text("connected. 9 accounts")

    said = person.page.evaluate("said")
    assert "connected. 9 accounts" in said[-1]
    assert all(text != following for text, following in pairwise(said)), said
    repeated = [text for text, times in Counter(said).items() if times > 1]
    assert all(text.endswith("contacting the bank") for text in repeated), said


@pytest.mark.parametrize("path", ["/finance/", "/finance/transactions", "/finance/items"])
def test_a_page_has_a_language_and_one_heading_of_the_first_level(resident, path):
    page = resident().page
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", "en-US")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
