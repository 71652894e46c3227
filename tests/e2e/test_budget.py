"""What a page costs: bytes, layout shifts, and requests while nothing changes."""

import json

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.e2e.person import Person, be_done

TWO_FRAMES = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
WATCH_CHANGES = """() => {
    window.changes = [];
    const everything = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver((records) => {
        for (const {type, target, attributeName} of records) {
            if (target.id === "live" && attributeName === "class") continue; // htmx: it is asking
            changes.push(`${type} ${attributeName ?? ""} ${target.id || target.nodeName}`);
        }
    }).observe(document, everything);
}"""
CUT_OFF = """() => [...document.querySelectorAll("main *, nav *")].filter((element) => {
    const isSpoken = element.closest(".spoken, .spoken-on-phone, ledger-chart, pre, input, select");
    const cuts = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    return cuts && !isSpoken && element.scrollWidth > element.clientWidth + 1;
}).map((element) => `${element.className}: ${element.textContent.trim()}`)"""
KILOBYTE = 1000
COLD = 150 * KILOBYTE
STILL = 0.02
"""Google calls 0.1 good. This allows only for a word that gets longer."""
PARDON = 0.6
"""Seconds after a press: a browser pardons what moves in the first half second."""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
MOVING = {"reduced_motion": "no-preference"}
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")]
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const {value, hadRecentInput, sources} of list.getEntries()) {
        if (hadRecentInput) continue;
        const moved = sources.map(({node}) => node?.id || node?.className || node?.nodeName);
        shifts.push({value, moved: moved.join(", ")});
    }
}).observe({type: "layout-shift", buffered: true});
"""
LONG = {
    "override_accounts": [
        {
            "type": "depository",
            "subtype": "checking",
            "currency": currency,
            "starting_balance": 1234567890.12,
            "meta": {"name": f"Donaudampfschifffahrtselektrizitätenhauptbetriebswerk {currency}"},
            "transactions": [
                {
                    "date_transacted": "2026-01-01",
                    "date_posted": "2026-01-01",
                    "amount": 98765432.1,
                    "description": "LLANFAIRPWLLGWYNGYLLGOGERYCHWYRNDROBWLLLLANTYSILIOGOGOGOCH",
                    "currency": currency,
                }
            ],
        }
        for currency in ("USD", "JPY")
    ]
}


class Wire:
    """Records what a page fetches, and how many bytes come over the network."""

    def __init__(self, page: Page) -> None:
        self._urls: dict[str, str] = {}
        self._cached: set[str] = set()
        self._bytes: dict[str, int] = {}
        session: CDPSession = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._on_request)
        session.on(
            "Network.requestServedFromCache", lambda told: self._cached.add(told["requestId"])
        )
        session.on("Network.loadingFinished", self._on_finish)
        session.send("Network.enable")

    def _on_request(self, told: dict) -> None:
        self._urls[told["requestId"]] = told["request"]["url"]

    def _on_finish(self, told: dict) -> None:
        self._bytes[told["requestId"]] = told["encodedDataLength"]

    @property
    def bytes(self) -> int:
        return int(sum(self._bytes.values()))

    @property
    def fetched(self) -> list[str]:
        return [url for id_, url in self._urls.items() if id_ not in self._cached]


@pytest.mark.parametrize("path", ["/finance/", "/finance/transactions"])
def test_bytes_of_a_first_and_a_second_visit(resident, path):
    page = resident().page
    first = Wire(page)
    page.goto(path, wait_until="networkidle")
    assert 20 * KILOBYTE < first.bytes < COLD

    second = Wire(page)
    page.goto(path, wait_until="load")
    again = [url for url in second.fetched if "/static/" in url and "/static/icon.svg" not in url]
    assert again == []  # a browser fetches a page's icon when it likes, maybe after the first visit
    assert second.bytes < first.bytes / 3


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_while_a_page_loads_and_draws(resident, size):
    person = resident(viewport=size, **MOVING)
    page = person.page
    page.add_init_script(WATCH_SHIFTS)
    for path in (
        "/finance/",
        "/finance/transactions",
        "/finance/items",
        "/finance/recurring",
        "/finance/spending",
    ):
        page.goto(path, wait_until="networkidle")
        assert_still(person)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_while_the_panels_fill(deployment, visit, size):
    """Except for what appears at once after a click. A slow bank makes every state visible."""
    deployment.bank.misbehave("delay", seconds=0.3)
    person = visit(deployment.url, viewport=size, **MOVING)
    person.page.add_init_script(WATCH_SHIFTS)
    person.sign_up()
    panel = person.connect()
    forget_shifts(person)
    be_done(panel)
    expect(person.page.locator("#accounts li")).to_have_count(9)
    expect(person.page.locator("#latest li").first).to_be_attached()
    assert_still(person)

    person.page.reload(wait_until="networkidle")
    deployment.bank.misbehave("delay", seconds=PARDON)
    for button in ("Get account data", "Get transaction data", "Get total number of transactions"):
        panel = person.pull(button)
        forget_shifts(person)
        be_done(panel)
        assert_still(person)


def forget_shifts(person: Person) -> None:
    person.page.evaluate(TWO_FRAMES)  # or the browser tells of the press's own shift later
    person.page.evaluate("shifts.length = 0")


def assert_still(person: Person) -> None:
    person.page.evaluate(TWO_FRAMES)  # after two frames, the latest swap is drawn
    shifts = person.page.evaluate("shifts")
    assert sum(shift["value"] for shift in shifts) <= STILL, shifts


def test_polls_without_changes_are_204_and_change_nothing(resident):
    page = resident().page
    page.goto("/finance/", wait_until="networkidle")
    page.evaluate(WATCH_CHANGES)
    asked = []
    page.on("response", lambda answer: asked.append((answer.status, answer.url)))
    for _ in range(3):
        with page.expect_response("**/finance/live*"):
            pass
    assert {status for status, _ in asked} == {204}
    assert all("/finance/live" in url for _, url in asked)
    assert page.evaluate("changes") == []


def test_no_page_is_wider_than_its_window(deployment, person, subtests):
    be_done(person.connect())
    person.page.reload()
    be_done(person.connect("user_custom", json.dumps(LONG)))
    page = person.page
    page.goto("/finance/transactions?q=LLAN")
    transaction = page.locator("#list a[href^='/finance/transactions/']").first
    paths = ["/finance/transactions", str(transaction.get_attribute("href"))]
    page.goto("/finance/items")
    connection = str(page.locator("#banks a").first.get_attribute("href"))
    page.goto(connection)
    account = str(page.locator("a[href$='/same']").first.get_attribute("href"))
    page.goto(account)
    other = page.locator("a[href*='/same?other=']").first
    paths += ["/finance/items", "/finance/accounts", connection, f"{connection}/unread"]
    paths += [account, str(other.get_attribute("href")), account.removesuffix("/same")]
    for path in (
        *paths,
        "/auth/account",
        "/finance/recurring",
        "/finance/spending",
        "/finance/",
        "/nothing/here",
        "/styleguide",
    ):
        page.goto(path)
        for width in (360, 768, 1280, 1920, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            with subtests.test(f"{path} at {width} px"):
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width
        page.set_viewport_size({"width": 320, "height": 256})
        with subtests.test(f"{path} at 400 % zoom"):
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            expect(page.locator("nav.pages")).to_have_css("position", "static")
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        with subtests.test(f"{path} on a phone with text at 200 %"):
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert page.evaluate(CUT_OFF) == []
        for width in (768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            with subtests.test(f"{path} at {width} px with text at 200 %"):
                assert page.evaluate("document.documentElement.scrollWidth") <= width
    person.complaints.clear()  # a 404 is an error on the browser's console


def test_print_shows_figures_and_no_controls(resident):
    page = resident(color_scheme="dark").page
    page.goto("/finance/")
    page.emulate_media(media="print")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    for pressed in page.locator("nav, button, input, select").all():
        expect(pressed).to_be_hidden()
    expect(page.locator("#worth-history td").first).to_be_visible()
    expect(page.locator("#accounts li")).to_have_count(9)
    expect(page.locator("#accounts .amount").first).to_be_visible()
    expect(page.locator("#latest .amount").first).to_be_visible()
