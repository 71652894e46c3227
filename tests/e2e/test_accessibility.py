"""axe-core on every page in every state, and what it can't check: announcements.

Each page and state is checked on a phone in one theme and on a desktop in the other, and the next
one the other way round, so what pages share is seen in all four ways. Everything that can be opened
is open; the other browser tests end with a check of pages where it is closed.
"""

from collections import Counter
from collections.abc import Callable
from itertools import cycle, pairwise

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from tests.e2e.person import LOOKED_AT, Person, be_done
from tests.e2e.processes import Running
from tests.ports import free_port

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
WAYS = ((PHONE, "dark"), (DESK, "light")), ((PHONE, "light"), (DESK, "dark"))
UNFOLD = """() => {
    for (const details of document.querySelectorAll("main details:not([name])")) {
        if (!details.closest("#list .row:nth-child(n + 3)")) details.open = true;
    }
}"""
"""The explorer's facets have a name, because only one can be open at a time."""
SHORTEN = """lines => {
    const left_out = document.querySelectorAll(["#list .more", ...lines].join());
    for (const line of left_out) line.remove();
}"""


@pytest.fixture
def look(subtests) -> Callable[[Person, str], None]:
    """`look(person, "a state")` fails if axe-core finds a problem on the person's page."""
    ways = cycle(WAYS)

    def at(person: Person, state: str) -> None:
        person.page.evaluate(UNFOLD)
        for size, scheme in next(ways):
            with subtests.test(f"{state}, {size['width']} px, {scheme}"):
                assert seen(person, size, scheme) == []

    return at


def seen(person: Person, size: dict[str, int], scheme: str) -> list[str]:
    person.page.set_viewport_size(size)
    # During a transition, colors belong to neither theme.
    person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return person.barriers()


def open_short(page: Page, path: str) -> None:
    """Open a page without the lines that axe-core leaves out: it takes long to pass over them."""
    page.goto(path)
    page.evaluate(SHORTEN, LOOKED_AT["exclude"])


def test_every_page(resident, look):
    person = resident()
    page = person.page
    page.goto("/finance/transactions")
    transaction = page.locator("#list a[href^='/finance/transactions/']").first
    paths = ["/finance/transactions", str(transaction.get_attribute("href"))]
    page.goto("/finance/items")
    item = page.locator("#banks a").first
    connection = str(item.get_attribute("href"))
    page.goto(connection)
    account = str(page.locator("li[id^='account-']").first.get_attribute("id")).split("-")[1]
    paths += [f"{connection}/unread", f"/finance/accounts/{account}/same"]
    paths += [f"/finance/accounts/{account}"]
    paths += ["/finance/items", "/finance/accounts", connection, "/finance/", "/finance/spending"]
    page.goto("/finance/recurring")
    stream = page.locator("main .payments").first
    paths += ["/finance/recurring", str(stream.get_attribute("href"))]
    paths += ["/finance/recurring/calendar", "/finance/find?q=uber"]
    for path in (*paths, "/finance/transactions?q=nothing+is+called+so", "/nothing/here"):
        open_short(page, path)
        expect(page.locator("html")).to_have_attribute("lang", "en-US")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        look(person, path)
    person.complaints.clear()  # a 404 is an error on the browser's console


def test_every_menu(resident, look):
    person = resident(viewport=PHONE)
    page = person.page
    open_short(page, "/finance/transactions?q=uber&smallest=20")
    page.locator("#facets-button").click()
    for facet in page.locator("details.facet summary").all():
        facet.click()
    page.locator("#sort").scroll_into_view_if_needed()
    assert person.barriers() == []
    page.keyboard.press("Escape")
    page.evaluate("document.getElementById('keys').showModal()")
    look(person, "keys")
    page.keyboard.press("Escape")
    for menu in ("account-menu", "export-menu"):
        page.evaluate("id => document.getElementById(id).showPopover()", menu)
        look(person, menu)
        page.evaluate("id => document.getElementById(id).hidePopover()", menu)
    for facet in page.locator("details.facet summary").all():
        facet.click()
    page.locator("#sort").scroll_into_view_if_needed()
    assert person.barriers() == []


def test_log_in_and_sign_up(deployment, visit, look):
    person = visit(deployment.url)
    page = person.page
    for path in ("/auth/login", "/auth/signup"):
        page.goto(path)
        page.locator("main form button.primary").click()
        expect(page.locator(".error").first).to_be_visible()
        look(person, path)
    for path in ("/auth/forgot", "/auth/reset/nothing"):
        page.goto(path)
        look(person, path)
    page.goto("/styleguide")
    assert person.barriers() == []
    person.complaints.clear()  # a 422 is an error on the browser's console


def test_every_page_of_the_account(person, look):
    page = person.page
    paths = ["account", "activity", "name", "email", "password", "confirm", "delete", "calendar"]
    for path in (*paths, "factors", "factors/app", "factors/passkeys/new"):
        answer = page.goto(f"/auth/{path}")
        assert (answer.status, page.url.rpartition("/auth/")[2]) == (200, path)
        look(person, path)


def test_pages_for_operators(deployment, person, look):
    engine = create_engine(deployment.env["DATABASE_URL"])
    with engine.begin() as database:
        made = text("""UPDATE "user" SET is_operator = true WHERE username = :name""")
        database.execute(made, {"name": person.name})
    engine.dispose()
    page = person.page
    page.goto("/ops/")
    look(person, "operations")
    page.get_by_role("link", name="Doctor").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.locator("[data-check]").first).to_be_visible()
    look(person, "the doctor")


def test_empty_pages_and_running_pulls(deployment, person, look):
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


def test_errors_of_the_bank(deployment, person, look):
    page = person.page
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave(
        "error", status=500, error_type="API_ERROR", error_code="INTERNAL_SERVER_ERROR"
    )
    failed = person.pull("Get account data")
    expect(failed.get_by_role("button", name="Try again")).to_be_visible()
    look(person, "the bank is down")

    deployment.bank.behave()
    deployment.bank.ask("/sandbox/item/reset_login", deployment.newest_access_token())
    expect(page.locator("#attention")).to_contain_text("needs you to log in.")
    for path in ("/finance/items", "/finance/"):
        page.goto(path)
        look(person, f"{path}, to log in again")
    person.complaints.clear()


def test_invalid_forms_and_an_outdated_page(resident, look):
    person = resident()
    page = person.page
    page.goto("/finance/transactions?start_date=yesterdayish&smallest=a+lot")
    look(person, "a filter that is wrong")

    page.goto("/finance/")
    person.open_refresh()
    look(person, "the refresh menu")
    page.get_by_label("From", exact=True).fill("2026-02-01")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    person.press("Get transaction data")
    expect(page.locator("#range-form .error")).to_be_visible()
    expect(page.locator("#freshness")).to_have_text("Up to date")
    page.context.set_offline(True)
    expect(page.locator("#stale")).not_to_be_empty()
    expect(page.locator("#freshness")).to_be_hidden()
    look(person, "out of date")
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_empty()
    person.complaints.clear()


def test_a_selection_and_the_undo_button(person, look):
    page = person.page
    be_done(person.connect("user_transactions_dynamic", "any"))
    open_short(page, "/finance/transactions?smallest=20")
    page.locator("#list .row input").first.check()
    look(person, "selected")
    page.locator("#bulk").get_by_role("button", name="Hide", exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    look(person, "hidden, with an undo")


def test_the_error_page_without_a_database(deployment, resident, look, tmp_path):
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


def test_progress_is_announced_once(deployment, person):
    """The same live region stays from the click to the end and announces nothing twice.

    If a webhook comes meanwhile, the pull asks the bank again and may announce that again.
    """
    region = person.connect().locator("[aria-live]")
    expect(region).to_have_count(1)
    region.evaluate("""region => {
        const words = () => region.innerText.trim();
        window.announced = [words()];
        const options = {subtree: true, childList: true, characterData: true};
        new MutationObserver(() => announced.push(words())).observe(region, options);
    }""")
    expect(region).to_contain_text("connected. 9 accounts")

    announced = person.page.evaluate("announced")
    assert "connected. 9 accounts" in announced[-1]
    assert all(text != following for text, following in pairwise(announced)), announced
    repeated = [text for text, times in Counter(announced).items() if times > 1]
    once = ("waiting", "connecting", "connected")
    assert not [text for text in repeated if any(words in text for words in once)], announced
