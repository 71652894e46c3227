"""An open page shows the bank's new data after a webhook, and only the owner's page does."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import be_done
from tests.e2e.processes import wait_until


def test_new_rows_show_without_a_reload(deployment, person, visit):
    stranger = visit(deployment.url)
    stranger.join()
    be_done(person.connect("user_transactions_dynamic", "any"))
    expect(person.page.locator("#summary")).to_contain_text("50 transactions")
    loads = person.page_loads

    deployment.bank.ask("/transactions/refresh", deployment.newest_access_token())

    expect(person.page.locator("#summary")).not_to_contain_text("50 transactions")
    wait_until(person.sees_all, 30, "the rest of them")
    assert person.page_loads == loads
    expect(stranger.page.locator("#first-steps")).to_contain_text("Connect your first bank")
    assert stranger.transactions() == []


def test_an_expired_bank_log_in_shows_without_a_reload(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))

    deployment.bank.ask("/sandbox/item/reset_login", deployment.newest_access_token())

    expect(person.page.locator("#attention")).to_contain_text("needs you to log in.")


def test_a_refusal_shows_until_an_action_succeeds(deployment, person):
    notice = person.page.locator("#notice")
    for _ in range(2):  # without a bank the menu is out of sight, but another tab may have shown it
        person.page.locator("#refresh form").first.evaluate("form => form.requestSubmit()")
        expect(notice).to_contain_text("Connect a bank first")
    be_done(person.connect("user_transactions_dynamic", "any"))
    expect(notice).to_be_empty()
    person.complaints.clear()  # a 422 is an error on the browser's console


OUT_OF_DATE = re.compile(r"Not up to date since \d+:\d\d [AP]M UTC\.")
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def watcher(person, poll):
    """A person on the overview. The test moves the clock; `asked` lists the page's polls."""
    person.page.clock.install()
    person.asked = []
    person.page.on(
        "request",
        lambda request: "/finance/live" in request.url and person.asked.append(request.url),
    )
    person.page.reload()
    person.page.clock.run_for(2_000)
    poll(lambda: polls(person), what="the first poll")
    person.stale = person.page.locator("#stale")
    return person


def polls(person):
    """Return how often the page has polled, once the browser has reported it."""
    person.page.evaluate("0")
    return len(person.asked)


def pass_time(person, milliseconds):
    """Let the page's clock run ahead once no request is under way: it would time out."""
    expect(person.page.locator(".htmx-request")).to_have_count(0)
    person.page.clock.run_for(milliseconds)


def test_a_hidden_page_does_not_poll_and_a_visible_one_polls_at_once(watcher, poll):
    watcher.page.evaluate(HIDE, True)
    before = polls(watcher)
    pass_time(watcher, 60_000)
    assert polls(watcher) == before

    watcher.page.evaluate(HIDE, False)
    poll(lambda: polls(watcher) == before + 1, what="one question")
    watcher.page.clock.run_for(2_000)
    poll(lambda: polls(watcher) > before + 1, what="the next poll")


def test_a_hidden_page_does_not_poll_a_running_pull(watcher, deployment, poll):
    deployment.bank.misbehave(kind="hang", path="/accounts/get", seconds=60, times=1)
    panel = watcher.connect()
    polled = []
    watcher.page.on(
        "request", lambda request: "/finance/pulls/" in request.url and polled.append(request.url)
    )
    expect(panel).to_have_attribute("data-state", "running")
    watcher.page.evaluate(HIDE, True)
    watcher.page.evaluate("0")
    before = len(polled)
    pass_time(watcher, 30_000)
    watcher.page.evaluate("0")
    assert len(polled) == before

    watcher.page.evaluate(HIDE, False)
    poll(lambda: watcher.page.evaluate("0") == 0 and len(polled) > before, what="a look")


def test_a_panel_polls_again_after_a_failed_poll(person, deployment, poll):
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave("delay", "/accounts/balance/get", seconds=600)
    polled = []

    def answer(route):
        polled.append(route.request.url)
        if len(polled) <= 2:
            route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")
        else:
            route.continue_()

    person.page.route(re.compile("/finance/pulls/\\d+\\?"), answer)
    panel = person.pull("Get account data")
    poll(lambda: person.page.evaluate("0") == 0 and len(polled) > 2, 30, "another poll")
    deployment.bank.behave()
    be_done(panel)
    expect(person.page.get_by_text("Bad gateway")).to_have_count(0)
    person.complaints.clear()  # a request that fails is an error on the browser's console


def test_a_finished_panel_does_not_poll(watcher):
    polled = []
    watcher.page.on(
        "request", lambda request: "/finance/pulls/" in request.url and polled.append(request.url)
    )
    be_done(watcher.connect("user_transactions_dynamic", "any"))
    watcher.page.evaluate("0")
    before = len(polled)
    assert before > 0

    pass_time(watcher, 30_000)

    watcher.page.evaluate("0")
    assert len(polled) == before


def test_offline_the_page_says_since_when_and_polls_again_once_online(watcher, poll):
    watcher.page.context.set_offline(True)
    expect(watcher.stale).to_have_text(OUT_OF_DATE)
    before = polls(watcher)
    pass_time(watcher, 60_000)
    assert polls(watcher) == before

    notice = watcher.page.locator("#notice")
    watcher.press("Connect a test bank")
    expect(notice).to_have_text("You are offline. Nothing was sent. Press again when you are back.")

    watcher.page.context.set_offline(False)
    expect(watcher.stale).to_be_empty()
    assert polls(watcher) > before
    be_done(watcher.connect("user_transactions_dynamic", "any"))
    expect(notice).to_be_empty()
    watcher.complaints.clear()  # a request that fails is an error on the browser's console


@pytest.mark.parametrize("trouble", ["no answer", "a proxy's page"])
def test_one_line_says_that_the_server_is_away_until_it_is_back(watcher, trouble):
    def answer(route):
        if trouble == "no answer":
            route.abort()
        else:
            route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    watcher.page.route("**/finance/live*", answer)
    watcher.page.clock.run_for(10_000)

    expect(watcher.stale).to_have_text(OUT_OF_DATE)
    expect(watcher.stale.locator("p")).to_have_count(1)
    expect(watcher.page.get_by_text("Bad gateway")).to_have_count(0)
    watcher.page.unroute("**/finance/live*")
    watcher.page.clock.run_for(2_000)
    expect(watcher.stale).to_be_empty()
    watcher.complaints.clear()  # a request that fails is an error on the browser's console


def test_an_expired_session_leads_to_the_log_in(watcher):
    watcher.page.context.clear_cookies()
    watcher.page.clock.run_for(2_000)

    expect(watcher.page).to_have_url(re.compile("/auth/login"))
    watcher.complaints.clear()  # a 401 is an error on the browser's console


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_new_panel_scrolls_into_view_on_a_phone(deployment, visit, motion):
    person = visit(deployment.url, viewport={"width": 390, "height": 700}, reduced_motion=motion)
    person.join()
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    page.reload()
    button = page.get_by_role("button", name="Connect a test bank", exact=True)
    button.evaluate("button => button.scrollIntoView({block: 'end'})")
    expect(page.locator("#activity")).not_to_be_in_viewport()
    panel = person.pull("Connect a test bank")
    expect(panel).to_be_in_viewport(ratio=1)
    expect(button).to_be_focused()
    be_done(panel)
    menu = page.locator("#refresh > summary")
    menu.evaluate("menu => menu.scrollIntoView({block: 'end'})")
    panel = person.pull("Get account data")
    expect(panel).to_be_in_viewport(ratio=1)
    expect(menu).to_be_focused()
    be_done(panel)


def test_times_are_those_of_the_browser_that_signed_up(deployment, visit):
    person = visit(deployment.url, timezone_id="Pacific/Kiritimati")
    person.sign_up()
    page = person.page
    page.goto("/auth/account")
    zone = page.get_by_label("Time zone")
    expect(zone).to_have_value("Pacific/Kiritimati")
    loads = person.page_loads
    zone.select_option("Asia/Tokyo")
    person.press("Save time zone")
    expect(page.locator("#notice")).to_contain_text("Days and times are now those of Asia/Tokyo.")
    expect(zone).to_have_value("Asia/Tokyo")
    assert person.page_loads == loads
